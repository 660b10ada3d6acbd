#include "marks.h"
#include "diaryx/base/sort.h"

#include <algorithm>
#include <cmath>

namespace diaryx::crdt {
namespace {

bool is_object(const MarkValue& value) {
  const auto tag = static_cast<uint8_t>(value.any.front());
  return tag >= static_cast<uint8_t>(AnyTag::Bytes) && tag <= static_cast<uint8_t>(AnyTag::Object);
}

/// Plain values; two objects are never the same object here.
bool same_primitive(const Any& a, const Any& b) {
  if (a.kind() != b.kind()) return false;
  if (const double* number = a.as_number()) return *number == *b.as_number();
  return a.kind() < Any::Kind::Bytes && a == b;
}

/// The members of an object, and those of an array under their indices.
Any::Object members_of(const Any& value) {
  if (const Any::Object* object = value.as_object()) return *object;
  Any::Object members;
  if (const Any::Array* array = value.as_array()) {
    for (const Any& element : *array) members.push_back({std::to_string(members.size()), element});
  } else if (const Bytes* bytes = value.as_bytes()) {
    for (const uint8_t byte : *bytes) members.push_back({std::to_string(members.size()), Any::number(byte)});
  }
  return members;
}

}  // namespace

bool strictly_equal(const MarkValue& a, const MarkValue& b) {
  if (is_object(a) || is_object(b)) return a.identity != 0 && a.identity == b.identity;
  if (a.any == b.any && a.any.size() < 9) return true;  // no NaN: that has nine bytes
  return same_primitive(decode_trusted_any(as_bytes(a.any)), decode_trusted_any(as_bytes(b.any)));
}

bool equal_attributes(const MarkValue& a, const MarkValue& b) {
  if (strictly_equal(a, b)) return true;
  if (!is_object(a) || !is_object(b)) return false;
  const Any::Object left = members_of(decode_trusted_any(as_bytes(a.any)));
  const Any right = Any::object(members_of(decode_trusted_any(as_bytes(b.any))));
  if (left.size() != right.as_object()->size()) return false;
  return std::all_of(left.begin(), left.end(), [&](const Any::Member& member) {
    const Any* other = right.find(member.key);
    return other != nullptr && same_primitive(member.value, *other);
  });
}

const MarkValue* Marks::find(KeyRef key) const {
  for (const Entry& entry : entries_) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

MarkValue Marks::get(KeyRef key) const {
  const MarkValue* found = find(key);
  return found == nullptr ? MarkValue{} : *found;
}

void Marks::set(KeyRef key, MarkValue value) {
  for (Entry& entry : entries_) {
    if (entry.first == key) {
      entry.second = std::move(value);
      return;
    }
  }
  entries_.emplace_back(key, std::move(value));
}

void Marks::erase(KeyRef key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.first == key; });
}

void Marks::fold(KeyRef key, const MarkValue& value) {
  if (value.is_null()) {
    erase(key);
  } else {
    set(key, value);
  }
}

void Marks::order_as_object(const Store& store) {
  const auto name = [&](const Entry& entry) { return store.keys().text(entry.first); };
  const auto is_index = [&](const Entry& entry) { return is_array_index(name(entry)); };
  if (std::none_of(entries_.begin(), entries_.end(), is_index)) return;
  std::vector<Entry> ordered;
  for (const Entry& entry : entries_) {
    if (is_index(entry)) ordered.push_back(entry);
  }
  // No leading zeros: this is numeric.
  sort_compactly(ordered, [&](const Entry& a, const Entry& b) {
    return name(a).size() != name(b).size() ? name(a).size() < name(b).size() : name(a) < name(b);
  });
  for (const Entry& entry : entries_) {
    if (!is_index(entry)) ordered.push_back(entry);
  }
  entries_ = std::move(ordered);
}

Marks marks_from(Store& store, const Attributes& attributes) {
  Marks marks;
  for (const Any::Member& member : attributes) {
    Sink encoded;
    encode_any(member.value, encoded);
    MarkValue value{std::string(as_text(encoded.view())), 0};
    if (is_object(value)) value.identity = store.new_identity();
    marks.set(store.keys().intern(member.key), std::move(value));
  }
  marks.order_as_object(store);
  return marks;
}

Attributes attributes_of(const Store& store, const Marks& marks) {
  Attributes attributes;
  for (const auto& [key, value] : marks.entries()) {
    attributes.push_back({std::string(store.keys().text(key)), decode_trusted_any(as_bytes(value.any))});
  }
  return attributes;
}

KeyRef mark_key(const Store& store, const Item& item) {
  KeyRef key;
  memcpy(&key, store.content(item).data(), sizeof key);
  return key;
}

MarkValue mark_value(const Store& store, const Item& item) {
  const ByteView bytes = store.content(item);
  MarkValue value;
  memcpy(&value.identity, bytes.data() + value_prefix(item.kind) - 4, 4);
  value.any = as_text(bytes.subspan(value_prefix(item.kind)));
  return value;
}

}  // namespace diaryx::crdt
