// `JSON.parse` and `JSON.stringify` as ECMAScript defines them: embeds and marks travel as JSON text in updates v1.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "any_codec.h"
#include "diaryx/base/json.h"
#include "diaryx/base/sort.h"

namespace diaryx::crdt {
namespace {

void append_integer(int64_t value, std::string& out) {
  char number[24];
  out.append(number, std::to_chars(number, number + sizeof number, value).ptr);
}

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
  explicit JsonParser(std::string_view text) : text_(text) {}

  /// Errors: InvalidJson, TooDeep.
  Result<void> parse(uint32_t max_depth, Any& out) {
    skip_space();
    if (!value(max_depth, out)) return fail(too_deep_ ? ErrorCode::TooDeep : ErrorCode::InvalidJson);
    skip_space();
    if (at_ != text_.size()) return fail(ErrorCode::InvalidJson);
    return {};
  }

 private:
  bool more() const { return at_ < text_.size(); }
  bool take(char c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void skip_space() {
    while (more() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }

  bool value(uint32_t depth, Any& out) {
    if (!more()) return false;
    if (depth == 0 && (text_[at_] == '{' || text_[at_] == '[')) return too_deep_ = true, false;
    switch (text_[at_]) {
      case '{': return object(depth, out);
      case '[': return array(depth, out);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        out = Any::string(std::move(text));
        return true;
      }
      case 't': return out = Any::boolean(true), take("true");
      case 'f': return out = Any::boolean(false), take("false");
      case 'n': return out = Any::null(), take("null");
      default: return number(out);
    }
  }

  bool array(uint32_t depth, Any& out) {
    Any::Array elements;
    ++at_;
    skip_space();
    if (!take(']')) {
      do {
        skip_space();
        if (!value(depth - 1, elements.emplace_back())) return false;
        skip_space();
      } while (take(','));
      if (!take(']')) return false;
    }
    out = Any::array(std::move(elements));
    return true;
  }

  bool object(uint32_t depth, Any& out) {
    Any::Object members;
    ++at_;
    skip_space();
    if (!take('}')) {
      do {
        skip_space();
        std::string key;
        if (!string(key)) return false;
        skip_space();
        if (!take(':')) return false;
        skip_space();
        Any member;
        if (!value(depth - 1, member)) return false;
        members.push_back({std::move(key), std::move(member)});
        skip_space();
      } while (take(','));
      if (!take('}')) return false;
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

  bool hex4(uint32_t& unit) {
    if (text_.size() - at_ < 4) return false;
    unit = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = text_[at_++];
      uint32_t digit;
      if (c >= '0' && c <= '9')
        digit = static_cast<uint32_t>(c - '0');
      else if (c >= 'a' && c <= 'f')
        digit = static_cast<uint32_t>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        digit = static_cast<uint32_t>(c - 'A' + 10);
      else
        return false;
      unit = unit * 16 + digit;
    }
    return true;
  }

  bool escape(std::string& out) {
    if (!more()) return false;
    switch (text_[at_++]) {
      case '"': out += '"'; return true;
      case '\\': out += '\\'; return true;
      case '/': out += '/'; return true;
      case 'b': out += '\b'; return true;
      case 'f': out += '\f'; return true;
      case 'n': out += '\n'; return true;
      case 'r': out += '\r'; return true;
      case 't': out += '\t'; return true;
      case 'u': break;
      default: return false;
    }
    uint32_t unit = 0;
    if (!hex4(unit)) return false;
    if (unit >= 0xd800 && unit < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      const size_t before = at_;
      at_ += 2;
      uint32_t low = 0;
      if (!hex4(low)) return false;
      if (low >= 0xdc00 && low < 0xe000) {
        append_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        return true;
      }
      at_ = before;  // a lone high surrogate; what follows is read by itself
    }
    append_utf8(out, unit);  // a lone surrogate becomes U+FFFD
    return true;
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (more()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<uint8_t>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }

  bool digits() {
    const size_t from = at_;
    while (more() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ > from;
  }

  bool number(Any& out) {
    const size_t from = at_;
    (void)take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('+')) (void)take('-');
      if (!digits()) return false;
    }
    out = Any::number(parse_json_number(text_.substr(from, at_ - from)));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
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
      if (bigints == BigInts::AsDigits) return append_integer(*value.as_bigint(), out);
      return append_json_number(out, static_cast<double>(*value.as_bigint()));
    case Any::Kind::String: return append_json_string(out, *value.as_string());
    case Any::Kind::Bytes: {
      const Bytes& bytes = *value.as_bytes();
      out += '{';
      for (size_t i = 0; i < bytes.size(); ++i) {
        if (i > 0) out += ',';
        out += '"';
        append_integer(static_cast<int64_t>(i), out);
        out += "\":";
        append_integer(bytes[i], out);
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
