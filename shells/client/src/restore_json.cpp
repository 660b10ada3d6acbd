#include "restore_json.h"

#include <string>
#include <utility>

#include "diaryx/base/base64.h"
#include "diaryx/sync/metadata.h"

namespace diaryx::client {
namespace {

Json optional_text(const std::optional<std::string>& text) { return text ? Json(*text) : Json(); }
Json optional_ref(const std::optional<sync::BinaryRef>& ref) {
  return ref ? Json(sync::format_binary_ref(*ref)) : Json();
}

std::optional<std::string> text_member(const Json& json, std::string_view key) {
  const auto text = json.string_member(key);
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

Bytes bytes_member(const Json& json, std::string_view key) {
  auto bytes = from_base64(json.string_member(key).value_or(""));
  return bytes ? *std::move(bytes) : Bytes{};
}

std::optional<sync::BinaryRef> ref_member(const Json& json, std::string_view key) {
  const auto text = json.string_member(key);
  if (!text) return std::nullopt;
  auto ref = sync::parse_binary_ref(*text);
  return ref ? std::optional(ref->value) : std::nullopt;
}

}  // namespace

Json to_json(const sync::RestoreFiles& restore) {
  Json files = Json::array();
  for (const sync::RestoreFile& file : restore.files) {
    files.push(Json::object({{"path", file.path},
                             {"renamed_from", file.renamed_from},
                             {"before", optional_text(file.before)},
                             {"after", optional_text(file.after)},
                             {"edit", to_base64(file.edit)},
                             {"edit_base", to_base64(file.edit_base)},
                             {"binary_before", optional_ref(file.binary_before)},
                             {"binary_after", optional_ref(file.binary_after)}}));
  }
  return Json::object({{"id", restore.id}, {"files", std::move(files)}});
}

std::optional<sync::RestoreFiles> parse_restore(std::string_view text) {
  const auto json = Json::parse(text);
  const Json* files = json ? json->find("files") : nullptr;
  if (files == nullptr || files->as_array() == nullptr || !json->string_member("id")) return std::nullopt;
  sync::RestoreFiles restore{.files = {}, .id = std::string(*json->string_member("id"))};
  for (const Json& file : *files->as_array()) {
    restore.files.push_back({.path = text_member(file, "path").value_or(""),
                             .renamed_from = text_member(file, "renamed_from").value_or(""),
                             .before = text_member(file, "before"),
                             .after = text_member(file, "after"),
                             .edit = bytes_member(file, "edit"),
                             .edit_base = bytes_member(file, "edit_base"),
                             .binary_before = ref_member(file, "binary_before"),
                             .binary_after = ref_member(file, "binary_after")});
  }
  return restore;
}

}  // namespace diaryx::client
