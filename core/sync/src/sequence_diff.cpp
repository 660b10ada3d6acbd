#include "sequence_diff.h"

#include <algorithm>
#include <cstddef>

namespace diaryx::sync {
namespace {

// The search looks for a point in the middle of a shortest path through the edit graph, cuts the box there and looks
// at both halves. When the two sides are too different, it cuts at the furthest point reached so far instead: every
// such cut leaves at least `cost_cap` symbols behind, so the whole work stays near (N + M) * cost_cap steps.
constexpr uint64_t kStepBudget = 50'000'000;
constexpr uint64_t kSmallestCap = 16;
constexpr uint64_t kLargestCap = 1024;

constexpr int64_t kUnreached = -1;

// One side of the edit graph: x runs over the old sequence, y over the new one; diagonal = x - y.
struct Box {
  int64_t x0, x1, y0, y1;

  int64_t width() const { return x1 - x0; }
  int64_t height() const { return y1 - y0; }
};

struct Point {
  int64_t x, y;
};

class Search {
 public:
  Search(std::span<const uint32_t> before, std::span<const uint32_t> after)
      : before_(before), after_(after), old_changed_(before.size(), 0), new_changed_(after.size(), 0) {
    const uint64_t total = std::max<uint64_t>(1, before.size() + after.size());
    cost_cap_ = int64_t(std::min(std::clamp(kStepBudget / total, kSmallestCap, kLargestCap), total));
    forward_.resize(size_t(2 * cost_cap_ + 3));
    backward_.resize(size_t(2 * cost_cap_ + 3));
  }

  void run() {
    std::vector<Box> boxes{{0, int64_t(before_.size()), 0, int64_t(after_.size())}};
    while (!boxes.empty()) {
      Box box = boxes.back();
      boxes.pop_back();
      trim(box);
      if (box.width() == 0 || box.height() == 0) {
        mark_all(box);
        continue;
      }
      const Point cut = find_cut(box);
      const bool at_a_corner = (cut.x == box.x0 && cut.y == box.y0) || (cut.x == box.x1 && cut.y == box.y1);
      if (at_a_corner) {  // nothing in common at all
        mark_all(box);
        continue;
      }
      boxes.push_back({box.x0, cut.x, box.y0, cut.y});
      boxes.push_back({cut.x, box.x1, cut.y, box.y1});
    }
  }

  const std::vector<uint8_t>& old_changed() const { return old_changed_; }
  const std::vector<uint8_t>& new_changed() const { return new_changed_; }

 private:
  bool same(int64_t x, int64_t y) const { return before_[size_t(x)] == after_[size_t(y)]; }

  void trim(Box& box) const {
    while (box.x0 < box.x1 && box.y0 < box.y1 && same(box.x0, box.y0)) ++box.x0, ++box.y0;
    while (box.x0 < box.x1 && box.y0 < box.y1 && same(box.x1 - 1, box.y1 - 1)) --box.x1, --box.y1;
  }

  void mark_all(const Box& box) {
    std::fill_n(old_changed_.data() + size_t(box.x0), size_t(box.x1 - box.x0), uint8_t{1});
    std::fill_n(new_changed_.data() + size_t(box.y0), size_t(box.y1 - box.y0), uint8_t{1});
  }

  // Furthest x on a diagonal counted from the start corner (forward) or back from the end corner (backward);
  // `k` is the diagonal relative to that corner, at most cost_cap_ + 1 away.
  int64_t& forward(int64_t k) { return forward_[size_t(k + cost_cap_ + 1)]; }
  int64_t& backward(int64_t k) { return backward_[size_t(k + cost_cap_ + 1)]; }

  Point find_cut(const Box& box) {
    // Both searches count in steps from their own corner, so that one piece of reasoning covers both.
    const int64_t delta = box.width() - box.height();
    Point furthest{box.x0, box.y0};
    for (int64_t cost = 0; cost <= cost_cap_; ++cost) {
      // Diagonals outside the box are never walked; those inside have the parity of `cost`.
      int64_t lowest = -std::min(cost, box.height());
      int64_t highest = std::min(cost, box.width());
      if (((lowest + cost) & 1) != 0) ++lowest;
      if (((highest + cost) & 1) != 0) --highest;
      for (int64_t k = lowest; k <= highest; k += 2) {
        int64_t at = forward(k) = step(forward_, k, cost, box);
        if (at == kUnreached) continue;
        while (at < box.width() && at - k < box.height() && same(box.x0 + at, box.y0 + at - k)) ++at;
        forward(k) = at;
        if (at + at - k > furthest.x - box.x0 + furthest.y - box.y0) furthest = {box.x0 + at, box.y0 + at - k};
        // The backward search walks diagonals numbered from the end corner: k forward is delta - k backward.
        const int64_t mirror = delta - k;
        if (mirror >= -(cost - 1) && mirror <= cost - 1 && ((mirror + cost - 1) & 1) == 0 &&
            backward(mirror) != kUnreached && at + backward(mirror) >= box.width())
          return {box.x0 + at, box.y0 + at - k};
      }
      for (int64_t k = lowest; k <= highest; k += 2) {
        int64_t at = backward(k) = step(backward_, k, cost, box);
        if (at == kUnreached) continue;
        while (at < box.width() && at - k < box.height() && same(box.x1 - 1 - at, box.y1 - 1 - (at - k))) ++at;
        backward(k) = at;
        const int64_t mirror = delta - k;
        if (mirror >= -cost && mirror <= cost && ((mirror + cost) & 1) == 0 && forward(mirror) != kUnreached &&
            at + forward(mirror) >= box.width())
          return {box.x1 - at, box.y1 - (at - k)};
      }
    }
    return furthest;
  }

  // The furthest place on diagonal `k` that one more step (a deletion or an insertion) can reach.
  int64_t step(const std::vector<int64_t>& reached, int64_t k, int64_t cost, const Box& box) const {
    if (cost == 0) return 0;
    const auto at = [&](int64_t diagonal) { return reached[size_t(diagonal + cost_cap_ + 1)]; };
    int64_t best = kUnreached;
    const bool from_left = k > -cost && k - 1 >= -box.height();
    const bool from_above = k < cost && k + 1 <= box.width();
    if (from_left && at(k - 1) != kUnreached && at(k - 1) < box.width()) best = at(k - 1) + 1;
    if (from_above && at(k + 1) != kUnreached && at(k + 1) - k <= box.height()) best = std::max(best, at(k + 1));
    return best;
  }

  std::span<const uint32_t> before_;
  std::span<const uint32_t> after_;
  std::vector<uint8_t> old_changed_;
  std::vector<uint8_t> new_changed_;
  std::vector<int64_t> forward_;
  std::vector<int64_t> backward_;
  int64_t cost_cap_ = 0;
};

// Symbols that the other side lacks are changed for certain. Taking them out first makes the common hard case, two
// texts with little in common, cheap.
struct Kept {
  std::vector<uint32_t> symbols;
  std::vector<uint32_t> positions;
};

Kept keep_shared(std::span<const uint32_t> sequence, const std::vector<uint8_t>& in_other) {
  Kept kept;
  for (size_t i = 0; i < sequence.size(); ++i) {
    if (!in_other[sequence[i]]) continue;
    kept.symbols.push_back(sequence[i]);
    kept.positions.push_back(uint32_t(i));
  }
  return kept;
}

std::vector<uint8_t> spread(const Kept& kept, const std::vector<uint8_t>& changed, size_t size) {
  std::vector<uint8_t> all(size, 1);
  for (size_t i = 0; i < kept.positions.size(); ++i) all[kept.positions[i]] = changed[i];
  return all;
}

std::vector<ChangedRange> collect(const std::vector<uint8_t>& old_changed, const std::vector<uint8_t>& new_changed) {
  std::vector<ChangedRange> ranges;
  uint32_t x = 0, y = 0;
  while (x < old_changed.size() || y < new_changed.size()) {
    ChangedRange range{x, x, y, y};
    while (range.old_end < old_changed.size() && old_changed[range.old_end]) ++range.old_end;
    while (range.new_end < new_changed.size() && new_changed[range.new_end]) ++range.new_end;
    x = range.old_end;
    y = range.new_end;
    if (range.old_begin != range.old_end || range.new_begin != range.new_end)
      ranges.push_back(range);
    else
      ++x, ++y;  // an equal pair: unchanged symbols are matched one to one, in order
  }
  return ranges;
}

}  // namespace

std::vector<ChangedRange> diff_sequences(std::span<const uint32_t> before, std::span<const uint32_t> after,
                                         uint32_t symbol_count) {
  std::vector<uint8_t> in_before(symbol_count, 0), in_after(symbol_count, 0);
  for (const uint32_t symbol : before) in_before[symbol] = 1;
  for (const uint32_t symbol : after) in_after[symbol] = 1;
  const Kept old_kept = keep_shared(before, in_after);
  const Kept new_kept = keep_shared(after, in_before);
  Search search(old_kept.symbols, new_kept.symbols);
  search.run();
  return collect(spread(old_kept, search.old_changed(), before.size()),
                 spread(new_kept, search.new_changed(), after.size()));
}

}  // namespace diaryx::sync
