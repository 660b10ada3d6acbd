// XML types as text, character by character what Yjs prints: JavaScript's String() for values, nothing escaped.
//
// Source: Yjs 13.6 `toString` in src/types/YXmlElement.js and YXmlText.js; docs/protocol.md.
#include <algorithm>
#include <cmath>

#include "diaryx/crdt/xml.h"
#include "handle_access.h"

namespace diaryx::crdt {
namespace {

constexpr std::string_view kObject = "[object Object]";

/// By UTF-16 units, as JavaScript sorts: characters beyond the first plane go before U+E000.
bool utf16_less(std::string_view a, std::string_view b) {
  const auto [at_a, at_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (at_a == a.end() || at_b == b.end()) return at_a == a.end() && at_b != b.end();
  const auto rank = [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    // The first byte that differs; 0xf0 to 0xf4 begin a pair of surrogates, 0xee and 0xef what lies above them.
    if (byte >= 0xf0) return byte - 2;
    return byte >= 0xee ? byte + 8 : int{byte};
  };
  return rank(*at_a) < rank(*at_b);
}

template <typename Pairs>
void sort_by_key(Pairs& pairs) {
  std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return utf16_less(a.first, b.first); });
}

std::string text_of(const Any& value);

std::string joined(const Any::Array& elements) {
  std::string text;
  for (const Any& element : elements) {
    if (&element != &elements.front()) text += ',';
    if (!element.is_null() && !element.is_undefined()) text += text_of(element);
  }
  return text;
}

/// `String(value)`.
std::string text_of(const Any& value) {
  switch (value.kind()) {
    case Any::Kind::Undefined: return "undefined";
    case Any::Kind::String: return *value.as_string();
    case Any::Kind::Number: {
      const double number = *value.as_number();
      if (std::isnan(number)) return "NaN";
      if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
      return number == 0 ? "0" : value.to_json();
    }
    case Any::Kind::Bytes: {
      Any::Array numbers;
      for (const uint8_t byte : *value.as_bytes()) numbers.push_back(Any::number(byte));
      return joined(numbers);
    }
    case Any::Kind::Array: return joined(*value.as_array());
    case Any::Kind::Object: return std::string(kObject);
    case Any::Kind::Null:
    case Any::Kind::Bool:
    case Any::Kind::BigInt: break;
  }
  return value.to_json();
}

std::string text_of(const Shared& node) {
  if (const auto element = node.as_xml_element()) return element->to_string();
  if (const auto fragment = node.as_xml_fragment()) return fragment->to_string();
  if (const auto text = node.as_xml_text()) return text->to_xml();
  if (const auto text = node.as_text()) return text->to_string();
  return std::string(kObject);
}

std::string text_of(const Value& value) {
  if (const Any* plain = std::get_if<Any>(&value)) return text_of(*plain);
  if (const Shared* node = std::get_if<Shared>(&value)) return text_of(*node);
  return std::string(kObject);
}

/// What `for (key in value)` goes through: members, elements, bytes, and the units of a string.
std::vector<std::pair<std::string, std::string>> members_of(const Any& value) {
  std::vector<std::pair<std::string, std::string>> members;
  const auto add = [&members](std::string text) {
    members.emplace_back(std::to_string(members.size()), std::move(text));
  };
  if (const Any::Object* object = value.as_object()) {
    for (const Any::Member& member : *object) members.emplace_back(member.key, text_of(member.value));
  } else if (const Any::Array* array = value.as_array()) {
    for (const Any& element : *array) add(text_of(element));
  } else if (const Bytes* bytes = value.as_bytes()) {
    for (const uint8_t byte : *bytes) add(std::to_string(byte));
  } else if (const std::string* text = value.as_string()) {
    for (size_t at = 0; at < text->size();) {
      const size_t size = utf8_sequence_length((*text)[at]);
      if (size == 4) {  // two units, each half a character
        add("\xef\xbf\xbd");
        add("\xef\xbf\xbd");
      } else {
        add(text->substr(at, size));
      }
      at += size;
    }
  }
  return members;
}

}  // namespace

std::string XmlFragment::to_string() const {
  std::string text;
  for (const Value& child : children()) text += text_of(child);
  return text;
}

std::string XmlElement::to_string() const {
  std::string tag = name();
  for (char& c : tag) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  auto sorted = attributes();
  sort_by_key(sorted);
  std::string text = "<" + tag;
  for (const auto& [key, value] : sorted) text += " " + key + "=\"" + text_of(value) + "\"";
  return text + ">" + XmlFragment::to_string() + "</" + tag + ">";
}

std::string XmlText::to_xml() const {
  std::string text;
  for (const TextRun& run : runs()) {
    std::vector<std::pair<std::string, const Any*>> nested;
    for (const Any::Member& mark : run.attributes) nested.emplace_back(mark.key, &mark.value);
    sort_by_key(nested);
    for (const auto& [name, value] : nested) {
      auto members = members_of(*value);
      sort_by_key(members);
      text += "<" + name;
      for (const auto& [key, member] : members) text += " " + key + "=\"" + member + "\"";
      text += ">";
    }
    if (run.is_text()) {
      text += run.text;
    } else {
      text += run.type ? text_of(*run.type) : text_of(run.embed);
    }
    for (auto at = nested.rbegin(); at != nested.rend(); ++at) text += "</" + at->first + ">";
  }
  return text;
}

}  // namespace diaryx::crdt
