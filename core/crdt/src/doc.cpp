#include "diaryx/crdt/doc.h"

#include "handle_access.h"
#include "undo_state.h"

namespace diaryx::crdt {

Doc::Doc(const DocOptions& options) : store_(std::make_unique<Store>(options)) {}
Doc::Doc(Doc&&) noexcept = default;
Doc& Doc::operator=(Doc&&) noexcept = default;
Doc::~Doc() = default;

ClientId Doc::client() const { return store_->own_client(); }
void Doc::set_client(ClientId client) { store_->set_own_client(client); }
bool Doc::client_is_taken() const { return store_->own_client_is_taken(); }

namespace {

template <typename Handle>
Handle root_as(Store& store, std::string_view name, TypeKind kind) {
  return HandleAccess::make<Handle>(store, store.root(name, kind));
}

}  // namespace

Text Doc::text(std::string_view root) { return root_as<Text>(*store_, root, TypeKind::Text); }
Map Doc::map(std::string_view root) { return root_as<Map>(*store_, root, TypeKind::Map); }
Array Doc::array(std::string_view root) { return root_as<Array>(*store_, root, TypeKind::Array); }
XmlText Doc::xml_text(std::string_view root) { return root_as<XmlText>(*store_, root, TypeKind::XmlText); }
XmlElement Doc::xml_element(std::string_view root) { return root_as<XmlElement>(*store_, root, TypeKind::XmlElement); }
XmlFragment Doc::xml_fragment(std::string_view root) {
  return root_as<XmlFragment>(*store_, root, TypeKind::XmlFragment);
}

std::vector<Shared> Doc::roots() const {
  std::vector<Shared> result;
  for (const TypeRef root : store_->roots()) result.push_back(HandleAccess::make(*store_, root));
  return result;
}

std::optional<Shared> Doc::root(std::string_view name) const {
  const TypeRef root = store_->find_root(name);
  return some(root) ? std::optional<Shared>(HandleAccess::make(*store_, root)) : std::nullopt;
}

Observer Doc::observe(const Shared& type) {
  DX_ASSERT(&HandleAccess::store(type) == store_.get());
  return store_->observe(HandleAccess::type(type), false);
}
Observer Doc::observe_deep(const Shared& type) {
  DX_ASSERT(&HandleAccess::store(type) == store_.get());
  return store_->observe(HandleAccess::type(type), true);
}

std::vector<Subdocument> Doc::subdocuments() const { return store_->subdocuments(); }
void Doc::load(Transaction&, const Subdocument& subdocument) { store_->want_subdocument(subdocument.id, true); }
void Doc::unload(Transaction&, const Subdocument& subdocument) { store_->want_subdocument(subdocument.id, false); }

UndoManager Doc::track_undo(const UndoOptions& options) { return {store_.get(), store_->track_undo(options)}; }
void Doc::set_now(TimestampMs now) { store_->set_now(now); }

Transaction Doc::transact(TransactionOrigin origin, std::string_view tag) {
  store_->begin(origin, tag);
  return Transaction(store_.get());
}

Result<Commit> Doc::apply_update_v1(ByteView update, TransactionOrigin origin, std::string_view tag) {
  return store_->apply(update, Encoding::V1, origin, tag);
}

Result<Commit> Doc::take_update_v1(Bytes update, TransactionOrigin origin, std::string_view tag) {
  return store_->apply(update, Encoding::V1, origin, tag, &update);
}

Bytes Doc::encode_update_v1(const StateVector& known) const { return store_->encode(known, Encoding::V1); }

Result<Commit> Doc::apply_update_v2(ByteView update, TransactionOrigin origin, std::string_view tag) {
  return store_->apply(update, Encoding::V2, origin, tag);
}

Bytes Doc::encode_update_v2(const StateVector& known) const { return store_->encode(known, Encoding::V2); }

StateVector Doc::state_vector() const { return store_->state_vector(); }
DeleteSet Doc::delete_set() const { return store_->delete_set(); }
bool Doc::has_pending() const { return store_->has_pending(); }
StateVector Doc::missing() const { return store_->missing(); }
bool Doc::is_empty() const { return store_->is_empty(); }

uint32_t Doc::transaction_count() const { return store_->transaction_count(); }
size_t Doc::struct_count() const { return store_->struct_count(); }
size_t Doc::memory_bytes() const { return sizeof(Doc) + store_->memory_bytes(); }
void Doc::check_invariants() const { store_->check(); }

Transaction::~Transaction() {
  if (store_ == nullptr) return;
  Commit lost;
  store_->commit(lost);
}

Commit Transaction::commit() && {
  DX_ASSERT(store_ != nullptr);
  Store* store = std::exchange(store_, nullptr);
  Commit result;
  store->commit(result);
  return result;
}

void Transaction::leave_out_of_undo() {
  DX_ASSERT(store_ != nullptr);
  store_->leave_out_of_undo();
}

const Bytes& Commit::no_bytes() {
  static const Bytes kNone;
  return kNone;
}

bool Commit::touched(std::string_view root) const {
  for (const std::string& name : touched_roots_) {
    if (name == root) return true;
  }
  return false;
}

std::vector<std::string> Commit::changed_keys(std::string_view root_map) const {
  std::vector<std::string> keys;
  if (!details_) return keys;
  size_t begin = 0;
  for (const auto& [root, end] : details_->changed_keys) {
    if (touched_roots_[root] == root_map) keys.push_back(details_->key_texts.substr(begin, end - begin));
    begin = end;
  }
  return keys;
}

}  // namespace diaryx::crdt
