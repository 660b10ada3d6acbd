// Decodes an update fully, and refuses it as a whole, before anything is done with it.
#pragma once

#include <vector>

#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/limits.h"
#include "struct_views.h"

namespace diaryx::crdt {

enum class Encoding : uint8_t { V1, V2 };

/// All structs of one client in an update: clocks contiguous, first struct at `clock`.
struct ClientBlock {
  ClientId client;
  uint32_t first;  // into DecodedUpdate::structs
  uint32_t count;
};

/// 1. Blocks are as the update orders them, each client once; no struct is empty.
/// 2. No struct refers to itself or to a later struct of its own client.
/// 3. Contents are canonical: the bytes that JavaScript would write again.
struct DecodedUpdate {
  DecodedUpdate() {}  // not defaulted: who makes one in a Result would have all of it zeroed first

  // Most updates are one keystroke: one struct of one client.
  InlineVector<ClientBlock, 1> blocks;
  StructViews structs;  // views into the input or `scratch`
  DeleteSet deletes;
  std::vector<Bytes> scratch;  // contents that had to be converted
  size_t content_bytes = 0;  // what the contents take in a store, or a little more
  // Encoding v1: writing the structs again gives the first so many bytes of the input. 0 where that is not known.
  size_t as_written_bytes = 0;

  /// Empty again, with the room it has.
  void clear() {
    blocks.clear();
    structs.clear();
    deletes = {};
    scratch.clear();
    content_bytes = 0;
    as_written_bytes = 0;
  }
};

/// `bytes` must outlive the result. Errors: see Doc::apply_update_v1. Bytes after the delete set are ignored, as in Yjs.
Result<DecodedUpdate> decode_update(ByteView bytes, Encoding encoding, const DecodeLimits& limits);
/// The same into `out`, which is empty.
Result<void> decode_update(ByteView bytes, Encoding encoding, const DecodeLimits& limits, DecodedUpdate& out);

}  // namespace diaryx::crdt
