#include "list_index.h"

#include <bit>

#include "diaryx/base/result.h"

namespace diaryx::crdt {

ListIndex::ListIndex(ItemSlab& items, ItemRef start) : items_(items) {
  leaves_.resize(1);
  nodes_.resize(1);
  constexpr uint32_t kFill = kLeafSize * 3 / 4;  // room for the edits to come
  std::vector<uint32_t> level;
  for (ItemRef ref = start; some(ref); ref = items_[ref].right) {
    if (level.empty() || leaves_.back().count == kFill) {
      level.push_back(new_leaf());
      leaves_.back().first = ref;
    }
    Item& item = items_[ref];
    Leaf& into = leaves_.back();
    ++into.count;
    into.sum += item.visible();
    item.leaf = static_cast<LeafRef>(level.back());
    ++item_count_;
  }
  if (level.empty()) level.push_back(new_leaf());
  first_leaf_ = level.front();
  build(std::move(level));
}

void ListIndex::build(std::vector<uint32_t> level) {
  constexpr uint32_t kFill = kNodeSize * 3 / 4;
  std::vector<uint32_t> sums;
  for (const uint32_t at : level) sums.push_back(leaves_[at].sum);
  for (bool above_leaves = true;; above_leaves = false) {
    std::vector<uint32_t> above;
    std::vector<uint32_t> sums_above;
    for (size_t i = 0; i < level.size(); ++i) {
      if (above.empty() || nodes_[above.back()].count == kFill) {
        above.push_back(new_node());
        sums_above.push_back(0);
        nodes_[above.back()].above_leaves = above_leaves;
      }
      Node& node = nodes_[above.back()];
      set_parent(node, level[i], above.back());
      node.append(level[i], sums[i]);
      sums_above.back() += sums[i];
    }
    if (above.size() == 1) {
      root_ = above.front();
      return;
    }
    level = std::move(above);
    sums = std::move(sums_above);
  }
}

uint32_t ListIndex::new_leaf() {
  if (!free_leaves_.empty()) {
    const uint32_t at = free_leaves_.back();
    free_leaves_.pop_back();
    leaves_[at] = Leaf{};
    return at;
  }
  leaves_.emplace_back();
  return static_cast<uint32_t>(leaves_.size() - 1);
}

uint32_t ListIndex::new_node() {
  if (!free_nodes_.empty()) {
    const uint32_t at = free_nodes_.back();
    free_nodes_.pop_back();
    nodes_[at] = Node{};
    return at;
  }
  nodes_.emplace_back();
  return static_cast<uint32_t>(nodes_.size() - 1);
}

void ListIndex::set_parent(const Node& node, uint32_t child, uint32_t parent) {
  if (node.above_leaves) {
    leaves_[child].parent = parent;
  } else {
    nodes_[child].parent = parent;
  }
}

void ListIndex::Node::append(uint32_t child, uint32_t sum) {
  const uint32_t end = this->sum() + sum;
  children[count] = child;
  ends[count++] = end;
}

void ListIndex::Node::drop_last() {
  children[--count] = 0;
  ends[count] = kNowhere;
}

// What follows looks at every slot, which costs less than a branch that nobody can predict.

void ListIndex::Node::grow(uint32_t slot, uint32_t delta) {
  for (uint32_t i = 0; i < kNodeSize; ++i) ends[i] += i >= slot && i < count ? delta : 0;
}

uint32_t ListIndex::Node::slot_of(uint32_t child) const {
  uint32_t found = 0;  // a bit for each slot
  for (uint32_t i = 0; i < kNodeSize; ++i) found |= uint32_t{children[i] == child} << i;
  const auto slot = static_cast<uint32_t>(std::countr_zero(found));
  DX_ASSERT(slot < count);
  return slot;
}

/// The child that holds `unit`, which is below the sum.
uint32_t ListIndex::Node::slot_at(uint32_t unit) const {
  uint32_t slot = 0;
  for (const uint32_t end : ends) slot += end <= unit ? 1 : 0;
  DX_ASSERT(slot < count);
  return slot;
}

void ListIndex::add_to_sums(uint32_t parent, uint32_t child, uint32_t delta) const {
  while (parent != 0) {
    Node& node = nodes_[parent];
    node.grow(node.slot_of(child), delta);
    child = parent;
    parent = node.parent;
  }
}

void ListIndex::flush() const {
  if (pending_delta_ != 0) add_to_sums(leaves_[pending_leaf_].parent, pending_leaf_, pending_delta_);
  pending_leaf_ = 0;
  pending_delta_ = 0;
}

void ListIndex::add_to_leaf(uint32_t at, uint32_t delta) {
  if (delta == 0) return;
  if (pending_leaf_ != at) flush();
  pending_leaf_ = at;
  pending_delta_ += delta;
  leaves_[at].sum += delta;
}

void ListIndex::grow(ItemRef item, uint32_t delta) { add_to_leaf(leaf_of(item), delta); }

void ListIndex::insert_after(ItemRef left, ItemRef item) {
  const uint32_t at = some(left) ? leaf_of(left) : first_leaf_;
  if (!some(left) || leaves_[at].count == 0) leaves_[at].first = item;
  add_to_leaf(at, items_[item].visible());
  take_in(at, item);
}

void ListIndex::split(ItemRef left, ItemRef right) { take_in(leaf_of(left), right); }

/// `item` is linked among the items of the leaf, and its length is in the sum.
void ListIndex::take_in(uint32_t at, ItemRef item) {
  items_[item].leaf = static_cast<LeafRef>(at);
  ++item_count_;
  if (++leaves_[at].count > kLeafSize) split_leaf(at);
}

void ListIndex::split_leaf(uint32_t at) {
  flush();
  const uint32_t right = new_leaf();
  Leaf& from = leaves_[at];
  Leaf& into = leaves_[right];
  const uint32_t kept = from.count / 2;
  ItemRef ref = from.first;
  uint32_t left_sum = 0;
  for (uint32_t i = 0; i < kept; ++i) {
    left_sum += items_[ref].visible();
    ref = items_[ref].right;
  }
  into.first = ref;
  into.count = from.count - kept;
  into.sum = from.sum - left_sum;
  from.count = kept;
  from.sum = left_sum;
  for (uint32_t i = 0; i < into.count; ++i) {
    items_[ref].leaf = static_cast<LeafRef>(right);
    ref = items_[ref].right;
  }
  insert_into_node(from.parent, at, right, into.sum);
}

/// `child` took the last `child_sum` units of `after_child` over.
void ListIndex::insert_into_node(uint32_t at, uint32_t after_child, uint32_t child, uint32_t child_sum) {
  if (nodes_[at].count == kNodeSize) {
    // Split the node first; the child then goes to the half that holds its left neighbour.
    const uint32_t right = new_node();
    Node& from = nodes_[at];
    Node& to = nodes_[right];
    to.above_leaves = from.above_leaves;
    constexpr uint32_t kKept = kNodeSize / 2;
    const bool in_left = from.slot_of(after_child) < kKept;
    for (uint32_t i = kKept; i < kNodeSize; ++i) {
      to.append(from.children[i], from.ends[i] - from.ends[i - 1]);
      set_parent(to, from.children[i], right);
    }
    const uint32_t to_sum = to.sum();
    if (from.parent == 0) {
      const uint32_t whole = from.sum();
      const uint32_t above = new_node();
      Node& top = nodes_[above];
      top.above_leaves = false;
      top.append(at, whole);
      nodes_[at].parent = above;
      root_ = above;
    }
    while (nodes_[at].count > kKept) nodes_[at].drop_last();
    insert_into_node(nodes_[at].parent, at, right, to_sum);
    if (!in_left) at = right;
  }
  Node& into = nodes_[at];
  const uint32_t slot = into.slot_of(after_child);
  for (uint32_t i = into.count; i > slot + 1; --i) into.children[i] = into.children[i - 1];
  for (uint32_t i = into.count; i > slot; --i) into.ends[i] = into.ends[i - 1];
  into.children[slot + 1] = child;
  into.ends[slot] -= child_sum;
  ++into.count;
  set_parent(into, child, at);
}

void ListIndex::merge(ItemRef left, ItemRef right) {
  const uint32_t from = leaf_of(right);
  if (const uint32_t into = leaf_of(left); into != from) {
    const uint32_t moved = items_[right].visible();
    add_to_leaf(from, 0u - moved);
    add_to_leaf(into, moved);
  }
  Leaf& leaf = leaves_[from];
  if (leaf.first == right) leaf.first = items_[right].right;
  items_[right].leaf = LeafRef::None;
  --item_count_;
  if (--leaf.count == 0 && item_count_ > 0) remove_leaf(from);
}

void ListIndex::remove_leaf(uint32_t at) {
  flush();
  remove_from_node(leaves_[at].parent, at);
  free_leaves_.push_back(at);
  if (first_leaf_ != at) return;
  uint32_t node = root_;
  while (!nodes_[node].above_leaves) node = nodes_[node].children[0];
  first_leaf_ = nodes_[node].children[0];
}

/// The child holds no unit any more.
void ListIndex::remove_from_node(uint32_t at, uint32_t child) {
  Node& from = nodes_[at];
  const uint32_t slot = from.slot_of(child);
  DX_ASSERT(from.ends[slot] == from.start_of(slot));
  for (uint32_t i = slot; i + 1 < from.count; ++i) {
    from.children[i] = from.children[i + 1];
    from.ends[i] = from.ends[i + 1];
  }
  from.drop_last();
  if (from.count == 0 && from.parent != 0) {
    remove_from_node(from.parent, at);
    free_nodes_.push_back(at);
  }
}

ListIndex::Place ListIndex::find(uint32_t unit) const {
  flush();
  uint32_t start = 0;
  uint32_t at = root_;
  for (bool above_leaves = false; !above_leaves;) {
    const Node& node = nodes_[at];
    const uint32_t slot = node.slot_at(unit - start);
    start += node.start_of(slot);
    at = node.children[slot];
    above_leaves = node.above_leaves;
  }
  DX_ASSERT(unit - start < leaves_[at].sum);
  ItemRef ref = leaves_[at].first;
  for (uint32_t visible; unit - start >= (visible = items_[ref].visible()); ref = items_[ref].right) start += visible;
  return {ref, start};
}

uint32_t ListIndex::start_of(ItemRef item) const {
  flush();
  uint32_t child = leaf_of(item);
  uint32_t start = 0;
  for (ItemRef ref = item; ref != leaves_[child].first;) {
    ref = items_[ref].left;
    start += items_[ref].visible();
  }
  for (uint32_t at = leaves_[child].parent; at != 0; child = at, at = nodes_[at].parent) {
    start += nodes_[at].start_of(nodes_[at].slot_of(child));
  }
  return start;
}

uint32_t ListIndex::total() const {
  flush();
  return nodes_[root_].sum();
}

size_t ListIndex::memory_bytes() const {
  return leaves_.capacity() * sizeof(Leaf) + nodes_.capacity() * sizeof(Node) +
         (free_leaves_.capacity() + free_nodes_.capacity()) * 4;
}

void ListIndex::check(ItemRef start) const {
  flush();
  uint32_t count = 0;
  uint32_t sum = 0;
  for (ItemRef ref = start; some(ref);) {
    const uint32_t at = leaf_of(ref);
    DX_ASSERT(leaves_[at].first == ref && leaves_[at].count > 0 && leaves_[at].count <= kLeafSize);
    uint32_t in_leaf = 0;
    for (uint32_t i = 0; i < leaves_[at].count; ++i, ref = items_[ref].right) {
      const Item& item = items_[ref];
      DX_ASSERT(leaf_of(ref) == at);
      DX_ASSERT(start_of(ref) == sum + in_leaf);
      if (item.visible() > 0) DX_ASSERT(find(sum + in_leaf).item == ref);
      in_leaf += item.visible();
    }
    DX_ASSERT(in_leaf == leaves_[at].sum);
    count += leaves_[at].count;
    sum += in_leaf;
  }
  DX_ASSERT(count == item_count_ && sum == total());
}

}  // namespace diaryx::crdt
