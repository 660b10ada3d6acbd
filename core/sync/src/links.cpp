#include "diaryx/sync/links.h"

#include <algorithm>

#include "diaryx/base/utf.h"
#include "diaryx/sync/path.h"

namespace diaryx::sync {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Takes the backslash from the characters that `escaped` puts one before, and from no others.
std::string unescaped(std::string_view text, std::string_view special) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && special.find(text[i + 1]) != std::string_view::npos) ++i;
    plain.push_back(text[i]);
  }
  return plain;
}

std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

constexpr std::string_view kTitleSpecial = "[]\\";
constexpr std::string_view kAngleSpecial = "<>\\";

// The `](` that ends a title, where the brackets inside the title are balanced or escaped.
size_t find_title_end(std::string_view text) {
  size_t open = 0;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '[')
      ++open;
    else if (text[i] == ']' && open > 0)
      --open;
    else if (text[i] == ']')
      return text[i + 1] == '(' ? i : std::string_view::npos;
  }
  return std::string_view::npos;
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Link parse_link(std::string_view text) {
  const std::string_view link = trimmed(text);
  const size_t title_end = link.starts_with('[') && link.ends_with(')') ? find_title_end(link) : std::string_view::npos;
  if (title_end == std::string_view::npos) return {"", std::string(link), false};
  std::string title = unescaped(link.substr(1, title_end - 1), kTitleSpecial);
  const std::string_view target = trimmed(link.substr(title_end + 2, link.size() - title_end - 3));
  if (target.size() >= 2 && target.starts_with('<') && target.ends_with('>'))
    return {std::move(title), unescaped(target.substr(1, target.size() - 2), kAngleSpecial), true};
  return {std::move(title), std::string(target), true};
}

bool is_url(std::string_view target) {
  if (target.starts_with("//")) return true;
  const size_t colon = target.find(':');
  // One letter and a colon is a drive, not a scheme.
  if (colon == std::string_view::npos || colon < 2 || !is_ascii_letter(target[0])) return false;
  return std::ranges::all_of(target.substr(0, colon), [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

std::optional<std::string> canonical_path(const Link& link, std::string_view from) {
  if (link.target.empty() || is_url(link.target)) return std::nullopt;
  std::string target = link.target;
  std::ranges::replace(target, '\\', '/');
  std::optional<std::string> path = resolve(target.starts_with('/') ? std::string_view{} : parent(from), target);
  if (path && path->empty()) return std::nullopt;
  return path;
}

std::string canonicalize_reference(std::string_view text, std::string_view from) {
  const Link link = parse_link(text);
  if (std::optional<std::string> path = canonical_path(link, from)) return *std::move(path);
  return link.markdown && is_url(link.target) ? link.target : std::string(text);
}

std::string format_link(std::string_view target, std::string_view title) {
  const std::string written = (is_url(target) ? "" : "/") + std::string(target);
  std::string link = "[" + escaped(title, kTitleSpecial) + "](";
  if (written.find_first_of(" ()<>\t") == std::string::npos)
    link += written;
  else
    link += "<" + escaped(written, kAngleSpecial) + ">";
  return link + ")";
}

std::string title_from_path(std::string_view path) {
  std::string title(stem(path));
  bool at_word_start = true;
  for (char& c : title) {
    if (c == '_' || c == '-') c = ' ';
    if (at_word_start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    at_word_start = c == ' ';
  }
  return title;
}

}  // namespace diaryx::sync
