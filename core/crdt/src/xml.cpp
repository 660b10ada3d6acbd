#include "diaryx/crdt/xml.h"

#include "diaryx/crdt/array.h"
#include "entries.h"
#include "handle_access.h"
#include "values.h"

namespace diaryx::crdt {
namespace {

constexpr TypeRef as_type(uint32_t type) { return static_cast<TypeRef>(type); }
constexpr ItemRef as_item(uint32_t item) { return static_cast<ItemRef>(item); }

std::string node_name(const Store& store, TypeRef type) {
  const SharedType& at = store.type(type);
  if (at.is_root) return "UNDEFINED";
  return std::string(some(at.name) ? store.keys().text(at.name) : std::string_view{});
}

bool is_node(const Item& item) { return item.kind == ContentKind::Type && !item.deleted(); }

/// The nearest node in the list of a node, to the right or to the left.
std::optional<Shared> sibling(const Shared& node, ItemRef Item::* direction) {
  const Store& store = HandleAccess::store(node);
  ItemRef ref = store.type(HandleAccess::type(node)).item;
  if (!some(ref) || some(store.item(ref).parent_sub)) return std::nullopt;
  do {
    ref = store.item(ref).*direction;
  } while (some(ref) && !is_node(store.item(ref)));
  if (!some(ref)) return std::nullopt;
  return HandleAccess::make(store, store.type_of(store.item(ref)));
}

}  // namespace

size_t XmlFragment::size() const { return store_->type(as_type(type_)).length; }

std::optional<Value> XmlFragment::at(size_t index) const {
  if (index >= size()) return std::nullopt;
  const Store::Found found = store_->find_unit(as_type(type_), static_cast<uint32_t>(index));
  return content_at(*store_, store_->item(found.item), found.offset);
}

std::optional<XmlElement> XmlFragment::get_element(size_t index) const {
  const std::optional<Value> child = at(index);
  const Shared* node = child ? std::get_if<Shared>(&*child) : nullptr;
  return node == nullptr ? std::nullopt : node->as_xml_element();
}

std::optional<XmlText> XmlFragment::get_text(size_t index) const {
  const std::optional<Value> child = at(index);
  const Shared* node = child ? std::get_if<Shared>(&*child) : nullptr;
  return node == nullptr ? std::nullopt : node->as_xml_text();
}

std::vector<Value> XmlFragment::children() const { return contents_of(*store_, as_type(type_)); }

std::optional<Shared> XmlFragment::first_child() const {
  ItemRef ref = store_->type(as_type(type_)).start;
  while (some(ref) && !is_node(store_->item(ref))) ref = store_->item(ref).right;
  if (!some(ref)) return std::nullopt;
  return HandleAccess::make(*store_, store_->type_of(store_->item(ref)));
}

Result<void> XmlFragment::insert(Transaction&, size_t index, std::span<const NewValue> children) {
  if (index > size()) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_new_elements(*store_, children));
  put_elements(*store_, as_type(type_), store_->gap_at(as_type(type_), static_cast<uint32_t>(index)), children);
  return {};
}

Result<void> XmlFragment::push(Transaction&, std::span<const NewValue> children) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_new_elements(*store_, children));
  // Unlike an array, which appends behind the tombstones at its end.
  const auto end = static_cast<uint32_t>(size());
  put_elements(*store_, as_type(type_), store_->gap_at(as_type(type_), end), children);
  return {};
}

Result<XmlElement> XmlFragment::insert_element(Transaction& txn, size_t index, std::string_view name) {
  const NewValue made = NewType::xml_element(std::string(name));
  DX_TRY_VOID(insert(txn, index, {&made, 1}));
  return *get_element(index);
}

Result<XmlText> XmlFragment::insert_text(Transaction& txn, size_t index, std::string_view utf8) {
  const NewValue made = NewType::xml_text(std::string(utf8));
  DX_TRY_VOID(insert(txn, index, {&made, 1}));
  return *get_text(index);
}

Result<XmlHook> XmlFragment::insert_hook(Transaction& txn, size_t index, std::string_view name) {
  const NewValue made = NewType::xml_hook(std::string(name));
  DX_TRY_VOID(insert(txn, index, {&made, 1}));
  return *std::get<Shared>(*at(index)).as_xml_hook();
}

Result<void> XmlFragment::erase(Transaction&, size_t index, size_t count) {
  if (index > size() || count > size() - index) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  store_->erase_units(as_type(type_), static_cast<uint32_t>(index), static_cast<uint32_t>(count), Store::Keep::Nothing);
  return {};
}

std::string XmlElement::name() const { return node_name(*store_, as_type(type_)); }
std::optional<Value> XmlElement::attribute(std::string_view key) const { return entry_at(*this, key); }
std::vector<std::pair<std::string, Value>> XmlElement::attributes() const { return entries_of(*this); }
Result<void> XmlElement::set_attribute(Transaction&, std::string_view key, const NewValue& value) {
  return set_entry(*this, key, value);
}
bool XmlElement::remove_attribute(Transaction&, std::string_view key) { return remove_entry(*this, key); }

std::optional<Shared> XmlElement::next_sibling() const { return sibling(*this, &Item::right); }
std::optional<Shared> XmlElement::previous_sibling() const { return sibling(*this, &Item::left); }
std::optional<Shared> XmlText::next_sibling() const { return sibling(*this, &Item::right); }
std::optional<Shared> XmlText::previous_sibling() const { return sibling(*this, &Item::left); }
std::optional<Shared> XmlHook::next_sibling() const { return sibling(*this, &Item::right); }
std::optional<Shared> XmlHook::previous_sibling() const { return sibling(*this, &Item::left); }

std::string XmlHook::name() const { return node_name(*store_, as_type(type_)); }

XmlTreeWalker::XmlTreeWalker(const XmlFragment& root)
    : store_(&HandleAccess::store(root)),
      root_(raw(HandleAccess::type(root))),
      next_(raw(store_->type(as_type(root_)).start)) {}

std::optional<Shared> XmlTreeWalker::next() {
  while (some(as_item(next_))) {
    const Item& item = store_->item(as_item(next_));
    const bool found = is_node(item);
    ItemRef after = ItemRef::None;
    if (found) {
      const SharedType& type = store_->type(store_->type_of(item));
      if (type.kind == TypeKind::XmlElement || type.kind == TypeKind::XmlFragment) after = type.start;
    }
    // No children: to the right, or up until there is something to the right.
    for (ItemRef at = as_item(next_); !some(after); at = store_->type(store_->item(at).parent).item) {
      after = store_->item(at).right;
      if (some(after) || raw(store_->item(at).parent) == root_) break;
    }
    next_ = raw(after);
    if (found) return HandleAccess::make(*store_, store_->type_of(item));
  }
  return std::nullopt;
}

}  // namespace diaryx::crdt
