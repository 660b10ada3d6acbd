// Who wants to know what, and what is gathered for them while a transaction runs. Private to the engine.
//
// A store has none until the first observer, undo manager or subdocument: then nothing is gathered and nothing is asked.
#pragma once

#include <map>
#include <vector>

#include "diaryx/crdt/event.h"
#include "item.h"

namespace diaryx::crdt {

class Store;

struct Listeners {
  struct Registration {
    uint32_t number;
    bool deep;
  };
  struct Subdoc {
    LocalId id;
    bool wanted = false;  // the application wants the content
    bool is_new = false;  // came in the open transaction
    bool is_gone = false;
  };

  // Observers: by TypeRef, in order of registration; and by their number the type, None once stopped.
  std::map<uint32_t, std::vector<Registration>> by_type;
  std::vector<TypeRef> observed;
  size_t observer_count = 0;
  // Set with the first observer: a program that observes nothing is linked without what makes events.
  void (*make_notices)(Store& store, std::vector<Notice>& notices) = nullptr;

  // Subdocuments in the order in which they came; the lists hold indices of what the open transaction did.
  std::vector<Subdoc> subdocs;
  std::map<uint64_t, uint32_t> subdoc_by_id;
  std::vector<uint32_t> added;
  std::vector<uint32_t> removed;
  std::vector<uint32_t> loaded;

  // Undo managers.
  std::vector<UndoEvent> undo_events;
  uint64_t last_step = 0;
  bool leave_out_of_undo = false;
};

}  // namespace diaryx::crdt
