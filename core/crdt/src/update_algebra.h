// Updates without a document, on decoded structs. Private to the engine; the public functions are in update.h.
#pragma once

#include <span>
#include <vector>

#include "diaryx/crdt/state_vector.h"
#include "update_out.h"
#include "update_reader.h"

namespace diaryx::crdt {

/// For bytes that this library made itself.
inline constexpr DecodeLimits kTrusted{~size_t{0}, 0xffffffffu, 0xffffffffu, 0xffffffffu};

/// Writes blocks (clients descending, none empty) and a delete set.
Bytes encode_blocks_v2(std::span<const ClientBlock> blocks, const StructViews& structs, const DeleteSet& deletes);

/// Writes structs one after the other; the number of blocks, and of structs in a block, is known only at the end.
template <typename Out>
class LazyWriter {
 public:
  /// Structs of one client must come together, in clock order.
  void write(ClientId client, const StructView& view, uint32_t offset) {
    if (parts_.empty() || client_ != client) {
      client_ = client;
      parts_.push_back({0, out_.rest().size()});
      out_.client(client.value());
      out_.rest().var_uint(view.clock + offset);
    }
    ++parts_.back().structs;
    write_struct(out_, client.value(), view, offset);
  }

  Bytes finish(const DeleteSet& deletes) {
    const ByteView written = out_.rest().view();
    Sink rest;
    rest.reserve(written.size() + parts_.size() * 4 + 16);
    rest.var_uint(parts_.size());
    for (size_t i = 0; i < parts_.size(); ++i) {
      const size_t end = i + 1 < parts_.size() ? parts_[i + 1].begin : written.size();
      rest.var_uint(parts_[i].structs);
      rest.raw(written.subspan(parts_[i].begin, end - parts_[i].begin));
    }
    out_.rest() = std::move(rest);
    out_.deletes(deletes);
    return out_.finish();
  }

 private:
  struct Part {
    uint32_t structs;
    size_t begin;  // in the rest column
  };
  Out out_;
  std::vector<Part> parts_;
  ClientId client_;
};

/// The same update in the other encoding, struct by struct.
Result<Bytes> convert_update(ByteView update, Encoding from, Encoding to, const DecodeLimits& limits);
Result<Bytes> merge_updates(std::span<const ByteView> updates, Encoding encoding, const DecodeLimits& limits);
Result<Bytes> diff_update(ByteView update, Encoding encoding, const StateVector& known, const DecodeLimits& limits);

}  // namespace diaryx::crdt
