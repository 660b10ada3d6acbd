// Who is told what when a transaction ends.
//
// Source: Yjs 13.6 src/utils/Transaction.js (`cleanupTransactions`), YEvent.js; docs/protocol.md.
#include <algorithm>

#include "event_builder.h"
#include "handle_access.h"
#include "undo_state.h"
#include "values.h"

namespace diaryx::crdt {

Listeners& Store::listeners() {
  if (!listeners_) listeners_ = std::make_unique<Listeners>();
  return *listeners_;
}

Observer Store::observe(TypeRef type, bool deep) {
  Listeners& all = listeners();
  const uint32_t number = all.last_observer++;
  all.observed.emplace(number, type);
  all.by_type[raw(type)].push_back({number, deep});
  all.make_notices = [](Store& store, std::vector<Notice>& notices) { EventBuilder(store).run(notices); };
  return {this, number};
}

void Store::stop_observing(uint32_t number) {
  Listeners& all = listeners();
  const auto known = all.observed.find(number);
  if (known == all.observed.end()) return;
  const auto at = all.by_type.find(raw(known->second));
  all.observed.erase(known);
  std::erase_if(at->second, [number](const Listeners::Registration& one) { return one.number == number; });
  if (at->second.empty()) all.by_type.erase(at);
}

/// Everything of a commit that somebody has to ask for. Called when there are listeners at all.
void Store::tell_listeners(Commit& commit) {
  Listeners& all = *listeners_;
  if (!all.observed.empty() && !changes_.empty()) {
    std::vector<Notice> notices;
    all.make_notices(*this, notices);
    if (!notices.empty()) commit.details().notices = std::move(notices);
  }
  if (!all.added.empty() || !all.removed.empty() || !all.loaded.empty()) tell_subdocuments(commit);
  if (!all.undo_events.empty()) commit.details().undo_events = std::exchange(all.undo_events, {});
  all.leave_out_of_undo = false;
}

Store::EventBuilder::EventBuilder(Store& store) : store_(store), deleted_(store.deleted_) {
  std::sort(deleted_.begin(), deleted_.end(), [](const Deleted& a, const Deleted& b) {
    return a.client != b.client ? raw(a.client) < raw(b.client) : a.clock < b.clock;
  });
}

void Store::EventBuilder::run(std::vector<Notice>& notices) {
  struct Deep {
    TypeRef observed;
    std::vector<size_t> events;
  };
  const Listeners& all = *store_.listeners_;
  std::vector<Event> events;
  std::vector<uint32_t> uses;  // of each event
  std::vector<Deep> deep;  // in order of first change
  KeyMap deep_place;  // TypeRef -> index into `deep`
  std::vector<std::pair<size_t, uint32_t>> own;  // event, number of its observer
  for (const ChangedType& changed : changed_types()) {
    const size_t event = events.size();
    uint32_t told = 0;
    for (TypeRef at = changed.type;;) {
      if (const auto found = all.by_type.find(raw(at)); found != all.by_type.end()) {
        bool any_deep = false;
        for (const Listeners::Registration& one : found->second) {
          any_deep = any_deep || one.deep;
          if (one.deep || at == changed.type) ++told;
          if (!one.deep && at == changed.type) own.emplace_back(event, one.number);
        }
        if (any_deep) {
          const auto key = static_cast<KeyRef>(raw(at));
          if (deep_place.find(key) == nullptr) {
            deep_place.set(key, static_cast<uint32_t>(deep.size()));
            deep.push_back({at, {}});
          }
          deep[*deep_place.find(key)].events.push_back(event);
        }
      }
      if (store_.types_[at].is_root) break;
      at = store_.items_[store_.types_[at].item].parent;
    }
    if (told == 0) continue;
    events.push_back(event_of(changed));
    uses.push_back(told);
  }

  const auto take = [&](size_t event) { return --uses[event] == 0 ? std::move(events[event]) : events[event]; };
  const auto add = [&](uint32_t number, TypeRef observed) -> Notice& {
    notices.push_back({Observer(&store_, number), HandleAccess::make(store_, observed), {}});
    return notices.back();
  };
  for (const auto& [event, number] : own) {
    add(number, HandleAccess::type(events[event].target)).events.push_back(take(event));
  }
  for (const Deep& one : deep) {
    std::vector<std::pair<std::vector<PathStep>, size_t>> ordered;
    for (const size_t event : one.events) {
      ordered.emplace_back(path(one.observed, HandleAccess::type(events[event].target)), event);
    }
    std::stable_sort(ordered.begin(), ordered.end(),
                     [](const auto& a, const auto& b) { return a.first.size() < b.first.size(); });
    for (const Listeners::Registration& registration : all.by_type.at(raw(one.observed))) {
      if (!registration.deep) continue;
      Notice& notice = add(registration.number, one.observed);
      for (const auto& [steps, event] : ordered) {
        notice.events.push_back(take(event));
        notice.events.back().path = steps;
      }
    }
  }
}

/// In order of first change; what was deleted since is left out.
std::vector<Store::EventBuilder::ChangedType> Store::EventBuilder::changed_types() const {
  std::vector<ChangedType> result;
  KeyMap place;  // TypeRef -> index into `result`
  std::vector<KeyMap> seen;  // keys, per entry of `result`
  for (const Change& change : store_.changes_) {
    if (!store_.is_live(change.type)) continue;
    const auto type = static_cast<KeyRef>(raw(change.type));
    if (place.find(type) == nullptr) {
      place.set(type, static_cast<uint32_t>(result.size()));
      result.push_back({change.type, false, {}});
      seen.emplace_back();
    }
    const uint32_t at = *place.find(type);
    if (!some(change.key)) {
      result[at].list = true;
    } else if (seen[at].find(change.key) == nullptr) {
      seen[at].set(change.key, 1);
      result[at].keys.push_back(change.key);
    }
  }
  return result;
}

Event Store::EventBuilder::event_of(const ChangedType& changed) {
  Event event{HandleAccess::make(store_, changed.type), {}, {}, key_changes(changed)};
  const TypeKind kind = store_.types_[changed.type].kind;
  const bool is_text = kind == TypeKind::Text || kind == TypeKind::XmlText;
  if (changed.list) event.delta = is_text ? text_delta(changed.type) : list_delta(changed.type);
  return event;
}

std::vector<PathStep> Store::EventBuilder::path(TypeRef from, TypeRef to) {
  std::vector<PathStep> steps;
  for (TypeRef at = to; at != from;) {
    const ItemRef container = store_.types_[at].item;
    const Item& item = store_.items_[container];
    if (some(item.parent_sub)) {
      steps.emplace_back(std::string(store_.keys_.text(item.parent_sub)));
    } else {
      steps.emplace_back(store_.start_of(container));
    }
    at = item.parent;
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

uint32_t Store::EventBuilder::deleted_units(const Item& item, uint32_t units) const {
  const uint32_t end = item.clock + units;
  // The first range that ends behind the item's first clock.
  auto range = std::partition_point(deleted_.begin(), deleted_.end(), [&item](const Deleted& at) {
    return at.client != item.client ? raw(at.client) < raw(item.client) : at.end() <= item.clock;
  });
  uint32_t count = 0;
  for (; range != deleted_.end() && range->client == item.client && range->clock < end; ++range) {
    count += std::min(range->end(), end) - std::max(range->clock, item.clock);
  }
  return count;
}

std::vector<KeyChange> Store::EventBuilder::key_changes(const ChangedType& changed) const {
  std::vector<KeyChange> result;
  const auto value = [this](const Item& item) { return content_at(store_, item, item.length - 1); };
  for (const KeyRef key : changed.keys) {
    const Item& item = store_.items_[store_.types_[changed.type].current(key)];
    std::string name(store_.keys_.text(key));
    if (!is_new(item)) {
      if (is_deleted_now(item)) {
        result.push_back({std::move(name), KeyChange::Action::Delete, value(item)});
      }
      continue;
    }
    ItemRef before = item.left;
    while (some(before) && is_new(store_.items_[before])) before = store_.items_[before].left;
    const bool had_value = some(before) && is_deleted_now(store_.items_[before]);
    if (item.deleted()) {
      if (had_value) {
        result.push_back({std::move(name), KeyChange::Action::Delete, value(store_.items_[before])});
      }
    } else if (had_value) {
      result.push_back({std::move(name), KeyChange::Action::Update, value(store_.items_[before])});
    } else {
      result.push_back({std::move(name), KeyChange::Action::Add, std::nullopt});
    }
  }
  return result;
}

void Store::EventBuilder::find_changed_items() {
  if (std::exchange(has_changed_items_, true)) return;
  const auto add = [this](ClientIndex client, uint32_t from, uint32_t end) {
    const StructList& structs = store_.clients_[raw(client)].structs;
    for (StructList::Place at = structs.find(from); structs.is_below(at, end); at = structs.after(at)) {
      const Item& item = store_.items_[structs.ref(at)];
      if (!item.is_gc() && !some(item.parent_sub)) changed_items_.emplace_back(item.parent, structs.ref(at));
    }
  };
  for (const ClientIndex client : store_.touched_) add(client, store_.before(client), store_.state(client));
  for (const Deleted& range : deleted_) add(range.client, range.clock, range.end());
  std::sort(changed_items_.begin(), changed_items_.end());
  changed_items_.erase(std::unique(changed_items_.begin(), changed_items_.end()), changed_items_.end());
}

std::span<const std::pair<TypeRef, ItemRef>> Store::EventBuilder::changed_items(TypeRef type) const {
  const auto from = std::lower_bound(changed_items_.begin(), changed_items_.end(), std::pair{type, ItemRef::None});
  auto to = from;
  while (to != changed_items_.end() && to->first == type) ++to;
  return {from, to};
}

/// Where a delta has to begin: a few changes are found by their place, so that typing into a long text costs no walk over it.
Store::EventBuilder::Walk Store::EventBuilder::begin_walk(TypeRef type) {
  constexpr size_t kWorthLooking = 32;
  find_changed_items();
  const auto changed = changed_items(type);
  Walk walk{store_.types_[type].start, 0, changed.size()};
  if (changed.size() > kWorthLooking) return walk;
  uint32_t first = store_.types_[type].length;
  for (const auto& [unused, ref] : changed) first = std::min(first, store_.start_of(ref));
  if (first == 0) return walk;
  // The item with the visible unit before all changes; they stand right of it.
  const Found found = store_.find_unit(type, first - 1);
  return {found.item, first - 1 - found.offset, changed.size()};
}

void Observer::stop() { store_->stop_observing(number_); }

/// A clean-up is a transaction of its own, but it is told with the one that it follows.
void Commit::add_clean_up(Details& of_clean_up) {
  details().clean_up_notices = std::move(of_clean_up.notices);
  for (UndoEvent& event : of_clean_up.undo_events) details().undo_events.push_back(std::move(event));
}

std::span<const Event> Commit::events(Observer observer) const {
  for (const Notice& notice : notices()) {
    if (notice.observer == observer) return notice.events;
  }
  return {};
}

}  // namespace diaryx::crdt
