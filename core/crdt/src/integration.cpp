// The structs of an update, each when what it refers to is there; the rest waits in the document.
//
// Nearly all are of two forms that have ways of their own, tried first: `integrate_plain` for lists, `integrate_first_of_key` for maps. They
// are in this file because the compiler makes them part of the walk.
//
// Source: Yjs 13.6 src/utils/encoding.js (`integrateStructs`), src/structs/Item.js (`getMissing`); docs/protocol.md.
#include <algorithm>

#include "diaryx/base/sort.h"
#include "diaryx/crdt/update.h"
#include "store.h"
#include "update_algebra.h"

namespace diaryx::crdt {

/// Walks the blocks of one update from the highest client down, and jumps to what a struct depends on first.
class Store::Integration {
 public:
  Integration(Store& store, DecodedUpdate& update)
      : store_(store), update_(update), is_typed_(is_typed(store, update)) {
    if (update.structs.size() >= kLoadedStructs) {
      left_.assign(update.structs.chunk_count(), StructViews::kPerChunk);
      left_.back() -= static_cast<uint32_t>(left_.size() * StructViews::kPerChunk - update.structs.size());
    }
    order_.reserve(update.blocks.size());
    for (const ClientBlock& block : update.blocks) {
      order_.push_back({block.client, store.client_index(block.client), block.first, block.first + block.count, kNone});
    }
    sort_compactly(order_, [](const Queue& a, const Queue& b) { return a.client < b.client; });
  }

  void run() {
    for (auto last = static_cast<uint32_t>(order_.size()); last > 0; --last) {
      Queue& queue = order_[last - 1];
      while (queue.next < queue.end) {
        Head head{last - 1, queue.next++};
        const StructView& view = update_.structs[head.at];
        if (store_.integrate_plain(queue.index, view, is_typed_) ||
            store_.integrate_first_of_key(queue.index, view, parent_)) {
          done_with(head.at);
          continue;
        }
        while (step(head)) {
        }
      }
    }
  }

  bool has_rest() const { return !missing_.empty(); }
  std::vector<Missing>& missing() { return missing_; }
  std::vector<Missing>& held_up() { return held_up_; }

  /// What could not be integrated, as an update v2 without deletions.
  Bytes rest() const {
    DecodedUpdate left;
    for (size_t i = order_.size(); i-- > 0;) {
      const Queue& queue = order_[i];
      if (queue.rest == kNone) continue;
      left.blocks.push_back({queue.client, queue.rest, queue.end - queue.rest});
    }
    return encode_blocks_v2(left.blocks, update_.structs, {});
  }

 private:
  /// Whether structs may become part of the one before them at once, as all of them do at the end of the transaction. Not where a
  /// struct names a right origin that is not behind its origin: whether the two are one item by then decides where Yjs puts it. A struct
  /// that comes alone decides for nobody.
  static bool is_typed(const Store& store, const DecodedUpdate& update) {
    if (update.structs.size() >= kLoadedStructs || !store.pending_update_.empty()) return false;
    if (update.structs.size() == 1) return true;
    for (size_t i = 0; i < update.structs.size(); ++i) {
      const StructView& view = update.structs[i];
      constexpr uint8_t kBoth = StructView::kHasOrigin | StructView::kHasRightOrigin;
      if ((view.bits & kBoth) == kBoth && view.right_client == view.origin_client &&
          view.right_clock <= view.origin_clock)
        return false;
    }
    return true;
  }

  static constexpr uint32_t kNone = 0xffffffffu;
  struct Queue {
    ClientId client;
    ClientIndex index;
    uint32_t next;  // into update_.structs
    uint32_t end;
    uint32_t rest;  // first struct that has to wait, or kNone
  };
  struct Head {
    uint32_t queue = 0;
    uint32_t at = 0;
  };

  Queue* queue_of(ClientId client) {
    const auto at = std::lower_bound(order_.begin(), order_.end(), client,
                                     [](const Queue& queue, ClientId wanted) { return queue.client < wanted; });
    return at != order_.end() && at->client == client ? &*at : nullptr;
  }

  /// Deals with `head`; true if `head` is now the struct to go on with, false to take the next one of the queues.
  bool step(Head& head) {
    Queue& queue = order_[head.queue];
    const StructView& view = update_.structs[head.at];
    const uint32_t state = store_.state(queue.index);
    if (view.kind == ContentKind::Skip) {
      done_with(head.at);
    } else if (state < view.clock) {
      stack_.push_back(head);
      note_missing(queue.client, view.clock - 1);
      spill();
    } else if (const auto dependency = store_.missing_dependency(queue.index, view)) {
      stack_.push_back(head);
      Queue* other = queue_of(*dependency);
      if (other != nullptr && other->next < other->end) {
        head = {static_cast<uint32_t>(other - order_.data()), other->next++};
        return true;
      }
      note_missing(*dependency, store_.state(*dependency));
      spill();
    } else {
      if (state < view.end()) {
        store_.integrate_view(queue.index, view, state - view.clock);
      } else {
        store_.as_came_ = nullptr;
        store_.split_at_origins(view);
      }
      done_with(head.at);
    }
    if (stack_.empty()) return false;
    head = stack_.back();
    stack_.pop_back();
    return true;
  }

  /// The struct is in the store. What is not yet there is needed for `rest`.
  void done_with(size_t at) {
    if (left_.empty()) return;
    const size_t chunk = at / StructViews::kPerChunk;
    if (--left_[chunk] == 0) update_.structs.free_chunk(chunk);
  }

  void note_missing(ClientId client, uint32_t clock) { missing_.push_back({client, clock}); }

  /// Everything on the stack has to wait, with all later structs of the same clients.
  void spill() {
    store_.as_came_ = nullptr;
    for (size_t i = 0; i < stack_.size(); ++i) {
      Queue& queue = order_[stack_[i].queue];
      queue.rest = std::min(queue.rest, stack_[i].at);
      queue.next = queue.end;
      // It waits for the client of the one above it.
      if (i > 0) held_up_.push_back({queue.client, store_.state(queue.index)});
    }
    stack_.clear();
  }

  Store& store_;
  DecodedUpdate& update_;
  MapParent parent_;
  bool is_typed_;  // what is loaded was merged by who wrote it; what is typed comes in small updates
  InlineVector<Queue, 2> order_;  // ascending by client
  std::vector<Head> stack_;  // structs that wait for the one after them
  std::vector<uint32_t> left_;  // of each chunk of structs, when there are many: those that are not done
  std::vector<Missing> missing_;
  std::vector<Missing> held_up_;
};

/// The client whose struct must come first, if any. References to the own client are covered by the order of its clocks.
std::optional<ClientId> Store::missing_dependency(ClientIndex client, const StructView& view) const {
  const uint64_t own = client_id(client).value();
  const auto lacks = [&](uint64_t other, uint32_t clock) { return other != own && clock >= state(ClientId{other}); };
  const bool has_left = (view.bits & StructView::kHasOrigin) != 0 || view.parent_form == ParentForm::Item;
  if (has_left && lacks(view.origin_client, view.origin_clock)) return ClientId{view.origin_client};
  if ((view.bits & StructView::kHasRightOrigin) != 0 && lacks(view.right_client, view.right_clock)) {
    return ClientId{view.right_client};
  }
  return std::nullopt;
}

/// An item of `view`, as far as it can be told without looking at others.
[[gnu::always_inline]] inline ItemSlab::Added Store::new_item(ClientIndex client, const StructView& view) {
  const auto added = items_.add();
  Item& item = added.slot;
  item.clock = view.clock;
  item.length = view.length;
  item.client = client;
  item.kind = view.kind;
  return added;
}

/// What most structs of lists are: a piece of text, plain values, or what was deleted there, wholly new, and between two neighbours: two
/// items, or two units of one. False, and nothing happened, for any other.
///
/// Half of the time of loading a text is spent here, so each item and type is looked up once; slabs and `clients_` do not move them.
bool Store::integrate_plain(ClientIndex client, const StructView& view, bool is_typed) {
  const bool is_gone = view.kind == ContentKind::Deleted;
  if (!is_gone && view.kind != ContentKind::String && view.kind != ContentKind::Any) return false;
  if (view.says_sub) return false;
  const bool has_left = (view.bits & StructView::kHasOrigin) != 0;
  const bool has_right = (view.bits & StructView::kHasRightOrigin) != 0;
  Client& writer = clients_[raw(client)];
  if (writer.structs.state() != view.clock) return false;
  // The own client's earlier clocks are all there.
  const auto known = [&](uint64_t id, uint32_t clock) -> LocalId {
    if (id == writer.id.value()) [[likely]]
      return {client, clock};
    const LocalId found = local(id, clock);
    return some(found.client) && clock < state(found.client) ? found : LocalId{};
  };
  LocalId right_origin;
  if (has_right) {
    right_origin = known(view.right_client, view.right_clock);
    if (!some(right_origin.client)) return false;
  }

  LocalId origin;
  ItemRef left_ref = ItemRef::None;
  ItemRef right_ref = ItemRef::None;
  Item* left = nullptr;
  Item* right = nullptr;
  uint32_t kept = 0;  // units of the left item that stay left of the new one, if it goes into it
  bool follows = false;
  bool is_like_left = false;
  TypeRef parent_ref;
  if (has_left) {
    origin = known(view.origin_client, view.origin_clock);
    if (!some(origin.client)) return false;
    follows = origin.client == client && origin.clock + 1 == view.clock;
    left_ref = follows ? writer.structs.last() : find(origin);
    left = &items_[left_ref];
    if (left->is_gc() || some(left->parent_sub)) return false;
    LocalId neighbour;
    if (origin.clock + 1 < left->end()) {
      kept = origin.clock + 1 - left->clock;
      neighbour = {left->client, origin.clock + 1};
    } else if (some(left->right)) {
      right_ref = left->right;
      right = &items_[right_ref];
      neighbour = right->id();
    }
    if (!(right_origin == neighbour)) return false;
    is_like_left = left->kind == view.kind;
    parent_ref = left->parent;
  } else {
    if (!has_right) return false;
    right_ref = find(right_origin);
    right = &items_[right_ref];
    if (right->is_gc() || some(right->parent_sub) || some(right->left) || right->clock != right_origin.clock)
      return false;
    parent_ref = right->parent;
  }
  SharedType& parent = types_[parent_ref];
  if (!parent.is_root && items_[parent.item].deleted()) return false;
  // A keystroke behind the writer's last one becomes part of that item, as it would at the end of the transaction.
  if (is_typed && follows && extend_item(left_ref, view.kind, view.length, view.content())) {
    as_came_ = nullptr;
    return true;
  }
  if (kept > 0) [[unlikely]] {
    right_ref = split_for_good(left_ref, kept);
    right = &items_[right_ref];
  }

  const auto [ref, item] = new_item(client, view);
  item.left = left_ref;
  item.right = right_ref;
  item.origin = origin;
  item.right_origin = right_origin;
  item.parent = parent_ref;
  (left != nullptr ? left->right : parent.start) = ref;
  if (right != nullptr) right->left = ref;
  if (is_gone) {
    item.flags = Item::kDeleted;
    note_deleted(item);
  } else {
    item.content_bytes = view.content_size;
    item.content = view.is_padded ? heap_.add_padded(view.content()) : heap_.keep(view.content());
    if (view.kind == ContentKind::String && item.content_bytes != item.length) has_wide_text_ = true;
    parent.length += item.length;
  }
  list_changed(parent);
  if (parent.index) parent.index->insert_after(left_ref, ref);
  touch(client);
  // Kinds come as they like, but two of one kind in a row would mostly be one struct.
  if ((follows & is_like_left) && may_join(*left, item)) [[unlikely]] {
    unsettled_ = true;
    joinable_.push_back(ref);
  }
  writer.structs.append(ref, view.length);
  if (parent.changed_in != epoch_) note_first_change(parent_ref, KeyRef::None);
  return true;
}

/// The map that `view`, the first value of a key, says it belongs to; null if it is not here or not a live type. Its entries come in a row, so the
/// last answer mostly is the next one.
SharedType* Store::parent_of_first(const StructView& view, MapParent& last) {
  if (view.parent_form == ParentForm::Root) {
    if (!last.is_root || view.root() != keys_.text(types_[last.type].name)) {
      last = {.type = root(view.root(), TypeKind::Undeclared), .is_root = true};
    }
    return &types_[last.type];
  }
  if (last.is_root || !some(last.item) || view.origin_clock != last.clock || view.origin_client != last.client) {
    const LocalId id = local(view.origin_client, view.origin_clock);
    if (!some(id.client) || id.clock >= state(id.client)) return nullptr;
    const ItemRef ref = find(id);
    const Item& container = items_[ref];
    if (container.kind != ContentKind::Type) return nullptr;
    last = {.client = view.origin_client,
            .clock = view.origin_clock,
            .item = ref,
            .type = type_of(container),
            .is_new = container.clock >= before(container.client)};
  }
  return items_[last.item].deleted() ? nullptr : &types_[last.type];
}

/// What most structs of maps are: the first value, or the type, that somebody gave to a key, wholly new. It has no neighbour to be merged
/// with. False, and nothing happened, for any other.
bool Store::integrate_first_of_key(ClientIndex client, const StructView& view, MapParent& last_parent) {
  if (view.bits != StructView::kHasSub || (view.kind != ContentKind::Any && view.kind != ContentKind::Type))
    return false;
  Client& writer = clients_[raw(client)];
  if (writer.structs.state() != view.clock) return false;
  SharedType* const parent = parent_of_first(view, last_parent);
  if (parent == nullptr) return false;
  const KeyRef sub = key_of(view);
  if (some(parent->current(sub))) return false;

  const auto [ref, item] = new_item(client, view);
  item.parent = last_parent.type;
  item.parent_sub = sub;
  parent->keys.add(sub, raw(ref));
  if (view.kind == ContentKind::Type) {
    item.content = raw(make_type(ref, view.type_kind, view.name()));
  } else {
    item.content_bytes = view.content_size;
    item.content = view.is_padded ? heap_.add_padded(view.content()) : heap_.keep(view.content());
  }
  touch(client);
  writer.structs.append(ref, view.length);
  if (!last_parent.is_new) note_change(last_parent.type, sub);
  return true;
}

/// Of several clocks of one client the lowest counts.
void Store::keep_lowest(std::vector<Missing>& missing) {
  sort_compactly(missing, [](const Missing& a, const Missing& b) {
    return a.client != b.client ? a.client < b.client : a.clock < b.clock;
  });
  const auto same_client = [](const Missing& a, const Missing& b) { return a.client == b.client; };
  missing.erase(std::unique(missing.begin(), missing.end(), same_client), missing.end());
}

void Store::apply_decoded(DecodedUpdate& update) {
  Integration integration(*this, update);
  integration.run();

  const auto add = [](std::vector<Missing>& all, std::vector<Missing>& more) {
    all.insert(all.end(), more.begin(), more.end());
    keep_lowest(all);
  };
  bool retry = false;
  if (!pending_update_.empty()) {
    const auto is_there = [this](const Missing& wanted) { return wanted.clock < state(wanted.client); };
    const bool looks_at_chains = options_.waiting == WaitingUpdates::Chains;
    retry = std::ranges::any_of(missing_, is_there) || (looks_at_chains && std::ranges::any_of(held_up_, is_there));
    if (integration.has_rest()) {
      add(missing_, integration.missing());
      add(held_up_, integration.held_up());
      const Bytes rest = integration.rest();
      const ByteView both[] = {pending_update_, rest};
      auto merged = merge_updates_v2(both, kTrusted);
      DX_ASSERT(merged.has_value());
      pending_update_ = std::move(*merged);
    }
  } else if (integration.has_rest()) {
    add(missing_, integration.missing());
    add(held_up_, integration.held_up());
    pending_update_ = integration.rest();
  }

  if (!update.deletes.empty() || !pending_deletes_.empty()) {
    DeleteSet unknown = apply_deletes(update.deletes);
    if (!pending_deletes_.empty()) unknown.merge(apply_deletes(pending_deletes_));
    pending_deletes_ = std::move(unknown);
  }

  if (retry) {
    const Bytes waiting = std::move(pending_update_);
    pending_update_.clear();
    missing_.clear();
    held_up_.clear();
    auto decoded = decode_update(waiting, Encoding::V2, kTrusted);
    DX_ASSERT(decoded.has_value());
    apply_decoded(*decoded);
  }
}

}  // namespace diaryx::crdt
