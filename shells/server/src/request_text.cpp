#include "request_text.h"

#include <algorithm>
#include <charconv>

#include "diaryx/base/utf.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/path.h"

namespace diaryx::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Digits; what no file is long enough for is as large as can be.
std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range && end == text.data() + text.size()) return UINT64_MAX;
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

/// In any case; `words` is lower case.
bool begins_with(std::string_view text, std::string_view words) {
  return text.size() >= words.size() &&
         std::equal(words.begin(), words.end(), text.begin(), [](char lower, char given) {
           return given == lower || (lower >= 'a' && lower <= 'z' && given == lower - 'a' + 'A');
         });
}

/// Cuts the scheme and host off a target that is a whole URL; nothing if it is one that no server of this kind has.
std::optional<std::string_view> take_host(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!begins_with(target, scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::string_view host = target.substr(0, target.find_first_of("/?"));
    target.remove_prefix(host.size());
    if (host.empty() || host.find('@') != std::string_view::npos) return std::nullopt;
    return host;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

bool has_control_characters(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<uint8_t>(text[i + 1]) < 0xa0;
    if (byte < 0x20 || byte == 0x7f || is_c1) return true;
  }
  return false;
}

std::optional<Target> parse_target(std::string_view target) {
  Target result;
  if (!target.starts_with('/')) {
    const auto host = take_host(target);
    if (!host) return std::nullopt;
    result.host = *host;
  }
  const size_t question = target.find('?');
  result.path = target.substr(0, question);
  if (result.path.empty()) result.path = "/";
  if (question == std::string_view::npos) return result;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    std::string_view raw_value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    std::string plus_free(raw_value);
    std::replace(plus_free.begin(), plus_free.end(), '+', ' ');
    const auto name = percent_decode(pair.substr(0, equals));
    const auto value = percent_decode(plus_free);
    if (!name || !value) return std::nullopt;
    if (*name == "token" && result.raw_token.empty()) result.raw_token = raw_value;
    result.query.emplace(*name, *value);
  }
  return result;
}

std::optional<std::string_view> bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";  // in any case (RFC 9110, section 11.1)
  if (!begins_with(authorization, kBearer)) return std::nullopt;
  return authorization.substr(kBearer.size());
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
  if (if_none_match == "*") return true;
  // Opaque texts in quotes: the one that is looked for has no comma in it, so parts of others are never equal to it.
  while (!if_none_match.empty()) {
    const size_t comma = if_none_match.find(',');
    std::string_view one = if_none_match.substr(0, comma);
    if_none_match = comma == std::string_view::npos ? std::string_view() : if_none_match.substr(comma + 1);
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one.remove_suffix(one.size() - (one.find_last_not_of(" \t") + 1));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag) return true;
  }
  return false;
}

ByteRange parse_range(std::string_view header, uint64_t size_bytes) {
  constexpr std::string_view kBytes = "bytes=";
  if (!header.starts_with(kBytes) || header.find(',') != std::string_view::npos) return {};
  header.remove_prefix(kBytes.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(dash + 1));
  if (!first && !last) return {};
  if (!first) {  // the last N bytes
    if (dash != 0) return {};
    if (*last == 0) return {ByteRange::Kind::Unsatisfiable, 0, 0};
    const uint64_t length = std::min(*last, size_bytes);
    return {ByteRange::Kind::Part, size_bytes - length, length};
  }
  if (dash + 1 != header.size() && !last) return {};
  if (last && *last < *first) return {};  // no range at all, wherever the file ends
  if (*first >= size_bytes) return {ByteRange::Kind::Unsatisfiable, 0, 0};
  const uint64_t end = last ? std::min(*last, size_bytes - 1) : size_bytes - 1;
  return {ByteRange::Kind::Part, *first, end - *first + 1};
}

std::optional<std::string> yjs_document(std::string_view path) {
  path.remove_prefix(kYjsPrefix.size());
  const auto decoded = percent_decode(path);
  if (!decoded) return std::nullopt;
  const size_t slash = decoded->find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string_view key = std::string_view(*decoded).substr(slash + 1);
  const auto checked = sync::parse_path(key);
  if (!checked || checked->view() != key) return std::nullopt;
  const auto document = sync::body_doc_id(std::string_view(*decoded).substr(0, slash), key);
  if (!document) return std::nullopt;
  return document->str();
}

}  // namespace diaryx::server
