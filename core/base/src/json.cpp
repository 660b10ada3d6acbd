#include "diaryx/base/json.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "decimal.h"
#include "diaryx/base/json_scanner.h"
#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"

namespace diaryx {

// --- the tree ---------------------------------------------------------------------------------------------------

Json::Json() = default;
Json::Json(std::nullptr_t) {}
Json::Json(bool value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(int value) : value_(static_cast<double>(value)) {}
Json::Json(int64_t value) : value_(static_cast<double>(value)) {}
Json::Json(uint64_t value) : value_(static_cast<double>(value)) {}
Json::Json(uint32_t value) : value_(static_cast<double>(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}

Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;

Json::~Json() = default;  // recursion is as deep as the tree, and the parser bounds that

Json Json::object() { return Json(Object{}); }
Json Json::array() { return Json(Array{}); }
Json Json::object(std::initializer_list<Member> members) { return Json(Object(members)); }

std::optional<int64_t> Json::as_integer() const {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  const double* number = as_number();
  if (number == nullptr || !(std::abs(*number) <= kLargest) || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<int64_t>(*number);
}

const Json* Json::find(std::string_view key) const {
  const Object* members = as_object();
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, key, &Member::key);
  return found == members->end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

std::optional<std::string_view> Json::string_member(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_string() == nullptr) return std::nullopt;
  return *member->as_string();
}

std::optional<bool> Json::bool_member(std::string_view key) const {
  const Json* member = find(key);
  if (member == nullptr || member->as_bool() == nullptr) return std::nullopt;
  return *member->as_bool();
}

std::optional<int64_t> Json::integer_member(std::string_view key) const {
  const Json* member = find(key);
  return member == nullptr ? std::nullopt : member->as_integer();
}

bool Json::reaches(size_t levels) const {
  if (levels == 0) return true;
  if (const Array* const items = as_array())
    return std::ranges::any_of(*items, [&](const Json& item) { return item.reaches(levels - 1); });
  if (const Object* const members = as_object())
    return std::ranges::any_of(*members, [&](const Member& member) { return member.value.reaches(levels - 1); });
  return false;
}

Json& Json::set_flag(std::string_view key, bool value) { return set_value(key, Json(value)); }
Json& Json::set_number(std::string_view key, double value) { return set_value(key, Json(value)); }
Json& Json::set_text(std::string_view key, std::string_view value) { return set_value(key, Json(value)); }

Json& Json::set_value(std::string_view key, Json value) {
  if (!is_object()) value_ = Object{};
  if (Json* member = find(key)) {
    *member = std::move(value);
  } else {
    as_object()->push_back({std::string(key), std::move(value)});
  }
  return *this;
}

void Json::remove(std::string_view key) {
  if (Object* members = as_object()) std::erase_if(*members, [&](const Member& member) { return member.key == key; });
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  as_array()->push_back(std::move(value));
  return *this;
}

bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

// --- writing ----------------------------------------------------------------------------------------------------

namespace {

/// True if each of the eight bytes at `at` stands for itself in a JSON string: no control character, quote or backslash.
bool are_plain(const char* at) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  const auto has_zero = [](uint64_t word) { return (word - kOnes) & ~word; };  // in the high bits
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  const uint64_t below_space = (word - kOnes * 0x20) & ~word;
  return ((below_space | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'))) & kHighBits) == 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.push_back('"');
  const char* plain = text.data();  // what is copied as it stands, in runs
  const char* const end = text.data() + text.size();
  for (const char* at = plain; at != end;) {
    if (end - at >= 8 && are_plain(at)) {
      at += 8;
      continue;
    }
    const char& each = *at++;
    const char c = each;
    if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') [[likely]]
      continue;
    out.append(plain, &each);
    plain = &each + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
        out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
  out.append(plain, end);
  out.push_back('"');
}

double parse_json_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  const double value = nearest_double(text.substr(is_negative ? 1 : 0));
  return is_negative ? -value : value;
}

void append_json_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0) {
    out.push_back('0');
    return;
  }
  if (std::abs(value) < 1e15 && std::trunc(value) == value) {
    out += std::to_string(static_cast<int64_t>(value));
    return;
  }
  if (value < 0) out.push_back('-');
  const Decimal decimal = shortest_decimal(std::abs(value));
  const auto count = static_cast<int>(decimal.digits.size());
  const int point = decimal.exponent + 1;  // digits before the decimal point
  if (point > 21 || point < -5) {  // ECMAScript Number::toString, steps 9 and 10
    out.push_back(decimal.digits[0]);
    if (count > 1) out.append(".").append(decimal.digits, 1);
    out += decimal.exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(decimal.exponent));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(decimal.digits);
  } else if (count <= point) {
    out.append(decimal.digits).append(static_cast<size_t>(point - count), '0');
  } else {
    out.append(decimal.digits, 0, static_cast<size_t>(point)).append(".");
    out.append(decimal.digits, static_cast<size_t>(point));
  }
}

namespace {

void append_value(std::string& out, const Json& json) {
  if (const bool* value = json.as_bool()) {
    out += *value ? "true" : "false";
  } else if (const double* number = json.as_number()) {
    append_json_number(out, *number);
  } else if (const std::string* text = json.as_string()) {
    append_json_string(out, *text);
  } else if (const Json::Array* items = json.as_array()) {
    out.push_back('[');
    for (size_t i = 0; i < items->size(); ++i) {
      if (i != 0) out.push_back(',');
      append_value(out, (*items)[i]);
    }
    out.push_back(']');
  } else if (const Json::Object* members = json.as_object()) {
    out.push_back('{');
    for (size_t i = 0; i < members->size(); ++i) {
      if (i != 0) out.push_back(',');
      append_json_string(out, (*members)[i].key);
      out.push_back(':');
      append_value(out, (*members)[i].value);
    }
    out.push_back('}');
  } else {
    out += "null";
  }
}

// --- reading ----------------------------------------------------------------------------------------------------

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), in_(text) {}

  Result<Json> document() {
    if (!is_valid_utf8(text_)) return fail(ErrorCode::InvalidUtf8);
    DX_TRY(Json json, value(0));
    in_.skip_space();
    if (!in_.at_end()) return bad();
    return json;
  }

 private:
  std::unexpected<Error> bad() const { return fail(ErrorCode::InvalidJson, in_.position()); }

  Result<Json> value(size_t depth) {
    if (depth > kMaxJsonDepth) return fail(ErrorCode::TooDeep, in_.position());
    in_.skip_space();
    switch (in_.next()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': {
        std::string text;
        return in_.take_string(text) ? Result<Json>(Json(std::move(text))) : bad();
      }
      case 't': return in_.take("true") ? Result<Json>(Json(true)) : bad();
      case 'f': return in_.take("false") ? Result<Json>(Json(false)) : bad();
      case 'n': return in_.take("null") ? Result<Json>(Json()) : bad();
      default: {
        double number = 0;
        return in_.take_number(number) ? Result<Json>(Json(number)) : bad();
      }
    }
  }

  Result<Json> object(size_t depth) {
    in_.take('{');
    Json::Object members;
    in_.skip_space();
    if (in_.take('}')) return Json(std::move(members));
    do {
      in_.skip_space();
      std::string key;
      if (!in_.take_string(key)) return bad();
      in_.skip_space();
      if (!in_.take(':')) return bad();
      DX_TRY(Json member, value(depth + 1));
      members.push_back({std::move(key), std::move(member)});
      in_.skip_space();
    } while (in_.take(','));
    if (!in_.take('}')) return bad();
    merge_repeated_keys(members);
    return Json(std::move(members));
  }

  /// A repeated key keeps its first place and its last value. Sorted once, so that strangers cannot make it quadratic.
  static void merge_repeated_keys(Json::Object& members) {
    std::vector<uint32_t> order(members.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    sort_compactly(order, [&](uint32_t a, uint32_t b) {
      const int by_key = members[a].key.compare(members[b].key);
      return by_key != 0 ? by_key < 0 : a < b;
    });
    std::vector<bool> repeated(members.size());
    bool any = false;
    for (size_t i = 0, first = 0; i < order.size(); ++i) {
      if (members[order[i]].key != members[order[first]].key) first = i;
      if (i == first) continue;
      members[order[first]].value = std::move(members[order[i]].value);
      repeated[order[i]] = any = true;
    }
    if (!any) return;
    size_t kept = 0;
    for (size_t i = 0; i < members.size(); ++i) {
      if (repeated[i]) continue;
      if (kept != i) members[kept] = std::move(members[i]);
      ++kept;
    }
    members.erase(members.begin() + static_cast<ptrdiff_t>(kept), members.end());
  }

  Result<Json> array(size_t depth) {
    in_.take('[');
    Json::Array items;
    in_.skip_space();
    if (in_.take(']')) return Json(std::move(items));
    do {
      DX_TRY(Json item, value(depth + 1));
      items.push_back(std::move(item));
      in_.skip_space();
    } while (in_.take(','));
    if (!in_.take(']')) return bad();
    return Json(std::move(items));
  }

  std::string_view text_;
  JsonScanner in_;
};

}  // namespace

std::string Json::dump() const {
  std::string out;
  append_value(out, *this);
  return out;
}

Result<Json> Json::parse(std::string_view text) { return Parser(text).document(); }

}  // namespace diaryx
