// Applying an update: room for its structs, a transaction around them, its deletions.
//
// Source: Yjs 13.6 src/utils/encoding.js (`readUpdateV2`, `readAndApplyDeleteSet`); docs/protocol.md.
#include <algorithm>

#include "diaryx/crdt/update.h"
#include "store.h"

namespace diaryx::crdt {
namespace {

// So many structs are rather copied as they came than written again.
constexpr size_t kWorthPassingOn = 16;
// The items of a larger document take the place of the structs that they come from: memory that was never touched is slow to get, and
// WebAssembly keeps what its memory once grew to.
constexpr size_t kMaxReserved = size_t{1} << 15;

}  // namespace

/// Deletes what is here and returns what is not yet.
DeleteSet Store::apply_deletes(const DeleteSet& deletes) {
  DeleteSet unknown;
  // A document that is loaded says twice what is deleted: its tombstones were noted as they were integrated, in this order.
  size_t noted = 0;
  const auto is_noted = [&](ClientIndex client, uint32_t clock, uint32_t end) {
    while (noted < deleted_.size() && (deleted_[noted].client != client || deleted_[noted].end() <= clock)) ++noted;
    return noted < deleted_.size() && deleted_[noted].clock <= clock && end <= deleted_[noted].end();
  };
  for (const DeleteSet::ClientRanges& entry : deletes.clients()) {
    const ClientIndex client = find_client(entry.client);
    const uint32_t known = some(client) ? state(client) : 0;
    std::optional<StructList::Place> near;  // ranges ascend
    for (const ClockRange& range : entry.ranges) {
      const uint32_t end = range.end().value();
      const uint32_t clock = range.start.value();
      if (is_noted(client, clock, end)) continue;
      if (end > known) {
        const uint32_t from = std::max(clock, known);
        unknown.add(entry.client, Clock{from}, Length{end - from});
      }
      near = delete_range(client, near, clock, std::min(end, known));
    }
  }
  return unknown;
}

/// Deletes the units [clock, stop) of a client. `near` is a place that is not behind `clock`, if one is known; a later one, if one is,
/// comes back.
std::optional<StructList::Place> Store::delete_range(ClientIndex client, std::optional<StructList::Place> near,
                                                     uint32_t clock, uint32_t stop) {
  const StructList& structs = clients_[raw(client)].structs;
  while (clock < stop) {
    near = near ? structs.find_behind(*near, clock) : structs.find(clock);
    ItemRef ref = structs.ref(*near);
    const Item& item = items_[ref];
    const uint32_t end = std::min(item.end(), stop);
    if (!item.deleted()) {
      as_came_ = nullptr;
      if (!some(item.parent_sub) && can_merge(item.kind) && collects_at_once(types_[item.parent])) {
        note_change(item.parent, KeyRef::None);
        list_changed(types_[item.parent]);
        (void)bury_part(*near, ref, clock - item.clock, end - clock);
      } else {
        if (item.clock < clock) ref = split(ref, clock - item.clock);
        if (items_[ref].end() > stop) (void)split(ref, stop - items_[ref].clock);
        erase(ref);
      }
      near.reset();  // structs were split or merged
    }
    clock = end;
  }
  return near;
}

/// Lets go of the bytes of an update before its structs are integrated: their contents move to the heap, which is empty, and their names
/// become keys, as they will be anyway; no key is new while they are integrated.
void Store::take_over(DecodedUpdate& update, Bytes& bytes) {
  const auto has_name = [](const StructView& view) {
    return view.kind == ContentKind::Format || (view.kind == ContentKind::Type && has_node_name(view.type_kind));
  };
  heap_.reserve(update.content_bytes);
  for (size_t i = 0; i < update.structs.size(); ++i) {
    StructView& view = update.structs[i];
    if (view.bits & StructView::kHasSub) view.sub_key = keys_.intern(view.sub());
    if (view.parent_form == ParentForm::Root) (void)keys_.intern(view.root());
    if (has_name(view)) (void)keys_.intern(view.name());
    const uint32_t at = view.is_padded ? heap_.add_padded(view.content()) : heap_.add(view.content());
    view.set_content(heap_.view(at, view.content_size));
    view.is_padded = false;
  }
  const auto kept = [this](std::string_view name) { return keys_.text(keys_.intern(name)); };
  for (size_t i = 0; i < update.structs.size(); ++i) {
    StructView& view = update.structs[i];
    if (view.bits & StructView::kHasSub) view.set_sub(keys_.text(view.sub_key));
    if (view.parent_form == ParentForm::Root) view.set_root(kept(view.root()));
    if (has_name(view)) view.set_name(kept(view.name()));
  }
  heap_.hold();
  update.scratch = {};
  Bytes().swap(bytes);
}

/// A document that is loaded gets memory of the right size, once.
void Store::reserve_for(const DecodedUpdate& update) {
  if (update.structs.size() <= kMaxReserved) items_.reserve(static_cast<uint32_t>(update.structs.size()));
  for (const ClientBlock& block : update.blocks) {
    if (block.count >= kLoadedStructs) clients_[raw(client_index(block.client))].structs.reserve(block.count);
  }
}

Result<Commit> Store::apply(ByteView bytes, Encoding encoding, TransactionOrigin origin, std::string_view tag,
                            Bytes* owned) {
  DX_ASSERT(!open_);
  Result<DecodedUpdate> decoded = decode_update(bytes, encoding, options_.limits);
  if (!decoded) return std::unexpected(decoded.error());
  DecodedUpdate& update = *decoded;
  if (!heap_.has_room(update.content_bytes)) return fail(ErrorCode::TooLarge);
  if (update.blocks.size() > kMaxClients - clients_.size()) return fail(ErrorCode::TooLarge);
  const bool may_go_on = emits_v1() && !has_pending() && update.structs.size() >= kWorthPassingOn;
  const ByteView came = may_go_on ? bytes.first(update.as_written_bytes) : ByteView{};
  if (update.structs.size() >= kLoadedStructs) {
    if (owned != nullptr && heap_.size() == 0 && came.empty()) {
      take_over(update, *owned);
    } else {
      heap_.reserve(update.content_bytes);
    }
    reserve_for(update);
  }
  const uint32_t own_before = state(own_);
  begin(origin, tag);
  AsCame as_came{came, owned};
  if (!came.empty()) as_came_ = &as_came;
  apply_decoded(update);
  heap_.settle();
  if (state(own_) != own_before) own_taken_ = true;
  Result<Commit> result(std::in_place);
  commit(*result);
  return result;
}

StateVector Store::missing() const {
  StateVector result;
  for (const Missing& wanted : missing_) result.set(wanted.client, Clock{wanted.clock + 1});
  return result;
}

}  // namespace diaryx::crdt
