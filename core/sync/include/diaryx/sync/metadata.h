// The value of a file's entry in the workspace doc: a JSON string with ten members.
//
// Read tolerantly, write exactly: a value that breaks the strict form is invisible to old peers, as if the file did not
// exist, so whatever is written here has every member, of the right type, in the fixed order.
// Source: docs/protocol.md, "File metadata".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"

namespace diaryx::sync {

class Frontmatter;

/// The longest metadata value that is read. Real ones are a few hundred bytes.
inline constexpr size_t kMaxMetadataBytes = 4u << 20;
/// Deepest nesting inside `extra` that is read or written; old peers stop at 128.
inline constexpr size_t kMaxMetadataDepth = 64;

/// A reference to a file that is not text: a picture, a PDF.
struct BinaryRef {
  std::string path;  // canonical workspace path
  std::string source;  // `local`, `pending` or a URL
  std::string hash;  // lower-case hex SHA-256, or empty when unknown
  std::string mime_type;  // may be empty
  uint64_t size = 0;  // bytes
  std::optional<TimestampMs> uploaded_at;
  bool deleted = false;

  bool operator==(const BinaryRef&) const = default;
};

struct FileMetadata {
  std::string filename;
  std::optional<std::string> title;
  std::optional<std::string> part_of;
  std::optional<std::vector<std::string>> contents;  // empty list: an index without children; nothing: not an index
  std::vector<BinaryRef> attachments;
  bool deleted = false;
  std::optional<std::vector<std::string>> audience;
  std::optional<std::string> description;
  Json::Object extra;
  TimestampMs modified_at;

  bool operator==(const FileMetadata&) const = default;
};

/// What a reader made of a value. `repaired` says that something was missing, of a wrong type or out of range and was
/// replaced; keep the raw text then, and write the value anew only when the file changes anyway.
template <typename T>
struct Repaired {
  T value;
  bool repaired = false;
};

/// Errors: InvalidJson, TooDeep, TooLarge, InvalidUtf8; InvalidMetadata when it is no JSON object. Unknown members go.
Result<Repaired<FileMetadata>> parse_metadata(std::string_view json);

/// As above, for a value that is part of a larger document. Errors: InvalidMetadata.
Result<Repaired<FileMetadata>> metadata_from_json(const Json& value);

/// The exact form: ten members, fixed order, absent options as `null`.
std::string format_metadata(const FileMetadata& metadata);
Json metadata_to_json(const FileMetadata& metadata);

/// A lone BinaryRef, the value in the `binaries` map. Errors: as `parse_metadata`; InvalidMetadata without a `path`.
Result<Repaired<BinaryRef>> parse_binary_ref(std::string_view json);
std::string format_binary_ref(const BinaryRef& ref);

/// Equal in everything but `modified_at`; the order inside `extra` does not count.
bool content_equal(const FileMetadata& a, const FileMetadata& b);

/// The metadata of a Markdown file: its frontmatter read by the rules for file events, links made canonical.
///
/// front    an empty Frontmatter for a file that has none.
/// now      `modified_at` when the file states no usable `updated`.
FileMetadata derive_metadata(const Frontmatter& front, const WorkspacePath& path, TimestampMs now);

/// An `updated` value: integer or float milliseconds, numeric text, or RFC 3339 text.
std::optional<TimestampMs> parse_updated(const Json& value);

/// RFC 3339 in UTC with milliseconds and an explicit offset: `2023-11-14T22:13:20.000+00:00`. Years 0 to 9999; a time
/// beyond is held at the nearest one.
std::string format_rfc3339(TimestampMs time);

/// Accepts `Z` and offsets, any number of second decimals (cut to milliseconds), `t`/`z` in either case, and a space
/// for the `T`. Nothing if it is no such date.
std::optional<TimestampMs> parse_rfc3339(std::string_view text);

}  // namespace diaryx::sync
