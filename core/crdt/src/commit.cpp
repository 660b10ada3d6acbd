// The end of a transaction: what changed, what may be collected, what merges, and the update bytes.
//
// Source: Yjs 13.6 src/utils/Transaction.js (`cleanupTransactions`); docs/protocol.md.
#include <algorithm>

#include "diaryx/base/sort.h"
#include "undo_state.h"

namespace diaryx::crdt {

void Store::begin(TransactionOrigin origin, std::string_view tag) {
  DX_ASSERT(!open_);
  open_ = true;
  origin_ = origin;
  if (!tag.empty() || !tag_.empty()) tag_ = tag;
  collects_at_once_ = options_.gc == Gc::Enabled && last_manager_ == 0;
  unsettled_ = false;
  joins_new_ = false;
  joins_deleted_ = false;
  ++epoch_;
  touched_.clear();
  deleted_.clear();
  garbage_.clear();
  merge_candidates_.clear();
  joinable_.clear();
  changes_.clear();
  as_came_ = nullptr;
}

/// A document that was loaded keeps no lists as long as itself.
void Store::forget_long_lists() {
  constexpr size_t kWorthKeeping = 64;
  const auto forget = [](auto& list) {
    if (list.capacity() > kWorthKeeping) std::remove_reference_t<decltype(list)>().swap(list);
  };
  forget(deleted_);
  forget(garbage_);
  forget(merge_candidates_);
  forget(joinable_);
}

namespace {

/// Sorts by merging what is in order already, two runs at a time: a deletion goes along a list, where what was typed in a row stands in a
/// row. Cost: a pass for each halving of the number of runs, and as much memory again.
template <typename Element, typename Less>
void merge_runs(std::vector<Element>& elements, Less goes_before) {
  const auto end_of_run = [&](auto at) { return std::is_sorted_until(at, elements.end(), goes_before); };
  if (end_of_run(elements.begin()) == elements.end()) return;
  std::vector<Element> merged(elements.size());
  for (size_t pairs = 2; pairs > 1; elements.swap(merged)) {
    pairs = 0;
    auto out = merged.begin();
    for (auto left = elements.begin(); left != elements.end(); ++pairs) {
      const auto middle = end_of_run(left);
      const auto end = end_of_run(middle);
      auto right = middle;
      while (left != middle && right != end) *out++ = goes_before(*right, *left) ? *right++ : *left++;
      out = std::copy(left, middle, out);
      out = std::copy(right, end, out);
      left = end;
    }
  }
}

}  // namespace

/// Sorts and joins the deleted ranges; clients stay in the order of their first deletion.
void Store::sort_deleted() {
  for (size_t i = deleted_.size(); i-- > 0;) {
    clients_[raw(deleted_[i].client)].first_deleted = static_cast<uint32_t>(i);
  }
  const auto goes_before = [this](const Deleted& a, const Deleted& b) {
    if (a.client == b.client) return a.clock < b.clock;
    return clients_[raw(a.client)].first_deleted < clients_[raw(b.client)].first_deleted;
  };
  merge_runs(deleted_, goes_before);
  size_t kept = 0;
  for (size_t i = 1; i < deleted_.size(); ++i) {
    Deleted& last = deleted_[kept];
    if (deleted_[i].client == last.client && deleted_[i].clock <= last.end()) {
      last.length = std::max(last.end(), deleted_[i].end()) - last.clock;
    } else {
      deleted_[++kept] = deleted_[i];
    }
  }
  deleted_.resize(kept + 1);
}

/// One list or text that is a root was edited, nothing is left to collect or to merge, and nobody listens: most transactions there are.
bool Store::is_keystroke() const {
  return !unsettled_ && changes_.size() == 1 && !some(changes_[0].key) && types_[changes_[0].type].is_root &&
         touched_.size() <= 1 && undo_.empty() && !listeners_ && !wants_clean_up();
}

void Store::commit_keystroke(Commit& result) {
  if (deleted_.size() > 1) sort_deleted();
  result.changed_ = true;
  result.touched_roots_.emplace_back(keys_.text(types_[changes_[0].type].name));
  if (!deleted_.empty() || options_.emit != Emit::Nothing) encode_changes(result);
  open_ = false;
  if (heap_.mostly_dead()) compact_heap();
}

void Store::encode_changes(Commit& commit) {
  for (const Deleted& range : deleted_) {
    commit.deletions_.add(client_id(range.client), Clock{range.clock}, Length{range.length});
  }
  if (options_.emit == Emit::Nothing) return;
  InlineVector<ClientFrom, 2> clients;
  for (const ClientIndex client : touched_) clients.push_back({client, before(client)});
  if (clients.size() > 1) {
    sort_compactly(clients, [this](const ClientFrom& a, const ClientFrom& b) {
      return client_id(a.client) > client_id(b.client);
    });
  }
  if (emits_v1()) {
    commit.update_v1_ = encode_transaction(clients, commit.deletions_);
  }
  if (static_cast<uint8_t>(options_.emit) & static_cast<uint8_t>(Emit::UpdatesV2)) {
    commit.details().update_v2 = encode_structs(clients, commit.deletions_, Encoding::V2);
  }
}

void Store::commit(Commit& result) {
  DX_ASSERT(open_);
  result.origin_ = origin_;
  if (is_keystroke()) return commit_keystroke(result);
  commit_all(result);
}

void Store::commit_all(Commit& result) {
  if (deleted_.size() > 1) sort_deleted();
  if (touched_.size() > 1) {
    // In the order in which they came to the document: Yjs goes through them so, and an undo of several clients' changes deletes and
    // brings back in that order.
    sort_compactly(
        touched_, [this](ClientIndex a, ClientIndex b) { return clients_[raw(a)].arrival < clients_[raw(b)].arrival; });
  }
  result.changed_ = !touched_.empty() || !deleted_.empty();
  describe_changes(result);
  if constexpr (kHasObservers) {
    for (const std::unique_ptr<UndoState>& undo : undo_) capture_for_undo(*undo);
    if (listeners_) [[unlikely]]
      tell_listeners(result);
  }
  std::vector<Deleted> tidied;
  std::vector<ItemRef> tidied_garbage;
  if (wants_clean_up()) {
    std::vector<Deleted> of_transaction = std::exchange(deleted_, {});
    std::vector<ItemRef> garbage_of_transaction = std::exchange(garbage_, {});
    clean_up_marks(of_transaction);
    tidied = std::exchange(deleted_, std::move(of_transaction));
    tidied_garbage = std::exchange(garbage_, std::move(garbage_of_transaction));
  }
  if (unsettled_) {
    collect_garbage();
    merge_after_transaction();
  }
  if (result.changed_) encode_changes(result);
  open_ = false;
  forget_long_lists();
  if (heap_.mostly_dead()) compact_heap();
  if (!tidied.empty()) {
    // A transaction of its own, as for Yjs: peers get it as a second update.
    begin(TransactionOrigin::Local);
    unsettled_ = true;
    joins_deleted_ = true;
    deleted_ = std::move(tidied);
    garbage_ = std::move(tidied_garbage);
    for (const Deleted& range : deleted_) {
      const StructList& structs = clients_[raw(range.client)].structs;
      for (StructList::Place at = structs.find(range.clock); structs.is_below(at, range.end());
           at = structs.after(at)) {
        note_change(items_[structs.ref(at)].parent, KeyRef::None);
      }
    }
    Commit clean_up;
    commit(clean_up);
    if (!clean_up.update_v1_.empty()) result.details().clean_up_v1 = std::move(clean_up.update_v1_);
    result.deletions_.merge(clean_up.deletions_);
    if (clean_up.details_) result.add_clean_up(*clean_up.details_);
  }
}

/// Names the roots, and the keys of root maps, that the changes lie in.
void Store::describe_changes(Commit& commit) {
  TypeRef first_root = TypeRef::None;
  KeyMap places;  // of the other roots in `touched_roots_`; a peer may touch as many as it likes
  const auto place_of = [&](TypeRef root) {
    if (root == first_root) return 0u;
    const auto id = static_cast<KeyRef>(raw(root));
    if (const uint32_t* known = places.find(id)) return *known;
    const auto place = static_cast<uint32_t>(commit.touched_roots_.size());
    commit.touched_roots_.emplace_back(keys_.text(types_[root].name));
    if (place == 0) {
      first_root = root;
    } else {
      places.set(id, place);
    }
    return place;
  };
  InlineVector<KeyMap, 1> seen_keys;  // by the place of the root
  for (const Change& change : changes_) {
    TypeRef at = change.type;
    KeyRef key = change.key;
    bool live = true;
    while (live && !types_[at].is_root) {
      live = some(types_[at].item) && !items_[types_[at].item].deleted();
      if (!live) break;
      const Item& container = items_[types_[at].item];
      at = container.parent;
      key = container.parent_sub;
    }
    if (!live) continue;
    const uint32_t place = place_of(at);
    if (!some(key)) continue;
    while (seen_keys.size() <= place) seen_keys.push_back(KeyMap{});
    if (seen_keys[place].find(key) != nullptr) continue;
    seen_keys[place].set(key, 1);
    Commit::Details& details = commit.details();
    details.key_texts += keys_.text(key);
    details.changed_keys.push_back({place, details.key_texts.size()});
  }
}

void Store::collect_garbage() {
  for (const ItemRef ref : garbage_) {
    Item& item = items_[ref];
    item.flags &= static_cast<uint8_t>(~Item::kGarbage);
    if (!item.is_gc() && !item.keep()) collect(ref);
  }
}

void Store::drop_content(Item& item) {
  if (lives_in_heap(item.kind)) heap_.drop(item.content_bytes);
  item.content = 0;
  item.content_bytes = 0;
}

/// The item keeps its place but loses its content; what was inside it loses its place as well.
void Store::collect(ItemRef first) {
  std::vector<ItemRef> inside;
  const auto drop_inside = [&](Item& item) {
    if (item.kind == ContentKind::Type) {
      SharedType& inner = types_[type_of(item)];
      for (ItemRef child = inner.start; some(child); child = items_[child].right) inside.push_back(child);
      for (const KeyMap::Entry& entry : inner.keys.entries()) {
        for (auto child = static_cast<ItemRef>(entry.value); some(child); child = items_[child].left) {
          inside.push_back(child);
        }
      }
      // The type's slot is not used again: a handle of the application may still name it.
      inner.start = ItemRef::None;
      inner.item = ItemRef::None;
      inner.length = 0;
      inner.cursor_item = ItemRef::None;
      inner.index.reset();
      inner.keys = {};
    }
    drop_content(item);
  };
  drop_inside(items_[first]);
  items_[first].kind = ContentKind::Deleted;
  if (!inside.empty()) as_came_ = nullptr;
  while (!inside.empty()) {
    Item& item = items_[inside.back()];
    inside.pop_back();
    drop_inside(item);
    Item collected;
    collected.client = item.client;
    collected.clock = item.clock;
    collected.length = item.length;
    collected.flags = Item::kDeleted;
    item = collected;
  }
}

/// True if the two neighbours of one client are one struct now; `right` is released then.
bool Store::merge(ItemRef left_ref, ItemRef right_ref) {
  Item& left = items_[left_ref];
  Item& right = items_[right_ref];
  if (left.kind != right.kind || left.deleted() != right.deleted()) return false;
  if (left.is_gc()) {
    as_came_ = nullptr;
    left.length += right.length;
    items_.release(right_ref);
    return true;
  }
  if (!can_merge(left.kind) || left.right != right_ref || !(right.origin == left.last_id()) ||
      !(left.right_origin == right.right_origin) || ((left.flags | right.flags) & Item::kRedone) != 0) {
    return false;
  }
  as_came_ = nullptr;
  if (left.kind != ContentKind::Deleted) {
    if (left.content + left.content_bytes != right.content) {
      left.content = heap_.extend(left.content, left.content_bytes, content(right));
      heap_.drop(right.content_bytes);
    }
    if (left.kind == ContentKind::Any) joined_values_ = {left.content, left.length, left.content_bytes};
    left.content_bytes += right.content_bytes;
  }
  SharedType& parent = types_[left.parent];
  if (some(right.parent_sub)) {
    if (parent.current(right.parent_sub) == right_ref) parent.set_current(right.parent_sub, left_ref);
  } else {
    if (parent.cursor_item == right_ref) {
      parent.cursor_item = left_ref;
      parent.cursor_start -= left.visible();
    }
  }
  left.length += right.length;
  left.flags |= right.flags & Item::kKeep;
  left.right = right.right;
  if (some(left.right)) items_[left.right].left = left_ref;
  if (!some(right.parent_sub) && parent.index) parent.index->merge(left_ref, right_ref);
  items_.release(right_ref);
  return true;
}

/// Merges a struct with those before it, as far as that goes.
Store::Merged Store::merge_with_lefts(Client& client, StructList::Place place) {
  StructList& structs = client.structs;
  Merged merged{place, 0};
  while (!structs.is_first(merged.into)) {
    const StructList::Place left = structs.before(merged.into);
    if (!merge(structs.ref(left), structs.ref(merged.into))) break;
    merged.into = left;
    ++merged.count;
  }
  if (merged.count > 0) structs.erase(structs.after(merged.into), merged.count);
  return merged;
}

/// The same for all structs from the first new one on, in one pass to the right.
void Store::merge_new_structs(Client& client) {
  StructList& structs = client.structs;
  StructList::Place first = structs.find(client.before);
  if (structs.is_first(first)) first = structs.after(first);
  if (!structs.has(first)) return;
  const uint32_t clock = structs.clock(first);
  structs.compact(first, [this](ItemRef left, ItemRef right) { return may_join(items_[right]) && merge(left, right); });
  // What took in the first new struct may now merge with what is left of it, and so on: Yjs goes on to the left as far as that goes.
  if (const StructList::Place joined = structs.find(client.before); structs.clock(joined) < clock) {
    (void)merge_with_lefts(client, joined);
  }
}

void Store::merge_after_transaction() {
  for (auto range = deleted_.rbegin(); joins_deleted_ && range != deleted_.rend(); ++range) {
    if (range->clock >= before(range->client)) continue;  // among the new structs, which are all looked at below
    Client& client = clients_[raw(range->client)];
    StructList& structs = client.structs;
    StructList::Place at = structs.find(range->end() - 1);
    if (!structs.is_last(at)) at = structs.after(at);
    while (!structs.is_first(at) && structs.clock(at) >= range->clock) {
      at = merge_with_lefts(client, at).into;
      if (!structs.is_first(at)) at = structs.before(at);
    }
  }
  const auto still_joins = [this](ItemRef ref) {
    const Item& item = items_[ref];
    return some(item.left) && items_[item.left].end() == item.clock && items_[item.left].client == item.client;
  };
  if (joins_new_ || std::ranges::any_of(joinable_, still_joins)) {
    for (const ClientIndex client : touched_) merge_new_structs(clients_[raw(client)]);
  }
  for (auto id = merge_candidates_.rbegin(); id != merge_candidates_.rend(); ++id) {
    Client& client = clients_[raw(id->client)];
    const StructList::Place at = client.structs.find(id->clock);
    if (!client.structs.is_last(at) && merge_with_lefts(client, client.structs.after(at)).count > 1) continue;
    (void)merge_with_lefts(client, at);
  }
}

/// Copies what is alive to a new heap, in clock order, so that items typed in a row lie in a row.
void Store::compact_heap() {
  ByteHeap fresh;
  fresh.reserve(heap_.size() / 2);
  for (const Client& client : clients_) {
    client.structs.for_each_from(client.structs.first_place(), [&](ItemRef ref) {
      Item& item = items_[ref];
      if (lives_in_heap(item.kind)) item.content = fresh.add(content(item));
    });
  }
  heap_ = std::move(fresh);
  joined_values_ = {};
}

}  // namespace diaryx::crdt
