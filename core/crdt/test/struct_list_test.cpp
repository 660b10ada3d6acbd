#include "struct_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace diaryx::crdt {
namespace {

/// The list, and the slow truth beside it: where each struct begins and its name.
class ListedStructs {
 public:
  void append(uint32_t length) {
    truth_.push_back({end_, next_});
    tested_.append(ItemRef{next_++}, length);
    end_ += length;
  }
  /// Splits a struct at the middle of its units, if it has two.
  void split(size_t at) {
    const uint32_t begin = truth_[at].clock;
    const uint32_t length = (at + 1 < truth_.size() ? truth_[at + 1].clock : end_) - begin;
    if (length < 2) return;
    const uint32_t border = begin + length / 2;
    truth_.insert(truth_.begin() + static_cast<std::ptrdiff_t>(at) + 1, {border, next_});
    const StructList::Place made = tested_.insert_after(place(at), ItemRef{next_}, border);
    EXPECT_EQ(tested_.ref(made), ItemRef{next_++});
  }
  void erase(size_t at, size_t count) {
    tested_.erase(place(at), count);
    const auto from = truth_.begin() + static_cast<std::ptrdiff_t>(at);
    truth_.erase(from, from + static_cast<std::ptrdiff_t>(count));
  }
  /// A struct takes units of the one before it.
  void move_border(size_t at) {
    const uint32_t clock = truth_[at].clock - (truth_[at].clock - truth_[at - 1].clock) / 2;
    tested_.move_border(place(at), clock);
    truth_[at].clock = clock;
  }
  /// From `first` on, each struct whose name a number divides goes into the one before it.
  void compact(size_t first, uint32_t divisor) {
    tested_.compact(place(first), [&](ItemRef, ItemRef right) { return static_cast<uint32_t>(right) % divisor == 0; });
    const auto from = truth_.begin() + static_cast<std::ptrdiff_t>(first);
    truth_.erase(std::remove_if(from, truth_.end(), [&](const Entry& entry) { return entry.name % divisor == 0; }),
                 truth_.end());
  }
  size_t size() const { return truth_.size(); }

  void check_all() const {
    ASSERT_EQ(tested_.size(), truth_.size());
    ASSERT_EQ(tested_.state(), end_);
    StructList::Place at = tested_.first_place();
    for (size_t i = 0; i < truth_.size(); ++i, at = tested_.after(at)) {
      ASSERT_TRUE(tested_.has(at));
      ASSERT_EQ(tested_.clock(at), truth_[i].clock);
      ASSERT_EQ(tested_.ref(at), ItemRef{truth_[i].name});
      ASSERT_EQ(tested_.count_from(at), truth_.size() - i);
      ASSERT_EQ(tested_.is_first(at), i == 0);
      ASSERT_EQ(tested_.is_last(at), i + 1 == truth_.size());
      if (i > 0) ASSERT_EQ(tested_.after(tested_.before(at)), at);
    }
    ASSERT_FALSE(tested_.has(at));
  }
  /// `find` remembers its last answer, so the order of questions matters.
  void check_find(uint32_t clock) const {
    size_t expected = 0;
    while (expected + 1 < truth_.size() && truth_[expected + 1].clock <= clock) ++expected;
    ASSERT_EQ(tested_.ref(tested_.find(clock)), ItemRef{truth_[expected].name}) << "clock " << clock;
    const size_t before = expected - std::min<size_t>(expected, clock % 16);  // within the few steps, and beyond
    ASSERT_EQ(tested_.find_behind(place(before), clock), tested_.find(clock)) << "clock " << clock;
  }
  uint32_t end() const { return end_; }

 private:
  struct Entry {
    uint32_t clock;
    uint32_t name;
  };
  StructList::Place place(size_t at) const { return tested_.find(truth_[at].clock); }

  StructList tested_;
  std::vector<Entry> truth_;
  uint32_t end_ = 0;
  uint32_t next_ = 1;
};

TEST(StructList, FindsWhatAWalkFinds) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](size_t limit) { return static_cast<uint32_t>(random() % limit); };
    ListedStructs list;
    // Some histories are mostly loaded, some mostly edited.
    const uint32_t longest = seed % 2 == 0 ? 300 : 5;
    const uint32_t edits_in_10 = 1 + seed % 9;
    for (int step = 0; step < 1500; ++step) {
      if (list.size() < 2 || below(10) >= edits_in_10) {
        list.append(1 + below(longest));
      } else if (const uint32_t edit = below(100); edit < 60) {
        list.split(below(list.size()));
      } else {
        const size_t at = 1 + below(list.size() - 1);
        if (edit < 85) {
          list.erase(at, 1 + below(std::min<size_t>(list.size() - at, 3)));
        } else if (edit < 98) {
          list.move_border(at);
        } else if (edit < 99) {
          list.erase(at, 1 + below(list.size() - at));
        } else {
          list.compact(at, 2 + below(5));
        }
      }
      for (int question = 0; question < 3; ++question) list.check_find(below(list.end()));
      if (step % 50 == 0) list.check_all();
      if (HasFatalFailure()) return;
    }
    list.check_all();
  }
}

}  // namespace
}  // namespace diaryx::crdt
