// Source: Yjs 13.6 `typeListInsertGenericsAfter` in src/types/AbstractType.js, and `_integrate` of the types; docs/protocol.md.
#include "new_values.h"

#include <algorithm>

#include "any_codec.h"

namespace diaryx::crdt {
namespace {

/// What a value will take, and whether it may be there.
class Check {
 public:
  explicit Check(const Store& store) : store_(store), max_depth_(std::max(1u, store.limits().max_depth)) {}

  Result<void> element(const NewValue& value) {
    if (const Any* plain = std::get_if<Any>(&value)) {
      if (plain->is_undefined() || plain->kind() == Any::Kind::BigInt) return fail(ErrorCode::WrongType);
    }
    return entry(value);
  }

  Result<void> entry(const NewValue& value) {
    ++units_;
    if (const Any* plain = std::get_if<Any>(&value)) {
      return check_value(*plain, max_depth_, bytes_);
    }
    if (const auto* made = std::get_if<NewType>(&value)) return type(*made);
    const auto& subdocument = std::get<NewSubdocument>(value);
    bytes_ += 64;  // the names of its options
    DX_TRY_VOID(check_value(subdocument.meta, max_depth_ - 1, bytes_));
    return check_text(subdocument.guid, bytes_);
  }

  Result<void> room() const {
    if (!store_.has_room(units_, bytes_)) return fail(ErrorCode::TooLarge);
    return {};
  }

 private:
  Result<void> type(const NewType& made) {
    if (made.kind == Shared::Kind::Undeclared) return fail(ErrorCode::WrongType);
    DX_TRY_VOID(check_text(made.name, bytes_));
    DX_TRY_VOID(check_text(made.content, bytes_));
    units_ += made.content.size();  // at least as many as its units
    for (const NewValue& value : made.list) DX_TRY_VOID(element(value));
    for (const auto& [key, value] : made.entries) {
      DX_TRY_VOID(check_text(key, bytes_));
      DX_TRY_VOID(entry(value));
    }
    return {};
  }

  const Store& store_;
  uint32_t max_depth_;
  uint64_t units_ = 0;
  size_t bytes_ = 0;
};

ItemRef put_type(Store& store, TypeRef parent, Gap gap, KeyRef sub, const NewType& made) {
  const ItemRef ref = store.insert_type(parent, gap, sub, made.kind, made.name);
  fill(store, store.type_of(store.item(ref)), made);
  return ref;
}

}  // namespace

Result<void> check_new_elements(const Store& store, std::span<const NewValue> values) {
  Check check(store);
  for (const NewValue& value : values) DX_TRY_VOID(check.element(value));
  return check.room();
}

Result<void> check_new_entry(const Store& store, const NewValue& value) {
  Check check(store);
  DX_TRY_VOID(check.entry(value));
  return check.room();
}

/// Runs of plain values share an item; all items have the right neighbour of the gap as their right origin.
void put_elements(Store& store, TypeRef type, Gap gap, std::span<const NewValue> values) {
  Sink run;
  uint32_t run_length = 0;
  const auto finish_run = [&] {
    if (run_length > 0) gap.left = store.insert(type, gap, KeyRef::None, ContentKind::Any, run_length, run.view());
    run_length = 0;
    run.clear();
  };
  for (const NewValue& value : values) {
    const Any* plain = std::get_if<Any>(&value);
    const Bytes* bytes = plain == nullptr ? nullptr : plain->as_bytes();
    if (plain != nullptr && bytes == nullptr) {
      encode_any(*plain, run);
      ++run_length;
      continue;
    }
    finish_run();
    if (bytes != nullptr) {
      gap.left = store.insert(type, gap, KeyRef::None, ContentKind::Binary, 1, *bytes);
    } else if (const auto* made = std::get_if<NewType>(&value)) {
      gap.left = put_type(store, type, gap, KeyRef::None, *made);
    } else {
      gap.left = store.insert_subdocument(type, gap, KeyRef::None, std::get<NewSubdocument>(value));
    }
  }
  finish_run();
}

void put_entry(Store& store, TypeRef type, std::string_view key, const NewValue& value) {
  if (const Any* plain = std::get_if<Any>(&value)) return store.set_key(type, key, *plain);
  const KeyRef sub = store.keys().intern(key);
  const Gap gap{store.type(type).current(sub), ItemRef::None};
  if (const auto* made = std::get_if<NewType>(&value)) {
    (void)put_type(store, type, gap, sub, *made);
  } else {
    (void)store.insert_subdocument(type, gap, sub, std::get<NewSubdocument>(value));
  }
}

void fill(Store& store, TypeRef made, const NewType& description) {
  if (!description.content.empty()) {
    store.insert_text(made, 0, description.content, utf16_length(description.content).value());
  }
  put_elements(store, made, {}, description.list);
  for (const auto& [key, value] : description.entries) put_entry(store, made, key, value);
}

NewType NewType::array(std::vector<NewValue> values) { return {Shared::Kind::Array, {}, {}, std::move(values), {}}; }
NewType NewType::map(Entries entries) { return {Shared::Kind::Map, {}, {}, {}, std::move(entries)}; }
NewType NewType::text(std::string content) { return {Shared::Kind::Text, {}, std::move(content), {}, {}}; }
NewType NewType::xml_fragment(std::vector<NewValue> children) {
  return {Shared::Kind::XmlFragment, {}, {}, std::move(children), {}};
}
NewType NewType::xml_element(std::string name, Entries attributes, std::vector<NewValue> children) {
  return {Shared::Kind::XmlElement, std::move(name), {}, std::move(children), std::move(attributes)};
}
NewType NewType::xml_text(std::string content) { return {Shared::Kind::XmlText, {}, std::move(content), {}, {}}; }
NewType NewType::xml_hook(std::string name, Entries entries) {
  return {Shared::Kind::XmlHook, std::move(name), {}, {}, std::move(entries)};
}

}  // namespace diaryx::crdt
