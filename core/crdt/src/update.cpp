// Merging, cutting and inspecting updates without a document.
//
// Source: Yjs 13.6 src/utils/updates.js; docs/protocol.md.
#include "diaryx/crdt/update.h"

#include <algorithm>
#include <memory>

#include "diaryx/base/sort.h"
#include "update_algebra.h"

namespace diaryx::crdt {
namespace {

/// A struct of a known client, from unit `offset` on.
struct Piece {
  ClientId client;
  StructView view;
  uint32_t offset = 0;

  uint32_t clock() const { return view.clock + offset; }
  uint32_t end() const { return view.end(); }
  bool is_skip() const { return view.kind == ContentKind::Skip; }
};

/// Walks the structs of one update, clients descending, without holes.
class StructReader {
 public:
  StructReader(DecodedUpdate& update, int64_t turn) : update_(&update), turn_(turn) {
    sort_compactly(update.blocks, [](const ClientBlock& a, const ClientBlock& b) { return a.client > b.client; });
    settle();
  }

  bool done() const { return block_ == update_->blocks.size(); }
  ClientId client() const { return update_->blocks[block_].client; }
  const StructView& view() const { return update_->structs[update_->blocks[block_].first + at_]; }
  void next() {
    ++at_;
    settle();
  }

  /// Which of two readers is read first; of equals the one that was read last.
  bool goes_before(const StructReader& other) const {
    if (client() != other.client()) return client() > other.client();
    if (view().clock != other.view().clock) return view().clock < other.view().clock;
    return turn_ < other.turn_;
  }
  int64_t turn() const { return turn_; }
  void set_turn(int64_t turn) { turn_ = turn; }
  /// The comparison of Yjs. It is no order: a collected range and an item of one id each go before the other.
  bool yjs_puts_before(const StructReader& other) const {
    if (client() != other.client()) return client() > other.client();
    if (view().clock != other.view().clock) return view().clock < other.view().clock;
    return (view().kind == ContentKind::Gc) != (other.view().kind == ContentKind::Gc);
  }

 private:
  void settle() {
    while (!done()) {
      if (at_ == update_->blocks[block_].count) {
        ++block_;
        at_ = 0;
      } else if (view().kind == ContentKind::Skip) {
        ++at_;
      } else {
        return;
      }
    }
  }

  DecodedUpdate* update_;
  size_t block_ = 0;
  uint32_t at_ = 0;
  int64_t turn_;
};

/// As many readers are sorted by insertion alone in the engines that run Yjs; beyond it they merge runs.
constexpr size_t kSortedByInsertion = 63;

/// The sort of those engines: with a comparison that is no order, the way to the answer is part of the answer. A run at the front, turned
/// over if it descends; the rest inserted by binary search.
void sort_as_yjs(std::vector<StructReader>& readers) {
  if (readers.size() < 2) return;
  const bool descends = readers[1].yjs_puts_before(readers[0]);
  auto run = readers.begin() + 2;
  while (run != readers.end() && run->yjs_puts_before(*(run - 1)) == descends) ++run;
  if (descends) std::reverse(readers.begin(), run);
  for (; run != readers.end(); ++run) {
    const auto place =
        std::upper_bound(readers.begin(), run, *run,
                         [](const StructReader& pivot, const StructReader& at) { return pivot.yjs_puts_before(at); });
    std::rotate(place, run, run + 1);
  }
}

/// Collected ranges and holes join; items never do here, for nobody knows their neighbours.
bool join(Piece& left, const Piece& right) {
  if (left.view.kind != right.view.kind) return false;
  if (left.view.kind != ContentKind::Gc && left.view.kind != ContentKind::Skip) return false;
  left.view.length += right.view.length - right.offset;
  return true;
}

/// An update whose turn has not come: where its structs begin.
struct Waiting {
  ClientId client;
  uint32_t clock;
  uint32_t number;  // among the updates

  friend bool operator<(const Waiting& a, const Waiting& b) {
    if (a.client != b.client) return a.client > b.client;
    if (a.clock != b.clock) return a.clock < b.clock;
    return a.number < b.number;
  }
};

template <typename Out>
class Merger {
 public:
  Bytes run_in_yjs_order(std::vector<StructReader> readers, const DeleteSet& deletes) {
    std::erase_if(readers, [](const StructReader& reader) { return reader.done(); });
    for (sort_as_yjs(readers); !readers.empty(); sort_as_yjs(readers)) {
      take_from(readers.front());
      if (readers.front().done()) readers.erase(readers.begin());
    }
    return finish(deletes);
  }

  /// `waiting` is in order; an update is decoded (again) when its turn comes, so that few are in memory at a time.
  Bytes run(std::span<const ByteView> updates, Encoding encoding, const DecodeLimits& limits,
            std::span<const Waiting> waiting, const DeleteSet& deletes) {
    std::unique_ptr<OpenUpdate> done;
    for (size_t next = 0; next < waiting.size() || !open_.empty();) {
      std::unique_ptr<OpenUpdate> one;
      if (!open_.empty() && (next == waiting.size() || goes_before(open_.front()->reader, waiting[next]))) {
        std::pop_heap(open_.begin(), open_.end(), later);
        one = std::move(open_.back());
        open_.pop_back();
      } else {
        one = done ? std::move(done) : std::make_unique<OpenUpdate>();
        const uint32_t number = waiting[next++].number;
        one->update.clear();
        const Result<void> decoded = decode_update(updates[number], encoding, limits, one->update);
        DX_ASSERT(decoded.has_value());  // it was read before
        one->reader = StructReader(one->update, number);
      }
      take_from(one->reader);
      if (one->reader.done()) {
        done = std::move(one);
      } else {
        one->reader.set_turn(--turn_);
        open_.push_back(std::move(one));
        std::push_heap(open_.begin(), open_.end(), later);
      }
    }
    return finish(deletes);
  }

 private:
  struct OpenUpdate {
    DecodedUpdate update;
    StructReader reader{update, 0};
  };

  static bool later(const std::unique_ptr<OpenUpdate>& a, const std::unique_ptr<OpenUpdate>& b) {
    return b->reader.goes_before(a->reader);
  }
  static bool goes_before(const StructReader& reader, const Waiting& other) {
    if (reader.client() != other.client) return reader.client() > other.client;
    if (reader.view().clock != other.clock) return reader.view().clock < other.clock;
    return reader.turn() < int64_t{other.number};
  }

  Bytes finish(const DeleteSet& deletes) {
    if (has_current_) flush();
    return writer_.finish(deletes);
  }

  /// What may still become longer or shorter is written when that is decided, an item at once: its update may be gone later.
  void flush() {
    if (!is_written_) writer_.write(current_.client, current_.view, current_.offset);
  }
  void go_on_with(const Piece& piece) {
    current_ = piece;
    has_current_ = true;
    is_written_ = piece.view.kind != ContentKind::Gc && piece.view.kind != ContentKind::Skip;
    if (is_written_) writer_.write(piece.client, piece.view, piece.offset);
  }

  void take_from(StructReader& reader) {
    const ClientId client = reader.client();
    if (!has_current_) {
      go_on_with({client, reader.view()});
      reader.next();
    } else if (!follow_current(reader, client)) {
      return;
    }
    // The usual case: one update goes on where it just ended.
    while (!reader.done() && reader.client() == client && reader.view().clock == current_.end()) {
      flush();
      go_on_with({client, reader.view()});
      reader.next();
    }
  }

  /// Adds what the reader has next to what is being written. False if the reader has to queue again first.
  bool follow_current(StructReader& reader, ClientId client) {
    bool skipped = false;
    while (!reader.done() && reader.client() == current_.client && reader.view().end() <= current_.end()) {
      reader.next();
      skipped = true;
    }
    if (reader.done() || reader.client() != client) return false;
    if (skipped && reader.view().clock > current_.end()) return false;
    Piece piece{client, reader.view()};
    if (client != current_.client) {
      flush();
      go_on_with(piece);
      reader.next();
      return true;
    }
    if (current_.end() < piece.clock()) {
      if (current_.is_skip()) {
        current_.view.length = piece.end() - current_.view.clock;
        return true;
      }
      const uint32_t hole_begin = current_.end();
      flush();
      Piece hole{client, {}};
      hole.view.kind = ContentKind::Skip;
      hole.view.clock = hole_begin;
      hole.view.length = piece.clock() - hole_begin;
      go_on_with(hole);
      return true;
    }
    const uint32_t known = current_.end() - piece.clock();
    if (known > 0) {
      if (current_.is_skip()) {
        current_.view.length -= known;
      } else {
        piece.offset = known;
      }
    }
    if (!join(current_, piece)) {
      flush();
      go_on_with(piece);
      reader.next();
    }
    return true;
  }

  std::vector<std::unique_ptr<OpenUpdate>> open_;  // a heap: what was read in part
  LazyWriter<Out> writer_;
  Piece current_;
  bool has_current_ = false;
  bool is_written_ = false;
  int64_t turn_ = 0;
};

template <typename Out>
Bytes merge_in_yjs_order(std::span<const ByteView> updates, Encoding encoding, const DecodeLimits& limits,
                         const DeleteSet& deletes) {
  std::vector<DecodedUpdate> decoded(updates.size());
  std::vector<StructReader> readers;
  for (size_t i = 0; i < updates.size(); ++i) {
    const Result<void> again = decode_update(updates[i], encoding, limits, decoded[i]);
    DX_ASSERT(again.has_value());
    readers.emplace_back(decoded[i], static_cast<int64_t>(i));
  }
  return Merger<Out>().run_in_yjs_order(std::move(readers), deletes);
}

template <typename Out>
Result<Bytes> merge_with(std::span<const ByteView> updates, Encoding encoding, const DecodeLimits& limits) {
  std::vector<Waiting> waiting;
  waiting.reserve(updates.size());
  DeleteSet deletes;
  bool has_collected = false;
  DecodedUpdate one;
  for (uint32_t number = 0; number < updates.size(); ++number) {
    one.clear();
    DX_TRY_VOID(decode_update(updates[number], encoding, limits, one));
    deletes.gather(one.deletes);
    for (size_t i = 0; i < one.structs.size(); ++i) {
      has_collected = has_collected || one.structs[i].kind == ContentKind::Gc;
    }
    const StructReader reader(one, number);
    if (!reader.done()) waiting.push_back({reader.client(), reader.view().clock, number});
  }
  if (updates.size() == 1) return to_bytes(updates.front());
  deletes.settle();
  if (has_collected && updates.size() <= kSortedByInsertion) {
    return merge_in_yjs_order<Out>(updates, encoding, limits, deletes);
  }
  if (!std::is_sorted(waiting.begin(), waiting.end())) sort_compactly(waiting);
  return Merger<Out>().run(updates, encoding, limits, waiting, deletes);
}

template <typename Out>
Result<Bytes> diff_with(ByteView update, Encoding encoding, const StateVector& known, const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, encoding, limits));
  LazyWriter<Out> writer;
  for (const ClientBlock& block : decoded.blocks) {
    const uint32_t clock = known.get(block.client).value();
    bool writing = false;
    for (uint32_t i = 0; i < block.count; ++i) {
      const StructView& view = decoded.structs[block.first + i];
      if (!writing && (view.kind == ContentKind::Skip || view.end() <= clock)) continue;
      writer.write(block.client, view, !writing && clock > view.clock ? clock - view.clock : 0);
      writing = true;
    }
  }
  return writer.finish(decoded.deletes);
}

template <typename Out>
Bytes write_all(const DecodedUpdate& update) {
  LazyWriter<Out> writer;
  for (const ClientBlock& block : update.blocks) {
    for (uint32_t i = 0; i < block.count; ++i) writer.write(block.client, update.structs[block.first + i], 0);
  }
  return writer.finish(update.deletes);
}

Result<StateVector> state_vector_of(ByteView update, Encoding encoding, const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, encoding, limits));
  StateVector result;
  for (const ClientBlock& block : decoded.blocks) {
    if (decoded.structs[block.first].clock != 0) continue;
    uint32_t end = 0;
    for (uint32_t i = 0; i < block.count; ++i) {
      const StructView& view = decoded.structs[block.first + i];
      if (view.kind == ContentKind::Skip) break;
      end = view.end();
    }
    result.set(block.client, Clock{end});
  }
  return result;
}

}  // namespace

Bytes encode_blocks_v2(std::span<const ClientBlock> blocks, const StructViews& structs, const DeleteSet& deletes) {
  LazyWriter<OutV2> writer;
  for (const ClientBlock& block : blocks) {
    for (uint32_t i = 0; i < block.count; ++i) writer.write(block.client, structs[block.first + i], 0);
  }
  return writer.finish(deletes);
}

Result<Bytes> convert_update(ByteView update, Encoding from, Encoding to, const DecodeLimits& limits) {
  DX_TRY(const DecodedUpdate decoded, decode_update(update, from, limits));
  return to == Encoding::V1 ? write_all<OutV1>(decoded) : write_all<OutV2>(decoded);
}

Result<Bytes> merge_updates(std::span<const ByteView> updates, Encoding encoding, const DecodeLimits& limits) {
  return encoding == Encoding::V1 ? merge_with<OutV1>(updates, encoding, limits)
                                  : merge_with<OutV2>(updates, encoding, limits);
}

Result<Bytes> diff_update(ByteView update, Encoding encoding, const StateVector& known, const DecodeLimits& limits) {
  return encoding == Encoding::V1 ? diff_with<OutV1>(update, encoding, known, limits)
                                  : diff_with<OutV2>(update, encoding, known, limits);
}

Result<Bytes> merge_updates_v1(std::span<const ByteView> updates, const DecodeLimits& limits) {
  return merge_updates(updates, Encoding::V1, limits);
}

Result<Bytes> merge_updates_v2(std::span<const ByteView> updates, const DecodeLimits& limits) {
  return merge_updates(updates, Encoding::V2, limits);
}

Result<Bytes> diff_update_v1(ByteView update, const StateVector& known, const DecodeLimits& limits) {
  return diff_update(update, Encoding::V1, known, limits);
}

Result<Bytes> diff_update_v2(ByteView update, const StateVector& known, const DecodeLimits& limits) {
  return diff_update(update, Encoding::V2, known, limits);
}

Result<Bytes> convert_v1_to_v2(ByteView update, const DecodeLimits& limits) {
  return convert_update(update, Encoding::V1, Encoding::V2, limits);
}

Result<Bytes> convert_v2_to_v1(ByteView update, const DecodeLimits& limits) {
  return convert_update(update, Encoding::V2, Encoding::V1, limits);
}

Result<StateVector> state_vector_of_update_v1(ByteView update, const DecodeLimits& limits) {
  return state_vector_of(update, Encoding::V1, limits);
}

Result<StateVector> state_vector_of_update_v2(ByteView update, const DecodeLimits& limits) {
  return state_vector_of(update, Encoding::V2, limits);
}

Result<UpdateSummary> summarize_update_v1(ByteView update, const DecodeLimits& limits) {
  DX_TRY(DecodedUpdate decoded, decode_update(update, Encoding::V1, limits));
  UpdateSummary summary;
  for (const ClientBlock& block : decoded.blocks) {
    bool first = true;
    for (uint32_t i = 0; i < block.count; ++i) {
      const StructView& view = decoded.structs[block.first + i];
      if (view.kind == ContentKind::Skip) continue;
      if (first) summary.starts.set(block.client, Clock{view.clock});
      first = false;
      summary.ends.set(block.client, Clock{view.end()});
      ++summary.structs;
      const bool may_be_text =
          view.kind == ContentKind::String || view.kind == ContentKind::Deleted || view.kind == ContentKind::Gc;
      if (may_be_text) summary.text_units += view.end() - view.clock;
    }
  }
  summary.deletes = std::move(decoded.deletes);
  return summary;
}

Result<void> validate_update_v1(ByteView update, const DecodeLimits& limits) {
  DX_TRY_VOID(decode_update(update, Encoding::V1, limits));
  return {};
}

}  // namespace diaryx::crdt
