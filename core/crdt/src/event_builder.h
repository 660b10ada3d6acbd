// Makes the events of the transaction that is about to end: after the last change, before anything is collected or merged.
// Private to the engine.
//
// 1. A unit is new if its clock is not below its client's state before the transaction; it was deleted by the transaction if it is
//    in `deleted_`. The two together are all that Yjs looks at.
// 2. An item may be old at its front and new at its end, because typing extends items in place. So units are looked at, in portions
//    of items; otherwise deltas would depend on how the store packs its items. A store that joins tombstones before the commit may
//    do so too: kind Deleted is told like any other content.
#pragma once

#include <span>
#include <vector>

#include "listeners.h"
#include "marks.h"
#include "store.h"

namespace diaryx::crdt {

class Store::EventBuilder {
 public:
  explicit EventBuilder(Store& store);

  /// Appends what each observer is told.
  void run(std::vector<Notice>& notices);

 private:
  enum class Fate : uint8_t { Kept, Added, Deleted };
  struct Portion {
    Fate fate;
    uint32_t offset;
    uint32_t length;
  };
  struct ChangedType {
    TypeRef type;
    bool list = false;
    std::vector<KeyRef> keys;  // each once
  };
  struct Walk {
    ItemRef at;  // everything left of it is as it was
    uint32_t kept = 0;  // visible units left of it
    size_t changed = 0;  // changed items from here on
  };

  // events.cpp
  std::vector<ChangedType> changed_types() const;
  void find_changed_items();
  std::span<const std::pair<TypeRef, ItemRef>> changed_items(TypeRef type) const;
  Event event_of(const ChangedType& changed);
  std::vector<PathStep> path(TypeRef from, TypeRef to);
  std::vector<KeyChange> key_changes(const ChangedType& changed) const;
  bool is_new(const Item& item) const { return item.clock >= store_.before(item.client); }
  /// How many of the first `units` units the transaction deleted.
  uint32_t deleted_units(const Item& item, uint32_t units) const;
  bool is_deleted_now(const Item& item) const { return item.deleted() && deleted_units(item, item.length) > 0; }
  /// True if some of the item is new, or it was deleted now.
  bool is_changed(const Item& item) const { return item.end() > store_.before(item.client) || is_deleted_now(item); }
  /// Calls `visit(Portion)` for what an observer can see of the item.
  template <typename Visit>
  void for_each_portion(const Item& item, Visit&& visit) const {
    const uint32_t before = store_.before(item.client);
    const uint32_t old = before <= item.clock ? 0 : std::min(item.length, before - item.clock);
    if (item.deleted()) {
      if (const uint32_t gone = deleted_units(item, old); gone > 0) visit(Portion{Fate::Deleted, 0, gone});
      return;
    }
    if (old > 0) visit(Portion{Fate::Kept, 0, old});
    if (old < item.length) visit(Portion{Fate::Added, old, item.length - old});
  }
  Walk begin_walk(TypeRef type);

  Delta list_delta(TypeRef type);  // list_delta.cpp
  Delta text_delta(TypeRef type);  // text_delta.cpp

  Store& store_;
  std::vector<Deleted> deleted_;  // those of the transaction, by client index and clock
  bool has_changed_items_ = false;
  std::vector<std::pair<TypeRef, ItemRef>> changed_items_;  // of lists; sorted, each once
};

}  // namespace diaryx::crdt
