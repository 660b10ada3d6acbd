#include "tagged.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "diaryx/base/base64.h"
#include "diaryx/base/result.h"

namespace diaryx::crdt::driver {
namespace {

Any tagged(std::string_view tag, std::string_view name, Any value) {
  return Any::object({{"$", Any::string(std::string(tag))}, {std::string(name), std::move(value)}});
}

Any number_from(std::string_view text) {
  if (text == "NaN") return Any::number(std::numeric_limits<double>::quiet_NaN());
  if (text == "Infinity") return Any::number(HUGE_VAL);
  if (text == "-Infinity") return Any::number(-HUGE_VAL);
  return Any::number(-0.0);
}

int64_t bigint_from(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  uint64_t magnitude = 0;  // modulo 2^64, as lib0 cuts it
  for (const char c : text.substr(negative ? 1 : 0)) magnitude = magnitude * 10 + static_cast<uint64_t>(c - '0');
  return static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
}

bool is_special_number(std::string_view text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity" || text == "-0";
}

bool is_whole_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The members as an object of JavaScript has them: indices come first, and of a key that comes twice the last value counts. Reading
/// JSON does that, so the keys make a way through it.
Any::Object as_in_javascript(Any::Object members) {
  Any::Object numbered;
  for (const Any::Member& one : members)
    numbered.push_back({one.key, Any::number(static_cast<double>(numbered.size()))});
  const Result<Any> ordered = Any::from_json(Any::object(std::move(numbered)).to_json());
  DX_ASSERT(ordered && ordered->as_object());  // the keys were read from JSON before
  Any::Object result;
  for (const Any::Member& one : *ordered->as_object())
    result.push_back({one.key, std::move(members[static_cast<size_t>(*one.value.as_number())].value)});
  return result;
}

}  // namespace

const Any& member(const Any& object, std::string_view name) {
  static const Any kUndefined;
  const Any* found = object.find(name);
  return found == nullptr ? kUndefined : *found;
}

std::string text_of(const Any& value) { return value.as_string() ? *value.as_string() : std::string(); }
Result<Bytes> bytes_from(const Any& value) {
  const std::string* text = value.as_string();
  if (text == nullptr || text->size() % 4 != 0) return fail(ErrorCode::InvalidBase64);
  return from_base64(*text);
}
std::string tag_of(const Any& value) { return text_of(member(value, "$")); }

Any sorted_object(Any::Object members) {
  std::sort(members.begin(), members.end(), [](const Any::Member& a, const Any::Member& b) { return a.key < b.key; });
  return Any::object(std::move(members));
}

bool is_tagged(const Any& json) {
  if (const Any::Array* elements = json.as_array()) return std::all_of(elements->begin(), elements->end(), is_tagged);
  const Any::Object* members = json.as_object();
  if (members == nullptr) return true;
  const std::string tag = tag_of(json);
  const std::string* text = member(json, "v").as_string();
  if (tag == "num") return text != nullptr && is_special_number(*text);
  if (tag == "bigint") return text != nullptr && is_whole_number(*text);
  if (tag == "bytes") return bytes_from(member(json, "b64")).has_value();
  return std::all_of(members->begin(), members->end(), [](const Any::Member& entry) { return is_tagged(entry.value); });
}

Any from_tagged(const Any& json) {
  if (const Any::Array* elements = json.as_array()) {
    Any::Array values;
    for (const Any& element : *elements) values.push_back(from_tagged(element));
    return Any::array(std::move(values));
  }
  const Any::Object* members = json.as_object();
  if (members == nullptr) return json;
  const std::string tag = tag_of(json);
  if (tag == "undef") return {};
  if (tag == "num") return number_from(text_of(member(json, "v")));
  if (tag == "bigint") return Any::bigint(bigint_from(text_of(member(json, "v"))));
  if (tag == "bytes") return Any::bytes(bytes_from(member(json, "b64")).value_or(Bytes{}));
  Any::Object result;
  if (tag == "obj") {
    if (const Any::Array* pairs = member(json, "v").as_array()) {
      for (const Any& pair : *pairs) {
        if (pair.as_array() && pair.as_array()->size() == 2) {
          result.push_back({text_of((*pair.as_array())[0]), from_tagged((*pair.as_array())[1])});
        }
      }
    }
    return Any::object(as_in_javascript(std::move(result)));
  }
  for (const Any::Member& entry : *members) result.push_back({entry.key, from_tagged(entry.value)});
  return Any::object(std::move(result));
}

Any to_tagged(const Any& value) {
  switch (value.kind()) {
    case Any::Kind::Undefined: return Any::object({{"$", Any::string("undef")}});
    case Any::Kind::Number: {
      const double number = *value.as_number();
      if (std::isnan(number)) return tagged("num", "v", Any::string("NaN"));
      if (std::isinf(number)) return tagged("num", "v", Any::string(number > 0 ? "Infinity" : "-Infinity"));
      if (number == 0 && std::signbit(number)) return tagged("num", "v", Any::string("-0"));
      return value;
    }
    case Any::Kind::BigInt: return tagged("bigint", "v", Any::string(value.to_json()));
    case Any::Kind::Bytes: return tagged("bytes", "b64", Any::string(to_base64(*value.as_bytes())));
    case Any::Kind::Array: {
      Any::Array elements;
      for (const Any& element : *value.as_array()) elements.push_back(to_tagged(element));
      return Any::array(std::move(elements));
    }
    case Any::Kind::Object: {
      Any::Object members;
      Any::Array pairs;
      for (const Any::Member& entry : *value.as_object()) {
        members.push_back({entry.key, to_tagged(entry.value)});
        pairs.push_back(Any::array({Any::string(entry.key), members.back().value}));
      }
      if (value.find("$") != nullptr) return tagged("obj", "v", Any::array(std::move(pairs)));
      return Any::object(std::move(members));
    }
    default: return value;
  }
}

}  // namespace diaryx::crdt::driver
