#include "diaryx/sync/metadata.h"

#include <algorithm>
#include <cmath>

#include "diaryx/base/sort.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/links.h"
#include "diaryx/sync/path.h"

namespace diaryx::sync {
namespace {

// Reads members one by one and remembers whether anything had to be repaired.
class MemberReader {
 public:
  MemberReader(const Json& object, bool& repaired) : object_(object), repaired_(repaired) {}

  std::string text(const char* key) {
    const Json* const value = present(key);
    if (value != nullptr && value->is_string()) return *value->as_string();
    return repair(std::string{});
  }

  // Numbers and booleans count as text, as old readers have it.
  std::optional<std::string> optional_text(const char* key) {
    const Json* const value = present(key);
    if (value == nullptr) return repair(std::nullopt);
    if (value->is_null()) return std::nullopt;
    if (value->is_string()) return *value->as_string();
    if (value->is_number() || value->is_bool()) return repair(std::optional(value->dump()));
    return repair(std::nullopt);
  }

  bool flag(const char* key) {
    const Json* const value = present(key);
    return value != nullptr && value->is_bool() ? *value->as_bool() : repair(false);
  }

  int64_t integer(const char* key) {
    const Json* const value = present(key);
    if (value == nullptr || !value->is_number()) return repair(int64_t{0});
    return value->as_integer() ? *value->as_integer() : repair(truncated(*value->as_number()));
  }

  std::optional<TimestampMs> optional_time(const char* key) {
    const Json* const value = object_.find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return value->as_integer() ? std::optional(TimestampMs{*value->as_integer()}) : repair(std::nullopt);
  }

  std::optional<std::vector<std::string>> optional_texts(const char* key) {
    const Json* const value = present(key);
    if (value == nullptr) return repair(std::nullopt);
    if (value->is_null()) return std::nullopt;
    if (value->is_string()) return repair(std::optional(std::vector{*value->as_string()}));
    if (!value->is_array()) return repair(std::nullopt);
    std::vector<std::string> texts;
    for (const Json& item : *value->as_array()) {
      if (item.is_string())
        texts.push_back(*item.as_string());
      else
        repaired_ = true;
    }
    return texts;
  }

  const Json::Array* list(const char* key) {
    const Json* const value = present(key);
    return value != nullptr && value->is_array() ? value->as_array() : repair(static_cast<const Json::Array*>(nullptr));
  }

  Json::Object object(const char* key) {
    const Json* const value = present(key);
    return value != nullptr && value->is_object() ? *value->as_object() : repair(Json::Object{});
  }

 private:
  const Json* present(const char* key) const { return object_.find(key); }

  static int64_t truncated(double number) {
    constexpr double kLargest = 9007199254740992.0;  // 2^53
    return std::isfinite(number) ? static_cast<int64_t>(std::clamp(number, -kLargest, kLargest)) : 0;
  }

  template <typename T>
  T repair(T value) {
    repaired_ = true;
    return value;
  }
  std::nullopt_t repair(std::nullopt_t none) {
    repaired_ = true;
    return none;
  }

  const Json& object_;
  bool& repaired_;
};

BinaryRef read_binary_ref(const Json& json, bool& repaired) {
  MemberReader in(json, repaired);
  BinaryRef ref;
  ref.path = in.text("path");
  ref.source = in.text("source");
  ref.hash = in.text("hash");
  ref.mime_type = in.text("mime_type");
  const int64_t size = in.integer("size");
  if (size < 0) repaired = true;
  ref.size = static_cast<uint64_t>(std::max<int64_t>(0, size));
  ref.uploaded_at = in.optional_time("uploaded_at");
  ref.deleted = in.flag("deleted");
  return ref;
}

// A bare path, as frontmatter has it.
BinaryRef local_ref(std::string path) { return BinaryRef{std::move(path), "local", "", "", 0, std::nullopt, false}; }

Json binary_ref_to_json(const BinaryRef& ref) {
  Json json = Json::object();
  json.set("path", ref.path).set("source", ref.source).set("hash", ref.hash).set("mime_type", ref.mime_type);
  json.set("size", ref.size);
  json.set("uploaded_at", ref.uploaded_at ? Json(ref.uploaded_at->value()) : Json(nullptr));
  return json.set("deleted", ref.deleted);
}

Json optional_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json optional_json(const std::optional<std::vector<std::string>>& texts) {
  if (!texts) return nullptr;
  Json list = Json::array();
  for (const std::string& text : *texts) list.push(text);
  return list;
}

// Sorted, not searched pair by pair: a stranger chooses how many members there are.
bool equal_unordered(const Json::Object& a, const Json::Object& b) {
  const auto by_key = [](const Json::Object& object) {
    std::vector<const Json::Member*> members;
    for (const Json::Member& member : object) members.push_back(&member);
    sort_compactly_by(members, [](const Json::Member* member) -> const std::string& { return member->key; });
    return members;
  };
  return std::ranges::equal(by_key(a), by_key(b), [](const auto* x, const auto* y) { return *x == *y; });
}

// The members of a frontmatter by the rules for file events; what is not named here goes to `extra`.
bool is_known_key(std::string_view key) {
  constexpr std::string_view kKnown[] = {"title",   "part_of",  "contents",    "attachments",
                                         "deleted", "audience", "description", "updated"};
  return std::ranges::find(kKnown, key) != std::end(kKnown);
}

std::optional<std::string> front_text(const Frontmatter& front, std::string_view key) {
  const Json* const value = front.find(key);
  return value != nullptr && value->is_string() ? std::optional(*value->as_string()) : std::nullopt;
}

std::optional<std::vector<std::string>> front_references(const Frontmatter& front, std::string_view key,
                                                         std::string_view from) {
  const Json* const value = front.find(key);
  if (value == nullptr || !value->is_array()) return std::nullopt;
  std::vector<std::string> references;
  for (const Json& item : *value->as_array())
    if (item.is_string()) references.push_back(canonicalize_reference(*item.as_string(), from));
  return references;
}

std::optional<std::vector<std::string>> front_audience(const Frontmatter& front) {
  const Json* const value = front.find("audience");
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) {
    if (value->as_string()->find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
    return std::vector{*value->as_string()};
  }
  if (!value->is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const Json& item : *value->as_array())
    if (item.is_string()) names.push_back(*item.as_string());
  return names;
}

}  // namespace

Result<Repaired<FileMetadata>> parse_metadata(std::string_view json) {
  if (json.size() > kMaxMetadataBytes) return fail(ErrorCode::TooLarge);
  DX_TRY(const Json value, Json::parse(json));
  return metadata_from_json(value);
}

Result<Repaired<FileMetadata>> metadata_from_json(const Json& value) {
  if (!value.is_object()) return fail(ErrorCode::InvalidMetadata);
  if (value.reaches(kMaxMetadataDepth)) return fail(ErrorCode::TooDeep);
  Repaired<FileMetadata> read;
  FileMetadata& metadata = read.value;
  MemberReader in(value, read.repaired);
  metadata.filename = in.text("filename");
  metadata.title = in.optional_text("title");
  metadata.part_of = in.optional_text("part_of");
  metadata.contents = in.optional_texts("contents");
  if (const Json::Array* const refs = in.list("attachments")) {
    for (const Json& ref : *refs) {
      if (ref.is_object()) {
        metadata.attachments.push_back(read_binary_ref(ref, read.repaired));
      } else {
        read.repaired = true;
        if (ref.is_string()) metadata.attachments.push_back(local_ref(*ref.as_string()));
      }
    }
  }
  metadata.deleted = in.flag("deleted");
  metadata.audience = in.optional_texts("audience");
  metadata.description = in.optional_text("description");
  metadata.extra = in.object("extra");
  metadata.modified_at = TimestampMs{in.integer("modified_at")};
  return read;
}

Json metadata_to_json(const FileMetadata& metadata) {
  Json attachments = Json::array();
  for (const BinaryRef& ref : metadata.attachments) attachments.push(binary_ref_to_json(ref));
  // The order is part of the format: two peers that write one entry write the same bytes.
  Json json = Json::object();
  json.set("filename", metadata.filename).set("title", optional_json(metadata.title));
  json.set("part_of", optional_json(metadata.part_of)).set("contents", optional_json(metadata.contents));
  json.set("attachments", std::move(attachments)).set("deleted", metadata.deleted);
  json.set("audience", optional_json(metadata.audience)).set("description", optional_json(metadata.description));
  return json.set("extra", metadata.extra).set("modified_at", metadata.modified_at.value());
}

std::string format_metadata(const FileMetadata& metadata) { return metadata_to_json(metadata).dump(); }

Result<Repaired<BinaryRef>> parse_binary_ref(std::string_view json) {
  if (json.size() > kMaxMetadataBytes) return fail(ErrorCode::TooLarge);
  DX_TRY(const Json value, Json::parse(json));
  if (!value.is_object()) return fail(ErrorCode::InvalidMetadata);
  Repaired<BinaryRef> read;
  read.value = read_binary_ref(value, read.repaired);
  if (read.value.path.empty()) return fail(ErrorCode::InvalidMetadata);
  return read;
}

std::string format_binary_ref(const BinaryRef& ref) { return binary_ref_to_json(ref).dump(); }

bool content_equal(const FileMetadata& a, const FileMetadata& b) {
  return a.filename == b.filename && a.title == b.title && a.part_of == b.part_of && a.contents == b.contents &&
         a.attachments == b.attachments && a.deleted == b.deleted && a.audience == b.audience &&
         a.description == b.description && equal_unordered(a.extra, b.extra);
}

FileMetadata derive_metadata(const Frontmatter& front, const WorkspacePath& path, TimestampMs now) {
  FileMetadata metadata;
  metadata.filename = std::string(file_name(path.view()));
  metadata.title = front_text(front, "title");
  if (const auto link = front_text(front, "part_of")) metadata.part_of = canonicalize_reference(*link, path.view());
  metadata.contents = front_references(front, "contents", path.view());
  for (std::string& attachment :
       front_references(front, "attachments", path.view()).value_or(std::vector<std::string>{}))
    metadata.attachments.push_back(local_ref(std::move(attachment)));
  if (const Json* const deleted = front.find("deleted")) metadata.deleted = deleted->is_bool() && *deleted->as_bool();
  metadata.audience = front_audience(front);
  metadata.description = front_text(front, "description");
  Json extra = Json::object();
  for (const FrontmatterEntry& entry : front.entries())
    if (!is_known_key(entry.key) && !entry.key.starts_with('_')) extra.set(entry.key, entry.value);
  metadata.extra = std::move(*extra.as_object());
  const Json* const updated = front.find("updated");
  metadata.modified_at = (updated ? parse_updated(*updated) : std::nullopt).value_or(now);
  return metadata;
}

std::optional<TimestampMs> parse_updated(const Json& value) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53: beyond it milliseconds are not exact
  if (const double* const number = value.as_number()) {
    if (!(std::fabs(*number) <= kLargest)) return std::nullopt;
    return TimestampMs{static_cast<int64_t>(*number)};
  }
  const std::string* const text = value.as_string();
  if (text == nullptr || text->empty()) return std::nullopt;
  const bool negative = text->front() == '-';
  const std::string_view digits = std::string_view(*text).substr(negative ? 1 : 0);
  if (digits.empty() || digits.size() > 15 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return parse_rfc3339(*text);
  int64_t number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return TimestampMs{negative ? -number : number};
}

}  // namespace diaryx::sync
