#include <algorithm>
#include <cmath>

#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"
#include "yaml_reader.h"

namespace diaryx::sync {
namespace {

bool is_one_of_folded(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
             return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
  });
}

// Characters that some reader takes for a line break or does not accept at all: written as escapes.
bool is_unprintable(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
         c == 0xffff;
}

bool has_unprintable(std::string_view text) {
  for (size_t at = 0; at < text.size(); at += utf8_sequence_length(text[at]))
    if (is_unprintable(scalar_at(text, at))) return true;
  return false;
}

// Looks like a number to YAML 1.1 readers too: `1_000`, `0b1`, `1e`.
bool looks_numeric(std::string_view text) {
  return std::string_view("0123456789+.").find(text[0]) != std::string_view::npos &&
         text.find_first_not_of("0123456789_+.eExXoObBaAcCdDfF") == std::string_view::npos;
}

bool is_safe_plain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.front() == '-' || text.front() == '~')
    return false;
  if (text.front() == '=' || text == "<<") return false;
  // More than YAML asks for: old peers quote on sight of these, and so need no second look at what we write.
  if (text.find_first_of(":#[]{}|>&*!?'\"%@`,\\\n\r\t") != std::string_view::npos) return false;
  if (is_one_of_folded(text, {"true", "false", "null", "yes", "no", "on", "off", "y", "n"})) return false;
  return !has_unprintable(text) && !looks_numeric(text) && resolve_plain_scalar(text).is_string();
}

void append_escape(std::string& out, char32_t c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto digits = [&](int count) {
    for (int shift = (count - 1) * 4; shift >= 0; shift -= 4) out.push_back(kDigits[(c >> shift) & 0xf]);
  };
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  out += c < 0x100 ? "\\x" : "\\u";
  digits(c < 0x100 ? 2 : 4);
}

// Emitting never reads beyond a cut character; what is not UTF-8 comes out as U+FFFD, and so does not read back.
std::string as_utf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = text.substr(at, utf8_sequence_length(text[at]));
    if (is_valid_utf8(character)) {
      out.append(character);
      at += character.size();
    } else {
      append_utf8(out, 0xfffd);
      ++at;
    }
  }
  return out;
}

std::string double_quoted(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t size = std::min<size_t>(utf8_sequence_length(text[at]), text.size() - at);
    const char32_t c = scalar_at(text, at);
    if (c == '"' || c == '\\') out.push_back('\\');
    if (is_unprintable(c))
      append_escape(out, c);
    else
      out.append(text.substr(at, size));
    at += size;
  }
  out.push_back('"');
  return out;
}

std::string emit_string(const std::string& text, ValueStyle style) {
  if (!is_valid_utf8(text)) return emit_string(as_utf8(text), style);
  if (style == ValueStyle::SingleQuoted && !has_unprintable(text)) {
    std::string out = "'";
    for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
    return out + "'";
  }
  if (style != ValueStyle::DoubleQuoted && style != ValueStyle::SingleQuoted && is_safe_plain(text)) return text;
  return double_quoted(text);
}

std::string emit_number(double number) {
  if (!std::isfinite(number)) return "null";
  std::string text = Json(number).dump();
  // Without a point a reader would take it for an integer that it cannot hold.
  if (std::fabs(number) > 9007199254740992.0 && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string emit_key(std::string_view key) {
  if (!is_valid_utf8(key)) return emit_key(as_utf8(key));
  return is_safe_plain(key) ? std::string(key) : double_quoted(key);
}

bool is_nested(const Json& value) {
  return (value.is_array() && !value.as_array()->empty()) || (value.is_object() && !value.as_object()->empty());
}

struct Lines {
  std::string& out;
  std::string_view newline;

  void indent(size_t columns) const { out.append(columns, ' '); }

  // Behind `key:` or at the start of a nested block; lists stand two columns deeper than their key.
  void value_after_key(const Json& value, size_t column) const {
    if (!is_nested(value)) {
      out.append(" ").append(emit_inline(value)).append(newline);
      return;
    }
    out.append(newline);
    if (value.is_array())
      list(*value.as_array(), column + 2);
    else
      map(*value.as_object(), column + 2, true);
  }

  void list(const Json::Array& items, size_t column) const {
    for (const Json& item : items) {
      indent(column);
      out.append("- ");
      if (item.is_object() && !item.as_object()->empty())
        map(*item.as_object(), column + 2, false);
      else
        out.append(emit_inline(item)).append(newline);
    }
  }

  void map(const Json::Object& members, size_t column, bool indent_first) const {
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0 || indent_first) indent(column);
      out.append(emit_key(members[i].key)).append(":");
      value_after_key(members[i].value, column);
    }
  }
};

}  // namespace

std::string emit_inline(const Json& value, ValueStyle style) {
  if (value.is_null()) return "null";
  if (const bool* const flag = value.as_bool()) return *flag ? "true" : "false";
  if (const double* const number = value.as_number()) return emit_number(*number);
  if (const std::string* const text = value.as_string()) return emit_string(*text, style);
  std::string out;
  if (const Json::Array* const items = value.as_array()) {
    for (const Json& item : *items) out.append(out.empty() ? "[" : ", ").append(emit_inline(item));
    return out.empty() ? "[]" : out + "]";
  }
  for (const Json::Member& member : *value.as_object())
    out.append(out.empty() ? "{" : ", ").append(emit_key(member.key)).append(": ").append(emit_inline(member.value));
  return out.empty() ? "{}" : out + "}";
}

std::string emit_entry(std::string_view key, const Json& value, std::string_view newline) {
  std::string out = emit_key(key) + ":";
  // What is nested too deep for our own reader goes into a string: its JSON.
  const bool too_deep = value.reaches(kMaxYamlDepth);
  Lines{out, newline}.value_after_key(too_deep ? Json(value.dump()) : value, 0);
  return out;
}

}  // namespace diaryx::sync
