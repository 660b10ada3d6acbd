// The structs of a decoded update, in chunks: who integrates them gives each chunk back as soon as it is done, so that a large document
// is not in memory twice. Private to the engine.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "struct_view.h"

namespace diaryx::crdt {

class StructViews {
 public:
  static constexpr size_t kPerChunk = 256;

  StructViews() {}  // not defaulted: `only_` is made when it is needed

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  StructView& operator[](size_t at) { return chunks_.empty() ? only_ : chunks_[at / kPerChunk][at % kPerChunk]; }
  const StructView& operator[](size_t at) const {
    return chunks_.empty() ? only_ : chunks_[at / kPerChunk][at % kPerChunk];
  }
  StructView& back() { return (*this)[size_ - 1]; }

  /// So many are expected in all.
  void expect(size_t size) { expected_ = size; }
  [[gnu::always_inline]] StructView& emplace_back() {
    if (!chunks_.empty() && chunks_.back().size() < kPerChunk) [[likely]] {
      ++size_;
      return chunks_.back().emplace_back();
    }
    return emplace_back_with_growth();
  }
  void pop_back() {
    --size_;
    if (chunks_.empty()) return;
    chunks_.back().pop_back();
    if (chunks_.back().empty()) chunks_.pop_back();
  }
  void clear() {
    chunks_.clear();
    size_ = 0;
  }

  size_t chunk_count() const { return chunks_.size(); }
  /// The structs of one chunk are not needed any more; the others keep their places.
  void free_chunk(size_t chunk) { std::vector<StructView>().swap(chunks_[chunk]); }

 private:
  [[gnu::noinline]] StructView& emplace_back_with_growth() {
    if (size_++ == 0 && chunks_.empty()) return only_ = {};
    if (chunks_.empty()) add_chunk().push_back(only_);
    std::vector<StructView>& last = chunks_.back();
    return last.size() < kPerChunk ? last.emplace_back() : add_chunk().emplace_back();
  }

  std::vector<StructView>& add_chunk() {
    std::vector<StructView>& added = chunks_.emplace_back();
    const size_t before = (chunks_.size() - 1) * kPerChunk;
    added.reserve(expected_ > before ? std::min(expected_ - before, kPerChunk) : 4);
    return added;
  }

  union {
    StructView only_;  // while there is no chunk: most updates are one keystroke
  };
  std::vector<std::vector<StructView>> chunks_;
  size_t size_ = 0;
  size_t expected_ = 0;
};

}  // namespace diaryx::crdt
