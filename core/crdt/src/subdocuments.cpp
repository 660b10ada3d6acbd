// Subdocuments: what a Doc item says, and which of them this replica wants.
//
// Source: Yjs 13.6 src/structs/ContentDoc.js, src/utils/Doc.js; docs/protocol.md.
#include <algorithm>

#include "any_codec.h"
#include "listeners.h"
#include "undo_state.h"

namespace diaryx::crdt {
namespace {

uint64_t place_of(LocalId id) { return uint64_t{raw(id.client)} << 32 | id.clock; }

bool is_true(const Any& options, std::string_view name) {
  const Any* found = options.find(name);
  return found != nullptr && found->as_bool() != nullptr && *found->as_bool();
}

}  // namespace

ItemRef Store::insert_subdocument(TypeRef parent, Gap gap, KeyRef sub, const NewSubdocument& subdocument) {
  Any::Object options;  // only what differs from the defaults, in the order of Yjs
  if (!subdocument.gc) options.push_back({"gc", Any::boolean(false)});
  if (subdocument.auto_load) options.push_back({"autoLoad", Any::boolean(true)});
  if (!subdocument.meta.is_null() && !subdocument.meta.is_undefined()) options.push_back({"meta", subdocument.meta});
  Sink content;
  content.var_string(subdocument.guid);
  encode_any(Any::object(std::move(options)), content);
  const ItemRef made = insert(parent, gap, sub, ContentKind::Doc, 1, content.view());
  if (subdocument.should_load) {
    const Item& item = items_[made];
    want_subdocument({client_id(item.client), Clock{item.clock}}, true);
  }
  return made;
}

Subdocument Store::subdocument(const Item& item) const {
  DX_ASSERT(item.kind == ContentKind::Doc);
  Cursor in(content(item));
  Subdocument result{.id = {client_id(item.client), Clock{item.clock}}, .guid = std::string(as_text(in.var_bytes()))};
  result.options = decode_any(in, 0xffffffffu);
  if (listeners_) {
    const auto known = listeners_->subdoc_by_id.find(place_of(item.id()));
    if (known != listeners_->subdoc_by_id.end()) result.should_load = listeners_->subdocs[known->second].wanted;
  }
  return result;
}

std::vector<Subdocument> Store::subdocuments() const {
  std::vector<Subdocument> result;
  if (!listeners_) return result;
  for (const Listeners::Subdoc& one : listeners_->subdocs) {
    if (!one.is_gone) result.push_back(subdocument(items_[find(one.id)]));
  }
  return result;
}

void Store::subdocument_added(const Item& item) {
  Listeners& all = listeners();
  const auto at = static_cast<uint32_t>(all.subdocs.size());
  all.subdocs.push_back({.id = item.id(), .is_new = true});
  all.subdoc_by_id[place_of(item.id())] = at;
  all.added.push_back(at);
  const Any options = subdocument(item).options;
  if (is_true(options, "shouldLoad") || is_true(options, "autoLoad")) {
    all.subdocs[at].wanted = true;
    all.loaded.push_back(at);
  }
}

void Store::subdocument_removed(const Item& item) {
  Listeners& all = listeners();
  const auto known = all.subdoc_by_id.find(place_of(item.id()));
  DX_ASSERT(known != all.subdoc_by_id.end());
  Listeners::Subdoc& one = all.subdocs[known->second];
  one.is_gone = true;
  if (one.is_new) {
    std::erase(all.added, known->second);
    all.subdoc_by_id.erase(known);
  } else {
    all.removed.push_back(known->second);
  }
}

void Store::want_subdocument(Id id, bool wanted) {
  DX_ASSERT(open_);
  if (!listeners_) return;
  Listeners& all = *listeners_;
  const ClientIndex client = find_client(id.client);
  const auto known = all.subdoc_by_id.find(place_of({client, id.clock.value()}));
  if (!some(client) || known == all.subdoc_by_id.end()) return;
  Listeners::Subdoc& one = all.subdocs[known->second];
  if (one.is_gone || one.wanted == wanted) return;
  one.wanted = wanted;
  if (wanted) {
    all.loaded.push_back(known->second);
    return;
  }
  std::erase(all.loaded, known->second);
  if (one.is_new) return;
  all.added.push_back(known->second);
  all.removed.push_back(known->second);
}

void Store::tell_subdocuments(Commit& commit) {
  Listeners& all = *listeners_;
  SubdocumentChanges& changes = commit.details().subdocuments;
  const auto tell = [&](std::vector<uint32_t>& indices, std::vector<Subdocument>& out) {
    for (const uint32_t at : indices) {
      all.subdocs[at].is_new = false;
      out.push_back(subdocument(items_[find(all.subdocs[at].id)]));
    }
    indices.clear();
  };
  const std::vector<uint32_t> removed = all.removed;
  tell(all.added, changes.added);
  tell(all.removed, changes.removed);
  tell(all.loaded, changes.loaded);
  for (const uint32_t at : removed) {
    if (all.subdocs[at].is_gone) all.subdoc_by_id.erase(place_of(all.subdocs[at].id));
  }
}

}  // namespace diaryx::crdt
