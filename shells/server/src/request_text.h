// What a stranger writes in the head of a request: the target with its query, the token, the range.
//
// Pure: text in, values out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace diaryx::server {

/// The target cut at `?`, with its query. Nothing if it is neither a path nor a URL of one, an escape is broken or the text is not
/// valid UTF-8.
struct Target {
  std::string host;  // with its port; empty unless the target is a whole URL (RFC 9112, section 3.2.2)
  std::string path;
  std::map<std::string, std::string> query;
  std::string raw_token;  // `token=`, as sent
};
std::optional<Target> parse_target(std::string_view target);
std::optional<std::string> percent_decode(std::string_view text);

/// True for what steers a terminal or ends a line (C0, DEL, C1) in valid UTF-8.
bool has_control_characters(std::string_view text);

/// What follows `Bearer ` (in any case) in `Authorization`; nothing if the header is another.
std::optional<std::string_view> bearer_token(std::string_view authorization);

/// True if `If-None-Match` names an entity tag, which is in quotes.
bool names_tag(std::string_view if_none_match, std::string_view tag);

/// The range of a `Range: bytes=…` header in a file of `size_bytes`. `Whole`: none was asked for, or several.
struct ByteRange {
  enum class Kind : uint8_t { Whole, Part, Unsatisfiable };
  Kind kind = Kind::Whole;
  uint64_t offset = 0;
  uint64_t length = 0;
};
ByteRange parse_range(std::string_view header, uint64_t size_bytes);

inline constexpr std::string_view kYjsPrefix = "/yjs/";
/// The document that `/yjs/<workspace>/<key>` names; nothing if there can be none. The path is as sent and has the prefix.
std::optional<std::string> yjs_document(std::string_view path);

}  // namespace diaryx::server
