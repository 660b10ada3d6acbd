// A store, or a part of it, as update bytes.
#include <algorithm>

#include "diaryx/crdt/update.h"
#include "store.h"
#include "update_algebra.h"

namespace diaryx::crdt {

/// The views point into the store: valid until it changes.
StructView Store::view(const Item& item) const {
  StructView view;
  view.kind = item.kind;
  view.clock = item.clock;
  view.length = item.length;
  if (item.is_gc()) return view;
  if (some(item.origin.client)) {
    view.bits |= StructView::kHasOrigin;
    view.origin_client = client_id(item.origin.client).value();
    view.origin_clock = item.origin.clock;
  }
  if (some(item.right_origin.client)) {
    view.bits |= StructView::kHasRightOrigin;
    view.right_client = client_id(item.right_origin.client).value();
    view.right_clock = item.right_origin.clock;
  }
  const bool has_origin = view.bits != 0;
  if (some(item.parent_sub)) view.bits |= StructView::kHasSub;
  if (!has_origin) {
    const SharedType& parent = types_[item.parent];
    if (parent.is_root) {
      view.parent_form = ParentForm::Root;
      view.set_root(keys_.text(parent.name));
    } else {
      const Item& container = items_[parent.item];
      view.parent_form = ParentForm::Item;
      view.origin_client = client_id(container.client).value();
      view.origin_clock = container.clock;
    }
    if (some(item.parent_sub)) view.set_sub(keys_.text(item.parent_sub));
  }
  if (lives_in_heap(item.kind)) view.set_content(content(item).subspan(value_prefix(item.kind)));
  if (item.kind == ContentKind::Format) view.set_name(keys_.text(format_key(item)));
  if (item.kind == ContentKind::Type) {
    const SharedType& inner = types_[type_of(item)];
    view.type_kind = inner.kind;
    if (some(inner.name)) view.set_name(keys_.text(inner.name));
  }
  return view;
}

/// The info byte and the ids of an item of a list that has at least one, then its text or, for a tombstone, its length.
template <typename Out>
[[gnu::always_inline]] inline void Store::write_plain(Out& out, const Item& item, LocalId origin,
                                                      uint32_t offset) const {
  const bool is_text = item.kind == ContentKind::String;
  const auto wire_id = [this](LocalId id) {
    return some(id.client) ? WireId{client_id(id.client).value(), id.clock} : WireId{};
  };
  const auto info =
      static_cast<uint8_t>(static_cast<uint8_t>(item.kind) | (some(origin.client) ? StructView::kHasOrigin : 0) |
                           (some(item.right_origin.client) ? StructView::kHasRightOrigin : 0));
  const WireId left = wire_id(origin);
  const WireId right = wire_id(item.right_origin);
  const uint32_t length = item.length - offset;
  if (!is_text) return out.plain(info, left, right, length);
  out.plain(info, left, right, as_text(content(item).subspan(offset)), length);
}

/// A whole item. What makes nearly all of a text (pieces of it, deleted ones, collected ones) is written straight from the store.
template <typename Out>
void Store::write_item(Out& out, ClientId client, const Item& item) const {
  if (item.is_gc()) {
    out.info(static_cast<uint8_t>(ContentKind::Gc));
    return out.length(item.length);
  }
  const bool has_ids = some(item.origin.client) || some(item.right_origin.client);
  const bool is_text = item.kind == ContentKind::String;
  if ((!is_text && item.kind != ContentKind::Deleted) || some(item.parent_sub) || !has_ids) {
    return write_struct(out, client.value(), view(item), 0);
  }
  write_plain(out, item, item.origin, 0);
}

/// An item from unit `offset` on. A letter typed behind others is written straight from the store, too. Of the values that were joined
/// last the border is known.
template <typename Out>
void Store::write_rest(Out& out, ClientId client, const Item& item, uint32_t offset) const {
  if (offset == 0) return write_item(out, client, item);
  const bool is_ascii = item.kind == ContentKind::String && item.content_bytes == item.length;
  if (is_ascii && !some(item.parent_sub)) [[likely]]
    return write_plain(out, item, {item.client, item.clock + offset - 1}, offset);
  StructView rest = view(item);
  const bool knows_border = joined_values_.units > 0 && joined_values_.content == item.content;
  if (item.kind == ContentKind::Any && knows_border && joined_values_.units <= offset) {
    rest.clock += joined_values_.units;
    rest.length -= joined_values_.units;
    rest.set_content(rest.content().subspan(joined_values_.bytes));
    offset -= joined_values_.units;
    rest.bits |= StructView::kHasOrigin;
    rest.origin_client = client.value();
    rest.origin_clock = rest.clock - 1;
  }
  write_struct(out, client.value(), rest, offset);
}

template <typename Out>
void Store::write_client(Out& out, const Client& client, uint32_t from) const {
  const StructList& structs = client.structs;
  StructList::Place at = structs.find(from);
  out.rest().var_uint(structs.count_from(at));
  out.client(client.id.value());
  out.rest().var_uint(from);
  write_rest(out, client.id, items_[structs.ref(at)], from - structs.clock(at));
  structs.for_each_from(structs.after(at), [&](ItemRef ref) { write_item(out, client.id, items_[ref]); });
}

template <typename Out>
void Store::write_clients(Out& out, std::span<const ClientFrom> clients) const {
  out.rest().var_uint(clients.size());
  for (const ClientFrom& entry : clients) write_client(out, clients_[raw(entry.client)], entry.clock);
}

template <typename Out>
void Store::write_all(Out& out, std::span<const ClientFrom> clients, const DeleteSet& deletes) const {
  write_clients(out, clients);
  out.deletes(deletes);
}

Bytes Store::encode_structs(std::span<const ClientFrom> clients, const DeleteSet& deletes, Encoding encoding) const {
  if (encoding == Encoding::V1) {
    OutV1 out;
    // A large document from its beginning is rather given a little too much memory than moved again and again while it is written.
    constexpr size_t kManyStructs = 4096, kLikelyHead = 16;
    size_t structs = 0;
    for (const ClientFrom& entry : clients)
      structs += entry.clock == 0 ? clients_[raw(entry.client)].structs.size() : 0;
    if (structs >= kManyStructs) out.rest().reserve(heap_.size() + kLikelyHead * structs);
    write_all(out, clients, deletes);
    return out.finish();
  }
  OutV2 out;
  write_all(out, clients, deletes);
  return out.finish();
}

/// What came in whole goes out as it came.
Bytes Store::pass_on(const DeleteSet& deletes) {
  transaction_out_.deletes(deletes);
  const Bytes behind = transaction_out_.finish();
  Bytes all;
  if (as_came_->owned != nullptr) {
    all = std::move(*as_came_->owned);
    all.resize(as_came_->structs.size());
  } else {
    all.reserve(as_came_->structs.size() + behind.size());
    all.assign(as_came_->structs.begin(), as_came_->structs.end());
  }
  all.insert(all.end(), behind.begin(), behind.end());
  return all;
}

/// A keystroke's update is a few dozen bytes, written to a place that is kept.
Bytes Store::encode_transaction(std::span<const ClientFrom> clients, const DeleteSet& deletes) {
  if (as_came_ != nullptr) return pass_on(deletes);
  write_all(transaction_out_, clients, deletes);
  return transaction_out_.finish();
}

Bytes Store::encode(const StateVector& known, Encoding encoding) const {
  std::vector<ClientFrom> clients;
  for (auto at = client_order_.rbegin(); at != client_order_.rend(); ++at) {
    const uint32_t from = known.get(client_id(*at)).value();
    if (state(*at) > from) clients.push_back({*at, from});
  }
  if (!has_pending()) return encode_structs(clients, delete_set(), encoding);
  // What waits goes along, so that no replica loses it. It is kept as v2, which holds every value.
  const Bytes encoded = encode_structs(clients, delete_set(), Encoding::V2);
  std::vector<ByteView> parts = {encoded};
  Bytes deletes;
  Bytes structs;
  if (!pending_deletes_.empty()) {
    deletes = encode_structs({}, pending_deletes_, Encoding::V2);
    parts.push_back(deletes);
  }
  if (!pending_update_.empty()) {
    auto diff = diff_update(pending_update_, Encoding::V2, known, kTrusted);
    DX_ASSERT(diff.has_value());
    structs = std::move(*diff);
    parts.push_back(structs);
  }
  auto merged = merge_updates(parts, Encoding::V2, kTrusted);
  if (merged && encoding == Encoding::V1) merged = convert_update(*merged, Encoding::V2, Encoding::V1, kTrusted);
  DX_ASSERT(merged.has_value());
  return std::move(*merged);
}

}  // namespace diaryx::crdt
