// `JSON.parse` and `JSON.stringify` as ECMAScript defines them: embeds and marks travel as JSON text in updates v1.
#include <algorithm>
#include <cmath>

#include "any_codec.h"
#include "diaryx/base/json.h"
#include "diaryx/base/json_scanner.h"
#include "diaryx/base/sort.h"

namespace diaryx::crdt {
namespace {

void put_indices_first(Any::Object& members) {
  const auto is_index = [](const Any::Member& member) { return is_array_index(member.key); };
  if (std::none_of(members.begin(), members.end(), is_index)) return;
  Any::Object indices;
  Any::Object others;
  for (Any::Member& member : members) (is_index(member) ? indices : others).push_back(std::move(member));
  sort_compactly(indices, [](const Any::Member& a, const Any::Member& b) {
    return a.key.size() != b.key.size() ? a.key.size() < b.key.size()
                                        : a.key < b.key;  // no leading zeros: this is numeric
  });
  for (Any::Member& member : others) indices.push_back(std::move(member));
  members = std::move(indices);
}

class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : in_(text) {}

  /// Errors: InvalidJson, TooDeep.
  Result<void> parse(uint32_t max_depth, Any& out) {
    in_.skip_space();
    if (!value(max_depth, out)) return fail(too_deep_ ? ErrorCode::TooDeep : ErrorCode::InvalidJson);
    in_.skip_space();
    if (!in_.at_end()) return fail(ErrorCode::InvalidJson);
    return {};
  }

 private:
  bool value(uint32_t depth, Any& out) {
    const char first = in_.next();
    if (depth == 0 && (first == '{' || first == '[')) return too_deep_ = true, false;
    switch (first) {
      case '{': return object(depth, out);
      case '[': return array(depth, out);
      case '"': {
        std::string text;
        if (!in_.take_string(text)) return false;
        out = Any::string(std::move(text));
        return true;
      }
      case 't': return out = Any::boolean(true), in_.take("true");
      case 'f': return out = Any::boolean(false), in_.take("false");
      case 'n': return out = Any::null(), in_.take("null");
      default: {
        double number = 0;
        if (!in_.take_number(number)) return false;
        out = Any::number(number);
        return true;
      }
    }
  }

  bool array(uint32_t depth, Any& out) {
    Any::Array elements;
    in_.take('[');
    in_.skip_space();
    if (!in_.take(']')) {
      do {
        in_.skip_space();
        if (!value(depth - 1, elements.emplace_back())) return false;
        in_.skip_space();
      } while (in_.take(','));
      if (!in_.take(']')) return false;
    }
    out = Any::array(std::move(elements));
    return true;
  }

  bool object(uint32_t depth, Any& out) {
    Any::Object members;
    in_.take('{');
    in_.skip_space();
    if (!in_.take('}')) {
      do {
        in_.skip_space();
        std::string key;
        if (!in_.take_string(key)) return false;
        in_.skip_space();
        if (!in_.take(':')) return false;
        in_.skip_space();
        Any member;
        if (!value(depth - 1, member)) return false;
        members.push_back({std::move(key), std::move(member)});
        in_.skip_space();
      } while (in_.take(','));
      if (!in_.take('}')) return false;
    }
    keep_last_of_duplicates(members);
    put_indices_first(members);
    out = Any::object(std::move(members));
    return true;
  }

  static void keep_last_of_duplicates(Any::Object& members) {
    if (members.size() < 2) return;
    std::vector<uint32_t> order(members.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    sort_compactly(order, [&](uint32_t a, uint32_t b) {
      return members[a].key != members[b].key ? members[a].key < members[b].key : a < b;
    });
    std::vector<bool> drop(members.size());
    bool any = false;
    for (size_t i = 0, next; i < order.size(); i = next) {
      for (next = i + 1; next < order.size() && members[order[next]].key == members[order[i]].key; ++next) {
        drop[order[next]] = any = true;
      }
      if (next > i + 1) members[order[i]].value = std::move(members[order[next - 1]].value);
    }
    if (!any) return;
    Any::Object kept;
    for (size_t i = 0; i < members.size(); ++i) {
      if (!drop[i]) kept.push_back(std::move(members[i]));
    }
    members = std::move(kept);
  }

  JsonScanner in_;
  bool too_deep_ = false;
};

// A reader of JSON makes a number of an integer's digits. Where the text is read back as a value, all digits of a bigint would be
// others the next time, so there it is written as that number.
enum class BigInts : uint8_t { AsDigits, AsNumbers };

void append_value(const Any& value, BigInts bigints, std::string& out) {
  switch (value.kind()) {
    case Any::Kind::Undefined: out += "undefined"; return;
    case Any::Kind::Null: out += "null"; return;
    case Any::Kind::Bool: out += *value.as_bool() ? "true" : "false"; return;
    case Any::Kind::Number: return append_json_number(out, *value.as_number());
    case Any::Kind::BigInt:
      if (bigints == BigInts::AsDigits) {
        out += std::to_string(*value.as_bigint());
        return;
      }
      return append_json_number(out, static_cast<double>(*value.as_bigint()));
    case Any::Kind::String: return append_json_string(out, *value.as_string());
    case Any::Kind::Bytes: {
      const Bytes& bytes = *value.as_bytes();
      out += '{';
      for (size_t i = 0; i < bytes.size(); ++i) {
        if (i > 0) out += ',';
        out += '"';
        out += std::to_string(i);
        out += "\":";
        out += std::to_string(bytes[i]);
      }
      out += '}';
      return;
    }
    case Any::Kind::Array: {
      out += '[';
      bool first = true;
      for (const Any& element : *value.as_array()) {
        if (!first) out += ',';
        first = false;
        if (element.is_undefined()) {
          out += "null";
        } else {
          append_value(element, bigints, out);
        }
      }
      out += ']';
      return;
    }
    case Any::Kind::Object: {
      out += '{';
      bool first = true;
      for (const Any::Member& member : *value.as_object()) {
        if (member.value.is_undefined()) continue;
        if (!first) out += ',';
        first = false;
        append_json_string(out, member.key);
        out += ':';
        append_value(member.value, bigints, out);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

bool is_array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key.size() > 1 && key.front() == '0')) return false;
  uint64_t value = 0;
  for (const char c : key) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value < 4294967295u;
}

void append_json(const Any& value, std::string& out) { append_value(value, BigInts::AsDigits, out); }

void any_to_json(ByteView encoded, Sink& out) {
  if (encoded.size() == 1) {  // nearly every mark is true or null
    switch (static_cast<AnyTag>(encoded[0])) {
      case AnyTag::True: return out.raw("true");
      case AnyTag::False: return out.raw("false");
      case AnyTag::Null: return out.raw("null");
      default: break;
    }
  }
  std::string text;
  append_value(decode_trusted_any(encoded), BigInts::AsNumbers, text);
  out.raw(text);
}

Result<void> json_to_any(std::string_view text, uint32_t max_depth, Sink& out) {
  Any value;
  DX_TRY_VOID(JsonParser(text).parse(max_depth, value));
  encode_any(value, out);
  return {};
}

std::string Any::to_json() const {
  std::string out;
  append_json(*this, out);
  return out;
}

Result<Any> Any::from_json(std::string_view text, uint32_t max_depth) {
  if (!is_valid_utf8(text)) return fail(ErrorCode::InvalidUtf8);
  Any value;
  DX_TRY_VOID(JsonParser(text).parse(max_depth, value));
  return value;
}

}  // namespace diaryx::crdt
