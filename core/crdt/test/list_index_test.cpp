#include "list_index.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace diaryx::crdt {
namespace {

/// A list with its index, and the slow truth beside it.
class IndexedList {
 public:
  explicit IndexedList(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) order_.push_back(make(i % 4));
    relink();
    index_ = std::make_unique<ListIndex>(items_, start());
  }

  void insert(size_t at, uint32_t length) {
    const ItemRef left = at == 0 ? ItemRef::None : order_[at - 1];
    const ItemRef made = make(length);
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(at), made);
    relink();
    index_->insert_after(left, made);
  }
  /// Merges the item at `at` (above 0) into the one before it; only what is visible is merged with what is visible.
  void merge(size_t at) {
    const ItemRef left = order_[at - 1];
    const ItemRef right = order_[at];
    Item& into = items_[left];
    if (into.deleted() != items_[right].deleted()) return;
    into.length += items_[right].length;
    into.right = items_[right].right;
    index_->merge(left, right);
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(at));
    relink();
  }
  void split(size_t at, uint32_t length) {
    Item& left = items_[order_[at]];
    if (length == 0 || length >= left.length || left.deleted()) return;
    const ItemRef right = make(left.length - length);
    left.length = length;
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(at) + 1, right);
    relink();
    index_->split(order_[at], right);
  }
  void resize(size_t at, uint32_t length) {
    const uint32_t before = items_[order_[at]].visible();
    set_visible(order_[at], length);
    index_->grow(order_[at], length - before);
  }
  size_t size() const { return order_.size(); }
  void check() const { index_->check(start()); }

 private:
  ItemRef start() const { return order_.empty() ? ItemRef::None : order_.front(); }
  ItemRef make(uint32_t length) {
    const ItemRef made = items_.add().handle;
    items_[made].kind = ContentKind::String;
    set_visible(made, length);
    return made;
  }
  void set_visible(ItemRef ref, uint32_t length) {
    items_[ref].length = length == 0 ? 1 : length;
    items_[ref].flags = length == 0 ? Item::kDeleted : 0;
  }
  void relink() {
    for (size_t i = 0; i < order_.size(); ++i) {
      items_[order_[i]].left = i == 0 ? ItemRef::None : order_[i - 1];
      items_[order_[i]].right = i + 1 == order_.size() ? ItemRef::None : order_[i + 1];
    }
  }

  ItemSlab items_;
  std::vector<ItemRef> order_;
  std::unique_ptr<ListIndex> index_;
};

TEST(ListIndex, AgreesWithTheListAfterAnyEdits) {
  for (const uint32_t seed : {1u, 2u, 3u, 4u}) {
    std::mt19937 random(seed);
    IndexedList list(seed * 300);
    list.check();
    for (int step = 0; step < 3000; ++step) {
      const size_t at = list.size() == 0 ? 0 : random() % list.size();
      const uint32_t kind = random() % 8;
      if (kind < 4 || list.size() == 0) {
        list.insert(at, random() % 5);
      } else if (kind < 5) {
        list.split(at, random() % 5);
      } else if (kind < 7) {
        if (at > 0) list.merge(at);
      } else {
        list.resize(at, random() % 5);
      }
      if (step % 500 == 0) list.check();
    }
    list.check();
    for (size_t at = 0; at < list.size(); ++at) list.resize(at, 3);
    while (list.size() > 1) list.merge(1 + random() % (list.size() - 1));
    list.check();
    list.insert(0, 3);
    list.check();
  }
}

}  // namespace
}  // namespace diaryx::crdt
