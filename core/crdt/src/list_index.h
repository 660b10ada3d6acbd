// Order-statistic index over one list: from a visible unit to its item and back, in O(log n).
//
// A B+-tree over runs of items. A leaf is a run of consecutive items of the list, told by its first item alone: the others follow
// over `Item::right`. Lengths stay in the items; a leaf has their sum, and an inner node knows where each of its children ends.
// 1. Every list item of the type is in exactly one leaf, and `Item::leaf` names it.
// 2. A sum is the sum of what is below; no leaf and no node is empty, except a lone root leaf.
// 3. Slots of a node behind its last child name no child and end nowhere, so that searches may look at all of them without branches,
//    several at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "handles.h"
#include "item.h"
#include "slab.h"

namespace diaryx::crdt {

using ItemSlab = Slab<Item, ItemRef, 8>;

class ListIndex {
 public:
  /// Below this many items a walk is faster than a tree.
  static constexpr uint32_t kWorthIt = 32;

  /// Builds from the list that begins with `start`. Cost: one pass.
  ListIndex(ItemSlab& items, ItemRef start);

  /// `item` was linked right of `left` (None: at the front of the list).
  void insert_after(ItemRef left, ItemRef item);
  /// `right` was split off `left` and linked right of it: the visible length of both together is what `left` had.
  void split(ItemRef left, ItemRef right);
  /// `right` is about to be merged into `left`, which got its length already; `right` still has its own links and length.
  void merge(ItemRef left, ItemRef right);
  /// The visible length of `item` grew by `delta`, modulo 2^32: a negative one shrinks it.
  void grow(ItemRef item, uint32_t delta);

  struct Place {
    ItemRef item;
    uint32_t start;  // visible units left of the item
  };
  /// The item that holds visible unit `unit`, which exists.
  Place find(uint32_t unit) const;
  /// Visible units left of `item`.
  uint32_t start_of(ItemRef item) const;

  uint32_t total() const;
  size_t memory_bytes() const;
  /// Ends the process if 1 or 2 is broken, or the order differs from the list that begins with `start`.
  void check(ItemRef start) const;

 private:
  static constexpr uint32_t kLeafSize = 16;
  static constexpr uint32_t kNodeSize = 16;
  static constexpr uint32_t kNowhere = 0xffffffffu;
  struct Leaf {
    uint32_t parent = 0;  // node
    uint32_t count = 0;
    uint32_t sum = 0;
    ItemRef first = ItemRef::None;
  };
  struct Node {
    uint32_t parent = 0;
    uint32_t count = 0;
    bool above_leaves = true;
    uint32_t children[kNodeSize] = {};
    uint32_t ends[kNodeSize];  // visible units of the node up to the end of the child
    Node() { std::fill_n(ends, kNodeSize, kNowhere); }

    uint32_t sum() const { return count == 0 ? 0 : ends[count - 1]; }
    uint32_t start_of(uint32_t slot) const { return slot == 0 ? 0 : ends[slot - 1]; }
    void append(uint32_t child, uint32_t sum);
    void drop_last();
    void grow(uint32_t slot, uint32_t delta);
    uint32_t slot_of(uint32_t child) const;
    uint32_t slot_at(uint32_t unit) const;
  };

  void build(std::vector<uint32_t> leaves);
  uint32_t leaf_of(ItemRef item) const { return raw(items_[item].leaf); }
  void add_to_sums(uint32_t parent, uint32_t child, uint32_t delta) const;
  void add_to_leaf(uint32_t at, uint32_t delta);
  void flush() const;
  void take_in(uint32_t at, ItemRef item);
  void split_leaf(uint32_t at);
  void remove_leaf(uint32_t at);
  void insert_into_node(uint32_t at, uint32_t after_child, uint32_t child, uint32_t child_sum);
  void remove_from_node(uint32_t at, uint32_t child);
  void set_parent(const Node& node, uint32_t child, uint32_t parent);
  uint32_t new_leaf();
  uint32_t new_node();

  ItemSlab& items_;
  std::vector<Leaf> leaves_;  // index 0 is unused
  mutable std::vector<Node> nodes_;  // index 0 is unused; brought up to date by `flush`
  std::vector<uint32_t> free_leaves_;
  std::vector<uint32_t> free_nodes_;
  uint32_t root_ = 0;  // a node
  uint32_t first_leaf_ = 0;  // the leftmost leaf
  uint32_t item_count_ = 0;
  // Edits near each other change one leaf many times; its difference goes up the tree when another leaf is touched.
  mutable uint32_t pending_leaf_ = 0;
  mutable uint32_t pending_delta_ = 0;  // modulo 2^32, so that it may stand for less
};

}  // namespace diaryx::crdt
