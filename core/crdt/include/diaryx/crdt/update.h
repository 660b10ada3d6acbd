// Updates as bytes: merge, diff, look inside, check. No document is built.
//
// An update is not trusted here; every function decodes it fully, within `DecodeLimits`, before it answers. `limits.h` says how
// much memory that takes at most.
// Source: Yjs 13.6 src/utils/updates.js; docs/protocol.md.
#pragma once

#include <span>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/limits.h"
#include "diaryx/crdt/state_vector.h"

namespace diaryx::crdt {

/// One update that does what all of `updates` do, applied in any order; holes between them become Skip structs.
///
/// updates  v1 bytes, not trusted. One alone is answered unchanged; none gives the empty update `00 00`.
/// Returns  the bytes that Yjs `mergeUpdates` gives.
/// Errors   Truncated, VarUintTooLong, ClockOverflow, InvalidUtf8, InvalidJson, UnknownTag, BadReference, TooLarge, TooDeep.
/// Cost     n log k for n structs in k updates.
Result<Bytes> merge_updates_v1(std::span<const ByteView> updates, const DecodeLimits& limits = {});

/// The part of `update` that a peer who knows `known` has not seen.
///
/// Returns  v1 bytes, never empty; the delete set is kept whole (`00 00`: no new struct, nothing deleted).
/// Errors   as merge_updates_v1.
Result<Bytes> diff_update_v1(ByteView update, const StateVector& known, const DecodeLimits& limits = {});

/// The state vector of a document that has applied only `update`: clients whose structs begin at clock 0, up to the first
/// hole. Errors: as merge_updates_v1.
Result<StateVector> state_vector_of_update_v1(ByteView update, const DecodeLimits& limits = {});

/// The same for encoding v2. Errors: as for v1.
Result<Bytes> merge_updates_v2(std::span<const ByteView> updates, const DecodeLimits& limits = {});
Result<Bytes> diff_update_v2(ByteView update, const StateVector& known, const DecodeLimits& limits = {});
Result<StateVector> state_vector_of_update_v2(ByteView update, const DecodeLimits& limits = {});

/// One encoding from the other, struct by struct. From v2 to v1 values of embeds and marks go through JSON: undefined, NaN, bytes and
/// bigint are lost there, as in Yjs.
Result<Bytes> convert_v1_to_v2(ByteView update, const DecodeLimits& limits = {});
Result<Bytes> convert_v2_to_v1(ByteView update, const DecodeLimits& limits = {});

/// The clocks that an update speaks of, one entry per client in the order of the update; Skip structs count. An update that
/// only deletes has none. Source: Yjs `parseUpdateMeta`.
struct UpdateMeta {
  struct ClientClocks {
    ClientId client;
    Clock from;  ///< of its first struct
    Clock to;  ///< after its last struct
    friend bool operator==(const ClientClocks&, const ClientClocks&) = default;
  };
  std::vector<ClientClocks> clients;
};

/// Errors: as merge_updates_v1.
Result<UpdateMeta> parse_update_meta_v1(ByteView update, const DecodeLimits& limits = {});
Result<UpdateMeta> parse_update_meta_v2(ByteView update, const DecodeLimits& limits = {});

/// What `obfuscate_update` makes unreadable besides text, values and keys.
struct ObfuscateOptions {
  bool formatting = true;  ///< keys and values of marks
  bool subdocuments = true;  ///< their guids and options
  bool xml = true;  ///< names of elements and hooks
};

/// The same update without what people wrote in it, to be shown to who looks for a fault: every content is replaced by numbers
/// of the same length, ids and structure stay. Root names stay as well.
///
/// Returns  the bytes that Yjs `obfuscateUpdate` gives.
/// Errors   as merge_updates_v1.
Result<Bytes> obfuscate_update_v1(ByteView update, const ObfuscateOptions& options = {},
                                  const DecodeLimits& limits = {});
Result<Bytes> obfuscate_update_v2(ByteView update, const ObfuscateOptions& options = {},
                                  const DecodeLimits& limits = {});

/// What an update holds, for deciding whether it is news.
struct UpdateSummary {
  StateVector starts;  ///< per client the first clock of its structs (clients that start at 0 are not listed here)
  StateVector ends;  ///< per client the clock after its last struct
  DeleteSet deletes;
  size_t structs = 0;  ///< items and collected ranges; Skip does not count
  uint64_t text_units = 0;  ///< clock units among them of text, or of what was deleted and may have been text

  /// True if a replica with `known` and `deleted` has all of it.
  bool is_known(const StateVector& known, const DeleteSet& deleted) const {
    return known.covers(ends) && deleted.covers(deletes);
  }
};

/// Errors: as merge_updates_v1.
Result<UpdateSummary> summarize_update_v1(ByteView update, const DecodeLimits& limits = {});

/// Decodes everything and keeps nothing: exactly what `Doc::apply_update_v1` would refuse is refused here.
Result<void> validate_update_v1(ByteView update, const DecodeLimits& limits = {});

}  // namespace diaryx::crdt
