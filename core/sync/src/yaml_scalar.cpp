#include <algorithm>
#include <cmath>
#include <optional>

#include "yaml_reader.h"

namespace diaryx::sync {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

size_t count_digits(std::string_view text) { return std::min(text.find_first_not_of("0123456789"), text.size()); }

// [-+]? (digits [. digits*] | . digits) ([eE] [-+]? digits)?  in the spelling of JSON; empty when it is no number.
std::string as_json_number(std::string_view text) {
  std::string json;
  if (text.starts_with('-') || text.starts_with('+')) {
    if (text.front() == '-') json.push_back('-');
    text.remove_prefix(1);
  }
  const size_t whole = count_digits(text);
  if (whole > 1 && text.front() == '0') return {};
  json.append(whole == 0 ? "0" : text.substr(0, whole));
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const size_t fraction = count_digits(text);
    if (whole == 0 && fraction == 0) return {};
    json.append(".").append(fraction == 0 ? "0" : text.substr(0, fraction));
    text.remove_prefix(fraction);
  } else if (whole == 0) {
    return {};
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    json.push_back('e');
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) {
      json.push_back(text.front());
      text.remove_prefix(1);
    }
    const size_t exponent = count_digits(text);
    if (exponent == 0) return {};
    json.append(text.substr(0, exponent));
    text.remove_prefix(exponent);
  }
  return text.empty() ? json : std::string{};
}

// 0x1F and 0o17; at most 13 digits, so that the number stays exact.
std::optional<double> radix_number(std::string_view text) {
  if (text.size() < 3 || text.size() > 15 || text[0] != '0' || (text[1] != 'x' && text[1] != 'o')) return std::nullopt;
  const uint64_t base = text[1] == 'x' ? 16 : 8;
  uint64_t number = 0;
  for (const char c : text.substr(2)) {
    const uint64_t digit = c >= '0' && c <= '9'   ? static_cast<uint64_t>(c - '0')
                           : c >= 'a' && c <= 'f' ? static_cast<uint64_t>(c - 'a' + 10)
                           : c >= 'A' && c <= 'F' ? static_cast<uint64_t>(c - 'A' + 10)
                                                  : base;
    if (digit >= base) return std::nullopt;
    number = number * base + digit;
  }
  return static_cast<double>(number);
}

}  // namespace

Json resolve_plain_scalar(std::string_view scalar) {
  if (is_one_of(scalar, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (is_one_of(scalar, {"true", "True", "TRUE"})) return true;
  if (is_one_of(scalar, {"false", "False", "FALSE"})) return false;
  // JSON, and so the metadata of old peers, has no infinity and no NaN.
  if (is_one_of(scalar, {".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"}))
    return nullptr;
  if (const auto number = radix_number(scalar)) return *number;
  const std::string number = as_json_number(scalar);
  if (number.empty()) return scalar;
  Result<Json> parsed = Json::parse(number);
  const bool whole = number.find_first_of(".e") == std::string::npos;
  if (!parsed || !parsed->is_number() || (whole && !parsed->as_integer())) return scalar;
  if (!std::isfinite(*parsed->as_number())) return scalar;  // `1e999`
  return *std::move(parsed);
}

}  // namespace diaryx::sync
