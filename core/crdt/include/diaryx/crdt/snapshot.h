// Snapshots: what a document looked like at some moment, in a few bytes.
//
//     const Snapshot monday = snapshot_of(doc);        // doc made with Gc::Disabled, so that deleted content stays
//     ...
//     for (const TextRun& run : text_between(body, monday, snapshot_of(doc))) draw(run);
//     DX_TRY(const Doc old, doc_from_snapshot(doc, monday, {.client = ClientId{9}}));
//
// A snapshot holds no content, only which units were there (a state vector) and which of them were deleted (a delete set). It
// is read against a document that still has them: one without garbage collection. Reading never changes the document, not
// even how its items are cut: where a border lies inside an item, only the answer is cut.
//
// Source: Yjs 13.6 src/utils/Snapshot.js, `toDelta` in src/types/YText.js; docs/protocol.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/state_vector.h"
#include "diaryx/crdt/text.h"

namespace diaryx::crdt {

/// A moment in the history of a document. A plain value; the default one is before everything.
struct Snapshot {
  StateVector state;  ///< the units that were there: all below these clocks
  DeleteSet deletes;  ///< those of them that were deleted

  /// True if the unit was there and not deleted.
  bool shows(Id id) const { return state.contains(id) && !deletes.contains(id); }

  /// The bytes of Yjs: the delete set, then the state vector. `00 00` is the empty snapshot. v2 writes the delete set
  /// shorter; it is another format than an update v2.
  Bytes encode_v1() const;
  Bytes encode_v2() const;

  /// Not trusted. Bytes after the snapshot are refused.
  /// Errors: Truncated, VarUintTooLong, ClockOverflow, TrailingBytes.
  /// Memory: at most 64 bytes per byte of input.
  static Result<Snapshot> decode_v1(ByteView bytes);
  static Result<Snapshot> decode_v2(ByteView bytes);

  /// The same units and deletions, in whatever order the clients came.
  friend bool operator==(const Snapshot&, const Snapshot&) = default;
};

/// What the document is now. Pending structs do not count. Cost: one pass over the structs.
Snapshot snapshot_of(const Doc& doc);

/// True if `update` brings nothing new to who has `snapshot`: no unit (holes count as units) and no deletion.
/// Errors: as merge_updates_v1.
Result<bool> snapshot_contains_v1(const Snapshot& snapshot, ByteView update, const DecodeLimits& limits = {});
Result<bool> snapshot_contains_v2(const Snapshot& snapshot, ByteView update, const DecodeLimits& limits = {});

/// The runs of `text` as they were: Yjs `toDelta(snapshot)`. A run ends at every mark.
/// Cost: one pass over the items of the text.
std::vector<TextRun> text_at(const Text& text, const Snapshot& snapshot);

/// What the attribute `ychange` of a changed run says.
enum class ChangeLabel : uint8_t {
  Type,  ///< `{"type":"added"}` or `{"type":"removed"}`; every changed item is a run of its own, as in Yjs
  TypeAndClient,  ///< `{"user":<client>,"type":…}`; what one client wrote in a row is one run
};

/// The runs of `text` at `before` and `after` together: Yjs `toDelta(after, before)`. What only one of them shows has the
/// attribute `ychange`; marks are those of `after`. An embed shows the label of the text left of it, as in Yjs.
std::vector<TextRun> text_between(const Text& text, const Snapshot& before, const Snapshot& after,
                                  ChangeLabel label = ChangeLabel::Type);

/// The plain value that `key` had, if any. Cost: one step per value that the key got since.
std::optional<Any> value_at(const Map& map, std::string_view key, const Snapshot& snapshot);
/// All of them, in the order in which the keys were first set here. Shared types are left out.
std::vector<std::pair<std::string, Any>> entries_at(const Map& map, const Snapshot& snapshot);
/// The plain values that the array held; shared types are left out. (Yjs `typeListToArraySnapshot` shows an item whole when
/// its first value was there; here each value counts for itself.)
std::vector<Any> values_at(const Array& array, const Snapshot& snapshot);

/// A new document with what `doc` was at `snapshot`, ids included: it can be edited, and merged with `doc` again.
///
/// options  of the new document; its garbage collection may be on.
/// Errors   HistoryCollected: `doc` collects garbage, so old content may be gone; make it with Gc::Disabled.
///          NotFound: `doc` does not have all of `snapshot` (yet), so it is another document's or a newer one's.
/// Cost     as encoding `doc` and loading it.
Result<Doc> doc_from_snapshot(const Doc& doc, const Snapshot& snapshot, const DocOptions& options);

}  // namespace diaryx::crdt
