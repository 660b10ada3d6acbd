#include "list_index.h"

#include "diaryx/base/result.h"

namespace diaryx::crdt {

ListIndex::ListIndex(ItemSlab& items, ItemRef start) : items_(items) {
  leaves_.resize(1);
  nodes_.resize(1);
  constexpr uint32_t kFill = kLeafSize * 3 / 4;  // room for the edits to come
  std::vector<std::pair<uint32_t, uint32_t>> level;
  uint32_t at = 0;
  for (ItemRef ref = start; some(ref); ref = items_[ref].right) {
    if (at == 0 || leaves_[at].count == kFill) {
      at = new_leaf();
      level.emplace_back(at, 0);
    }
    Item& item = items_[ref];
    Leaf& into = leaves_[at];
    into.items[into.count] = ref;
    into.lengths[into.count++] = item.visible();
    item.leaf = static_cast<LeafRef>(at);
    level.back().second += item.visible();
    ++item_count_;
  }
  if (level.empty()) level.emplace_back(new_leaf(), 0);
  first_leaf_ = level.front().first;
  build(std::move(level));
}

void ListIndex::build(std::vector<std::pair<uint32_t, uint32_t>> level) {
  constexpr uint32_t kFill = kNodeSize * 3 / 4;
  for (bool above_leaves = true;; above_leaves = false) {
    std::vector<std::pair<uint32_t, uint32_t>> above;
    for (const auto& [child, sum] : level) {
      if (above.empty() || nodes_[above.back().first].count == kFill) {
        above.emplace_back(new_node(), 0);
        nodes_[above.back().first].above_leaves = above_leaves;
      }
      Node& node = nodes_[above.back().first];
      set_parent(node, child, above.back().first);
      node.children[node.count] = child;
      node.sums[node.count++] = sum;
      above.back().second += sum;
    }
    if (above.size() == 1) {
      root_ = above.front().first;
      return;
    }
    level = std::move(above);
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

uint32_t ListIndex::slot_in_leaf(const Leaf& leaf, ItemRef item) const {
  for (uint32_t slot = 0; slot < leaf.count; ++slot) {
    if (leaf.items[slot] == item) return slot;
  }
  DX_ASSERT(false && "an item names a leaf that does not hold it");
  return 0;
}

uint32_t ListIndex::slot_in_node(const Node& node, uint32_t child) const {
  for (uint32_t slot = 0; slot < node.count; ++slot) {
    if (node.children[slot] == child) return slot;
  }
  DX_ASSERT(false && "a child names a parent that does not hold it");
  return 0;
}

void ListIndex::add_to_sums(uint32_t parent, uint32_t child, uint32_t delta) const {
  while (parent != 0) {
    Node& node = nodes_[parent];
    node.sums[slot_in_node(node, child)] += delta;
    child = parent;
    parent = node.parent;
  }
}

void ListIndex::flush() const {
  if (pending_delta_ != 0) add_to_sums(leaves_[pending_leaf_].parent, pending_leaf_, pending_delta_);
  pending_leaf_ = 0;
  pending_delta_ = 0;
}

void ListIndex::set_length(ItemRef item, uint32_t length) {
  const uint32_t at = raw(items_[item].leaf);
  Leaf& in = leaves_[at];
  uint32_t& known = in.lengths[slot_in_leaf(in, item)];
  if (known == length) return;
  if (pending_leaf_ != at) flush();
  pending_leaf_ = at;
  pending_delta_ += length - known;
  known = length;
}

void ListIndex::insert_after(ItemRef left, ItemRef item) {
  uint32_t at = first_leaf_;
  uint32_t slot = 0;
  if (some(left)) {
    at = raw(items_[left].leaf);
    slot = slot_in_leaf(leaves_[at], left) + 1;
  }
  if (leaves_[at].count == kLeafSize) {
    flush();
    const uint32_t right = split_leaf(at);
    if (slot > leaves_[at].count) {
      slot -= leaves_[at].count;
      at = right;
    }
  }
  insert_into_leaf(at, slot, item, items_[item].visible());
  ++item_count_;
}

void ListIndex::insert_into_leaf(uint32_t at, uint32_t slot, ItemRef item, uint32_t length) {
  Leaf& into = leaves_[at];
  for (uint32_t i = into.count; i > slot; --i) {
    into.items[i] = into.items[i - 1];
    into.lengths[i] = into.lengths[i - 1];
  }
  into.items[slot] = item;
  into.lengths[slot] = length;
  ++into.count;
  items_[item].leaf = static_cast<LeafRef>(at);
  if (length == 0) return;
  if (pending_leaf_ != at) flush();
  pending_leaf_ = at;
  pending_delta_ += length;
}

uint32_t ListIndex::split_leaf(uint32_t at) {
  const uint32_t right = new_leaf();
  Leaf& from = leaves_[at];
  Leaf& to = leaves_[right];
  const uint32_t keep = from.count / 2;
  uint32_t left_sum = 0;
  uint32_t right_sum = 0;
  for (uint32_t i = 0; i < keep; ++i) left_sum += from.lengths[i];
  for (uint32_t i = keep; i < from.count; ++i) {
    to.items[to.count] = from.items[i];
    to.lengths[to.count++] = from.lengths[i];
    right_sum += from.lengths[i];
    items_[from.items[i]].leaf = static_cast<LeafRef>(right);
  }
  from.count = keep;
  insert_into_node(from.parent, at, right, left_sum, right_sum);
  return right;
}

void ListIndex::insert_into_node(uint32_t at, uint32_t after_child, uint32_t child, uint32_t left_sum,
                                 uint32_t child_sum) {
  if (nodes_[at].count == kNodeSize) {
    // Split the node first; the child then goes to the half that holds its left neighbour.
    const uint32_t right = new_node();
    Node& from = nodes_[at];
    Node& to = nodes_[right];
    to.above_leaves = from.above_leaves;
    const uint32_t keep = kNodeSize / 2;
    uint32_t from_sum = 0;
    uint32_t to_sum = 0;
    for (uint32_t i = 0; i < keep; ++i) from_sum += from.sums[i];
    for (uint32_t i = keep; i < kNodeSize; ++i) {
      to.children[to.count] = from.children[i];
      to.sums[to.count++] = from.sums[i];
      to_sum += from.sums[i];
      set_parent(to, from.children[i], right);
    }
    from.count = keep;
    if (from.parent == 0) {
      const uint32_t above = new_node();
      Node& top = nodes_[above];
      top.above_leaves = false;
      top.children[0] = at;
      top.sums[0] = from_sum + to_sum;
      top.count = 1;
      nodes_[at].parent = above;
      root_ = above;
    }
    insert_into_node(nodes_[at].parent, at, right, from_sum, to_sum);
    const Node& left_half = nodes_[at];
    bool in_left = false;
    for (uint32_t i = 0; i < left_half.count; ++i) in_left = in_left || left_half.children[i] == after_child;
    if (!in_left) at = right;
  }
  Node& into = nodes_[at];
  const uint32_t slot = slot_in_node(into, after_child);
  into.sums[slot] = left_sum;
  for (uint32_t i = into.count; i > slot + 1; --i) {
    into.children[i] = into.children[i - 1];
    into.sums[i] = into.sums[i - 1];
  }
  into.children[slot + 1] = child;
  into.sums[slot + 1] = child_sum;
  ++into.count;
  set_parent(into, child, at);
}

void ListIndex::remove(ItemRef item) {
  set_length(item, 0);
  const uint32_t at = raw(items_[item].leaf);
  Leaf& from = leaves_[at];
  const uint32_t slot = slot_in_leaf(from, item);
  for (uint32_t i = slot; i + 1 < from.count; ++i) {
    from.items[i] = from.items[i + 1];
    from.lengths[i] = from.lengths[i + 1];
  }
  --from.count;
  --item_count_;
  items_[item].leaf = LeafRef::None;
  if (from.count == 0 && item_count_ > 0) {
    flush();
    remove_from_node(from.parent, at);
    free_leaves_.push_back(at);
    if (first_leaf_ != at) return;
    uint32_t node = root_;
    while (!nodes_[node].above_leaves) node = nodes_[node].children[0];
    first_leaf_ = nodes_[node].children[0];
  }
}

void ListIndex::remove_from_node(uint32_t at, uint32_t child) {
  Node& from = nodes_[at];
  const uint32_t slot = slot_in_node(from, child);
  for (uint32_t i = slot; i + 1 < from.count; ++i) {
    from.children[i] = from.children[i + 1];
    from.sums[i] = from.sums[i + 1];
  }
  --from.count;
  if (from.count == 0 && from.parent != 0) {
    remove_from_node(from.parent, at);
    free_nodes_.push_back(at);
  }
}

ListIndex::Place ListIndex::find(uint32_t unit) const {
  flush();
  uint32_t start = 0;
  uint32_t at = root_;
  for (;;) {
    const Node& node = nodes_[at];
    uint32_t slot = 0;
    while (unit - start >= node.sums[slot]) {
      start += node.sums[slot++];
      DX_ASSERT(slot < node.count);
    }
    at = node.children[slot];
    if (node.above_leaves) break;
  }
  const Leaf& in = leaves_[at];
  uint32_t slot = 0;
  while (unit - start >= in.lengths[slot]) {
    start += in.lengths[slot++];
    DX_ASSERT(slot < in.count);
  }
  return {in.items[slot], start};
}

uint32_t ListIndex::start_of(ItemRef item) const {
  flush();
  uint32_t child = raw(items_[item].leaf);
  const Leaf& in = leaves_[child];
  uint32_t start = 0;
  for (uint32_t slot = slot_in_leaf(in, item); slot > 0; --slot) start += in.lengths[slot - 1];
  for (uint32_t at = in.parent; at != 0; child = at, at = nodes_[at].parent) {
    const Node& node = nodes_[at];
    for (uint32_t slot = slot_in_node(node, child); slot > 0; --slot) start += node.sums[slot - 1];
  }
  return start;
}

uint32_t ListIndex::total() const {
  flush();
  uint32_t sum = 0;
  for (uint32_t slot = 0; slot < nodes_[root_].count; ++slot) sum += nodes_[root_].sums[slot];
  return sum;
}

size_t ListIndex::memory_bytes() const {
  return leaves_.capacity() * sizeof(Leaf) + nodes_.capacity() * sizeof(Node) +
         (free_leaves_.capacity() + free_nodes_.capacity()) * 4;
}

void ListIndex::check(ItemRef start) const {
  flush();
  uint32_t count = 0;
  uint32_t sum = 0;
  for (ItemRef ref = start; some(ref); ref = items_[ref].right, ++count) {
    const Item& item = items_[ref];
    const Leaf& in = leaves_[raw(item.leaf)];
    DX_ASSERT(in.lengths[slot_in_leaf(in, ref)] == item.visible());
    DX_ASSERT(start_of(ref) == sum);
    if (item.visible() > 0) DX_ASSERT(find(sum).item == ref);
    sum += item.visible();
  }
  DX_ASSERT(count == item_count_ && sum == total());
}

}  // namespace diaryx::crdt
