#include "diaryx/crdt/array.h"

#include "diaryx/crdt/map.h"
#include "diaryx/crdt/text.h"
#include "handle_access.h"
#include "new_values.h"
#include "values.h"

namespace diaryx::crdt {
namespace {

constexpr TypeRef as_type(uint32_t type) { return static_cast<TypeRef>(type); }

Result<void> check_values(const Store& store, std::span<const Any> values) {
  size_t bytes = 0;
  for (const Any& value : values) {
    if (value.kind() == Any::Kind::Undefined || value.kind() == Any::Kind::BigInt) return fail(ErrorCode::WrongType);
    DX_TRY_VOID(check_value(value, store.limits().max_depth, bytes));
  }
  if (!store.has_room(values.size(), bytes)) return fail(ErrorCode::TooLarge);
  return {};
}

ItemRef item_at(Store& store, uint32_t type, size_t index) {
  if (index >= store.type(as_type(type)).length) return ItemRef::None;
  return store.find_unit(as_type(type), static_cast<uint32_t>(index)).item;
}

Result<TypeRef> insert_inner(Store& store, uint32_t type, size_t index, TypeKind kind) {
  if (index > store.type(as_type(type)).length) return fail(ErrorCode::OffsetOutOfRange);
  if (!store.is_live(as_type(type))) return fail(ErrorCode::WrongType);
  if (!store.has_room(1, 0)) return fail(ErrorCode::TooLarge);
  const Gap gap = store.gap_at(as_type(type), static_cast<uint32_t>(index));
  return store.type_of(store.item(store.insert_type(as_type(type), gap, KeyRef::None, kind)));
}

}  // namespace

size_t Array::size() const { return store_->type(as_type(type_)).length; }

std::optional<Any> Array::get(size_t index) const {
  if (index >= size()) return std::nullopt;
  const Store::Found found = store_->find_unit(as_type(type_), static_cast<uint32_t>(index));
  return value_at(*store_, store_->item(found.item), found.offset);
}

std::optional<Value> Array::at(size_t index) const {
  if (index >= size()) return std::nullopt;
  const Store::Found found = store_->find_unit(as_type(type_), static_cast<uint32_t>(index));
  return content_at(*store_, store_->item(found.item), found.offset);
}

std::optional<Map> Array::get_map(size_t index) const {
  const auto inner = type_at(*store_, item_at(*store_, type_, index), TypeKind::Map);
  return inner ? std::optional<Map>(HandleAccess::make<Map>(*store_, *inner)) : std::nullopt;
}

std::optional<Array> Array::get_array(size_t index) const {
  const auto inner = type_at(*store_, item_at(*store_, type_, index), TypeKind::Array);
  return inner ? std::optional<Array>(HandleAccess::make<Array>(*store_, *inner)) : std::nullopt;
}

std::optional<Text> Array::get_text(size_t index) const {
  const auto inner = type_at(*store_, item_at(*store_, type_, index), TypeKind::Text);
  return inner ? std::optional<Text>(HandleAccess::make<Text>(*store_, *inner)) : std::nullopt;
}

std::vector<Any> Array::to_vector() const {
  std::vector<Any> plain;
  for (Value& value : values()) {
    if (Any* any = std::get_if<Any>(&value)) plain.push_back(std::move(*any));
  }
  return plain;
}

std::vector<Value> Array::values() const { return contents_of(*store_, as_type(type_)); }

Result<void> Array::insert(Transaction&, size_t index, std::span<const Any> values) {
  if (index > size()) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_values(*store_, values));
  if (values.empty()) return {};
  store_->insert_values(as_type(type_), store_->gap_to_fill(as_type(type_), static_cast<uint32_t>(index)), values);
  return {};
}

Result<void> Array::push(Transaction&, std::span<const Any> values) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_values(*store_, values));
  store_->insert_values(as_type(type_), store_->gap_at_end(as_type(type_)), values);
  return {};
}

Result<void> Array::insert(Transaction&, size_t index, std::span<const NewValue> values) {
  if (index > size()) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_new_elements(*store_, values));
  put_elements(*store_, as_type(type_), store_->gap_at(as_type(type_), static_cast<uint32_t>(index)), values);
  return {};
}

Result<void> Array::push(Transaction&, std::span<const NewValue> values) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_new_elements(*store_, values));
  put_elements(*store_, as_type(type_), store_->gap_at_end(as_type(type_)), values);
  return {};
}

Result<Map> Array::insert_map(Transaction&, size_t index) {
  DX_TRY(const TypeRef inner, insert_inner(*store_, type_, index, TypeKind::Map));
  return HandleAccess::make<Map>(*store_, inner);
}

Result<Array> Array::insert_array(Transaction&, size_t index) {
  DX_TRY(const TypeRef inner, insert_inner(*store_, type_, index, TypeKind::Array));
  return HandleAccess::make<Array>(*store_, inner);
}

Result<Text> Array::insert_text(Transaction&, size_t index) {
  DX_TRY(const TypeRef inner, insert_inner(*store_, type_, index, TypeKind::Text));
  return HandleAccess::make<Text>(*store_, inner);
}

Result<void> Array::erase(Transaction&, size_t index, size_t count) {
  if (index > size() || count > size() - index) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  store_->erase_units(as_type(type_), static_cast<uint32_t>(index), static_cast<uint32_t>(count), Store::Keep::Nothing);
  return {};
}

}  // namespace diaryx::crdt
