#include "storage_keys.h"

#include "diaryx/base/sha256.h"
#include "host.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kWorkspaceKey = "workspace_crdt";
constexpr std::string_view kHistoryKey = "history.";
constexpr size_t kMaxKeyName = 120;

}  // namespace

std::string body_key(std::string_view name) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string key(kBodyPrefix);
  for (const char c : name) {
    const bool folded = (c >= 'A' && c <= 'Z') || c == '/' || c == '\\' || c == ':' || c == '_' || c == '%' || c == '~';
    if (!folded) {
      key += c;
      continue;
    }
    const auto byte = static_cast<uint8_t>(c);
    key += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  if (key.size() <= kMaxKeyName) return key;
  return std::string(kBodyPrefix) + '~' + sha256(name).hex();
}

std::string document_key(std::string_view doc) {
  if (!doc.starts_with(kBodyPrefix)) return std::string(kWorkspaceKey);
  return body_key(doc.substr(kBodyPrefix.size()));
}

std::string history_key(std::string_view doc, uint64_t number) {
  return std::string(kHistoryKey) + std::to_string(number) + ':' + document_key(doc);
}

std::optional<StoredDocument> read_document(std::string_view doc) {
  std::string key = document_key(doc);
  if (auto bytes = host::storage_get(key)) return StoredDocument{std::move(key), std::move(*bytes)};
  if (!doc.starts_with(kBodyPrefix) || key == doc) return std::nullopt;
  if (auto bytes = host::storage_get(doc)) return StoredDocument{std::string(doc), std::move(*bytes)};
  return std::nullopt;
}

}  // namespace diaryx::plugin
