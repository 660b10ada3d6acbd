// Undo: what was inserted is deleted, what was deleted is inserted again as new items at the old place.
//
// Source: Yjs 13.6 src/utils/UndoManager.js and `redoItem` in src/structs/Item.js; docs/protocol.md.
#include "diaryx/crdt/undo.h"

#include <algorithm>

#include "diaryx/base/sort.h"
#include "handle_access.h"
#include "undo_state.h"

namespace diaryx::crdt {

Store::~Store() = default;

size_t Store::track_undo(const UndoOptions& options) {
  auto state = std::make_unique<UndoState>();
  (void)listeners();  // what a transaction does to the stacks is told
  state->index = last_manager_++;
  for (const std::string& name : options.roots) state->scope.push_back(root(name, TypeKind::Undeclared));
  for (const Shared& type : options.types) state->scope.push_back(HandleAccess::type(type));
  state->whole_document = options.whole_document;
  state->capture_timeout = options.capture_timeout;
  state->tags = options.tags;
  state->track_remote = options.track_remote;
  state->ignore_remote_map_changes = options.ignore_remote_map_changes;
  undo_.push_back(std::move(state));
  return undo_.back()->index;
}

UndoState* Store::find_undo(size_t manager) {
  const auto has_number = [manager](const auto& undo) { return undo->index == manager; };
  const auto found = std::find_if(undo_.begin(), undo_.end(), has_number);
  return found == undo_.end() ? nullptr : found->get();
}

void Store::stop_undo(size_t manager) {
  std::erase_if(undo_, [manager](const auto& undo) { return undo->index == manager; });
}

size_t Store::undo_bytes() const {
  size_t bytes = redone_.size() * (sizeof(std::pair<uint32_t, LocalId>) + 4 * sizeof(void*));
  const auto bytes_of = [](const DeleteSet& ids) {
    size_t sum = 0;
    for (const auto& entry : ids.clients()) sum += sizeof(entry) + entry.ranges.size() * sizeof(ClockRange);
    return sum;
  };
  for (const auto& undo : undo_) {
    bytes += sizeof(UndoState);
    for (const auto* steps : {&undo->undo_steps, &undo->redo_steps}) {
      bytes += steps->capacity() * sizeof(UndoStep);
      for (const UndoStep& step : *steps) bytes += bytes_of(step.deletions) + bytes_of(step.insertions);
    }
  }
  return bytes;
}

/// Answers whether types lie in the scope of a manager, at any depth. Remembers it for all types on the way, since contents nest as deep
/// as a peer likes. For use while nothing is collected.
class Store::Scope {
 public:
  Scope(const Store& store, const UndoState& undo) : store_(store), undo_(undo) {}

  bool holds(ItemRef ref) { return holds(store_.items_[ref].parent); }
  bool holds(TypeRef type) {
    if (undo_.whole_document) return true;
    if (type == last_) return last_is_in_;
    std::vector<TypeRef> way;
    bool is_in = false;
    for (TypeRef at = type;;) {
      if (const uint32_t* known = known_.find(key_of(at))) {
        is_in = *known != 0;
        break;
      }
      way.push_back(at);
      is_in = std::find(undo_.scope.begin(), undo_.scope.end(), at) != undo_.scope.end();
      if (is_in || store_.types_[at].is_root || !some(store_.types_[at].item)) break;
      at = store_.items_[store_.types_[at].item].parent;
    }
    for (const TypeRef passed : way) known_.set(key_of(passed), is_in ? 1 : 0);
    last_ = type;
    return last_is_in_ = is_in;
  }

 private:
  static KeyRef key_of(TypeRef type) { return static_cast<KeyRef>(raw(type)); }

  const Store& store_;
  const UndoState& undo_;
  KeyMap known_;
  TypeRef last_ = TypeRef::None;
  bool last_is_in_ = false;
};

/// Items of these ranges, split at their borders, in the order of the ranges. Collected ranges are left out.
std::vector<ItemRef> Store::items_of(const DeleteSet& ids) {
  std::vector<ItemRef> found;
  for (const DeleteSet::ClientRanges& entry : ids.clients()) {
    const ClientIndex client = find_client(entry.client);
    if (!some(client)) continue;
    for (const ClockRange& range : entry.ranges) {
      const uint32_t end = std::min(range.end().value(), state(client));
      for (uint32_t clock = range.start.value(); clock < end;) {
        const ItemRef ref = clean_start({client, clock});
        if (!items_[ref].is_gc()) {
          if (items_[ref].end() > end) (void)split(ref, end - items_[ref].clock);
          found.push_back(ref);
        }
        clock = items_[ref].end();
      }
    }
  }
  return found;
}

/// Sets or clears `keep` on an item and on what it lies in, up to the first that has it so already.
void Store::keep_item(ItemRef ref, bool keep) {
  while (some(ref) && items_[ref].keep() != keep) {
    Item& item = items_[ref];
    item.flags = static_cast<uint8_t>(keep ? item.flags | Item::kKeep : item.flags & ~Item::kKeep);
    ref = types_[item.parent].is_root ? ItemRef::None : types_[item.parent].item;
  }
}

void Store::forget_steps(UndoState& undo, UndoManager::Stack stack) {
  std::vector<UndoStep>& steps = undo.steps(stack);
  if (steps.empty()) return;
  Scope scope(*this, undo);
  for (const UndoStep& step : steps) {
    for (const ItemRef ref : items_of(step.deletions)) {
      if (scope.holds(ref)) keep_item(ref, false);
    }
  }
  steps.clear();
  listeners_->undo_events.push_back({undo.index, UndoEvent::Kind::Cleared, stack, 0, {}});
}

void Store::leave_out_of_undo() {
  DX_ASSERT(open_);
  if (!undo_.empty()) listeners_->leave_out_of_undo = true;
}

/// Called at the end of each transaction, before anything is collected.
void Store::capture_for_undo(UndoState& undo) {
  const bool own = undo.doing != UndoState::Doing::Nothing;
  // What another manager undoes carries that manager as its origin in Yjs, which nobody else tracks.
  const auto is_busy = [](const auto& other) { return other->doing != UndoState::Doing::Nothing; };
  if (!own && std::any_of(undo_.begin(), undo_.end(), is_busy)) return;
  const bool tracked = own || ((origin_ == TransactionOrigin::Local || undo.track_remote) &&
                               std::find(undo.tags.begin(), undo.tags.end(), tag_) != undo.tags.end());
  if (!tracked || listeners_->leave_out_of_undo) return;
  const bool changed = !touched_.empty() || !deleted_.empty();
  Scope scope(*this, undo);
  const bool touches_scope =
      undo.whole_document ? changed : std::any_of(changes_.begin(), changes_.end(), [&](const Change& change) {
        return is_live(change.type) && scope.holds(change.type);
      });
  if (!touches_scope) return;

  if (undo.doing == UndoState::Doing::Undo) {
    undo.last_change = TimestampMs{0};
  } else if (!own) {
    forget_steps(undo, UndoManager::Stack::Redo);
  }
  UndoStep step;
  for (const Deleted& range : deleted_)
    step.deletions.add(client_id(range.client), Clock{range.clock}, Length{range.length});
  for (const ClientIndex client : touched_) {
    step.insertions.add(client_id(client), Clock{before(client)}, Length{state(client) - before(client)});
  }
  const auto stack = undo.doing == UndoState::Doing::Undo ? UndoManager::Stack::Redo : UndoManager::Stack::Undo;
  std::vector<UndoStep>& steps = undo.steps(stack);
  const bool joins =
      !own && undo.last_change > TimestampMs{0} && now_ - undo.last_change < undo.capture_timeout && !steps.empty();
  if (joins) {
    steps.back().deletions.merge(step.deletions);
    steps.back().insertions.merge(step.insertions);
  } else {
    step.number = ++listeners_->last_step;
    steps.push_back(std::move(step));
  }
  const auto told = joins ? UndoEvent::Kind::StepExtended : UndoEvent::Kind::StepAdded;
  listeners_->undo_events.push_back({undo.index, told, stack, steps.back().number, {}});
  if (!own) undo.last_change = now_;
  for (const Deleted& range : deleted_) {
    DeleteSet one;
    one.add(client_id(range.client), Clock{range.clock}, Length{range.length});
    for (const ItemRef ref : items_of(one)) {
      if (scope.holds(ref)) keep_item(ref, true);
    }
  }
}

LocalId Store::redone_as(ItemRef ref) const {
  if ((items_[ref].flags & Item::kRedone) == 0) return {};
  return redone_.at(raw(ref));
}

/// The newest copy of an item that was deleted and brought back, from the unit that `ref` starts with.
ItemRef Store::follow_redone(ItemRef ref) {
  while (items_[ref].flags & Item::kRedone) ref = clean_start(redone_as(ref));
  return ref;
}

/// The same, but the copies on the way stay whole: only the newest is split, if `ref` lies inside it and it was not collected.
ItemRef Store::newest_copy(ItemRef ref) {
  uint32_t offset = 0;
  while (items_[ref].flags & Item::kRedone) {
    const LocalId copy = redone_as(ref);
    ref = find({copy.client, copy.clock + offset});
    offset = copy.clock + offset - items_[ref].clock;
  }
  return offset == 0 || items_[ref].is_gc() ? ref : split(ref, offset);
}

/// The first of the copies of `ref` that lies in `parent`, or None.
ItemRef Store::copy_within(ItemRef ref, TypeRef parent) {
  while (some(ref) && items_[ref].parent != parent) {
    ref = (items_[ref].flags & Item::kRedone) ? clean_start(redone_as(ref)) : ItemRef::None;
  }
  return ref;
}

/// Inserts a copy of a deleted item where it was. None if its surroundings are gone or somebody else wrote there since.
ItemRef Store::redo_item(UndoState& undo, ItemRef ref, const std::vector<ItemRef>& all_sorted,
                         const DeleteSet& insertions) {
  if (items_[ref].flags & Item::kRedone) return clean_start(redone_as(ref));
  TypeRef parent = items_[ref].parent;
  if (!types_[parent].is_root) {
    ItemRef container = types_[parent].item;
    if (!some(container)) return ItemRef::None;
    if (items_[container].deleted()) {
      const bool is_redone = (items_[container].flags & Item::kRedone) != 0;
      const bool will_be = std::binary_search(all_sorted.begin(), all_sorted.end(), container);
      if (!is_redone && (!will_be || !some(redo_item(undo, container, all_sorted, insertions)))) return ItemRef::None;
      container = follow_redone(container);
    }
    if (items_[container].kind != ContentKind::Type) return ItemRef::None;
    parent = type_of(items_[container]);
  }
  const KeyRef sub = items_[ref].parent_sub;
  Gap gap;
  if (!some(sub)) {
    for (ItemRef at = items_[ref].left; some(at) && !some(gap.left); at = items_[at].left)
      gap.left = copy_within(at, parent);
    for (ItemRef at = ref; some(at) && !some(gap.right); at = items_[at].right) gap.right = copy_within(at, parent);
  } else {
    if (some(items_[ref].right) && !undo.ignore_remote_map_changes) {
      const auto is_ours = [&](ItemRef at) {
        const Item& item = items_[at];
        const Id id{client_id(item.client), Clock{item.clock}};
        const auto deletes = [&](const UndoStep& step) { return step.deletions.contains(id); };
        // It is nearly always one of the last steps.
        return (item.flags & Item::kRedone) != 0 || insertions.contains(id) ||
               std::any_of(undo.undo_steps.rbegin(), undo.undo_steps.rend(), deletes) ||
               std::any_of(undo.redo_steps.rbegin(), undo.redo_steps.rend(), deletes);
      };
      ItemRef left = ref;
      while (some(items_[left].right) && is_ours(items_[left].right)) left = follow_redone(items_[left].right);
      if (some(items_[left].right)) return ItemRef::None;
    }
    gap.left = types_[parent].current(sub);
  }
  const Item& item = items_[ref];
  const uint32_t length = item.length;
  ItemRef made;
  const LocalId id{own_, state(own_)};
  // Set before the copy is integrated: what lies in a type that comes back looks for it.
  items_[ref].flags |= Item::kRedone;
  redone_[raw(ref)] = id;
  if (item.kind == ContentKind::Type) {
    const SharedType& inner = types_[type_of(item)];
    const std::string name(some(inner.name) ? keys_.text(inner.name) : std::string_view{});
    made = insert_type(parent, gap, sub, inner.kind, name);
  } else {
    const Bytes bytes = to_bytes(content(item));
    made = insert(parent, gap, sub, item.kind, length, bytes);
  }
  keep_item(made, true);
  return made;
}

UndoDeletion Store::undo_deletion(const Item& item) const {
  UndoDeletion deletion{{client_id(item.client), Clock{item.clock}},
                        Length{item.length},
                        HandleAccess::make(*this, item.parent),
                        std::nullopt,
                        std::nullopt};
  if (some(item.parent_sub)) deletion.key = std::string(keys_.text(item.parent_sub));
  if (item.kind == ContentKind::Type) deletion.type = HandleAccess::make(*this, type_of(item));
  return deletion;
}

bool Store::take_back(UndoState& undo, const UndoStep& step, UndoManager::Filter may_delete) {
  Scope scope(*this, undo);
  std::vector<ItemRef> to_delete;
  for (ItemRef ref : items_of(step.insertions)) {
    ref = newest_copy(ref);
    if (!items_[ref].deleted() && scope.holds(ref)) to_delete.push_back(ref);
  }
  std::vector<ItemRef> to_redo;
  for (const ItemRef ref : items_of(step.deletions)) {
    const Item& item = items_[ref];
    if (scope.holds(ref) && !step.insertions.contains({client_id(item.client), Clock{item.clock}}))
      to_redo.push_back(ref);
  }
  bool changed = false;
  std::vector<ItemRef> sorted = to_redo;
  sort_compactly(sorted);
  for (const ItemRef ref : to_redo) changed = some(redo_item(undo, ref, sorted, step.insertions)) || changed;
  for (auto ref = to_delete.rbegin(); ref != to_delete.rend(); ++ref) {
    if (may_delete.ask != nullptr && !may_delete.ask(may_delete.predicate, undo_deletion(items_[*ref]))) continue;
    erase(*ref);
    changed = true;
  }
  return changed;
}

Commit Store::undo(size_t index, bool redo, UndoManager::Filter may_delete) {
  UndoState* const found = find_undo(index);
  if (found == nullptr) return {};
  UndoState& undo = *found;
  begin(TransactionOrigin::Local);
  undo.doing = redo ? UndoState::Doing::Redo : UndoState::Doing::Undo;
  const auto stack = redo ? UndoManager::Stack::Redo : UndoManager::Stack::Undo;
  std::vector<UndoStep>& steps = undo.steps(stack);
  std::optional<UndoStep> used;
  while (!steps.empty() && !used) {
    UndoStep step = std::move(steps.back());
    steps.pop_back();
    if (take_back(undo, step, may_delete)) used = std::move(step);
  }
  Commit result;
  commit(result);
  undo.doing = UndoState::Doing::Nothing;
  if (used) {
    result.details().undo_events.push_back(
        {index, UndoEvent::Kind::StepUsed, stack, used->number, std::move(used->metadata)});
  }
  return result;
}

Commit UndoManager::run(Stack stack, Filter filter) { return store_->undo(index_, stack == Stack::Redo, filter); }
bool UndoManager::can_undo() const {
  const UndoState* undo = store_->find_undo(index_);
  return undo != nullptr && !undo->undo_steps.empty();
}
bool UndoManager::can_redo() const {
  const UndoState* undo = store_->find_undo(index_);
  return undo != nullptr && !undo->redo_steps.empty();
}
void UndoManager::stop_capturing() {
  if (UndoState* undo = store_->find_undo(index_)) undo->last_change = TimestampMs{0};
}

std::vector<uint64_t> UndoManager::steps(Stack stack) const {
  std::vector<uint64_t> numbers;
  UndoState* undo = store_->find_undo(index_);
  if (undo == nullptr) return numbers;
  for (const UndoStep& step : undo->steps(stack)) numbers.push_back(step.number);
  return numbers;
}

bool UndoManager::set_metadata(uint64_t step, Any metadata) {
  UndoState* undo = store_->find_undo(index_);
  UndoStep* found = undo == nullptr ? nullptr : undo->find(step);
  if (found == nullptr) return false;
  found->metadata = std::move(metadata);
  return true;
}

Any UndoManager::metadata(uint64_t step) const {
  UndoState* undo = store_->find_undo(index_);
  const UndoStep* found = undo == nullptr ? nullptr : undo->find(step);
  return found == nullptr ? Any::undefined() : found->metadata;
}

void UndoManager::add_to_scope(const Shared& type) {
  DX_ASSERT(&HandleAccess::store(type) == store_);
  if (UndoState* undo = store_->find_undo(index_)) undo->scope.push_back(HandleAccess::type(type));
}

void UndoManager::add_tag(std::string_view tag) {
  if (UndoState* undo = store_->find_undo(index_)) undo->tags.emplace_back(tag);
}
void UndoManager::remove_tag(std::string_view tag) {
  if (UndoState* undo = store_->find_undo(index_)) std::erase(undo->tags, tag);
}

Commit UndoManager::clear() {
  UndoState* undo = store_->find_undo(index_);
  if (undo == nullptr) return {};
  store_->begin(TransactionOrigin::Local);
  store_->forget_steps(*undo, Stack::Undo);
  store_->forget_steps(*undo, Stack::Redo);
  Commit result;
  store_->commit(result);
  return result;
}

void UndoManager::stop() {
  (void)clear();
  store_->stop_undo(index_);
}

}  // namespace diaryx::crdt
