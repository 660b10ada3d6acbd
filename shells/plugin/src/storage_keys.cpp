#include "storage_keys.h"

#include "diaryx/base/sha256.h"
#include "host.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kWorkspaceKey = "workspace_crdt";
constexpr std::string_view kHistoryKey = "history.";
constexpr std::string_view kProbeKey = "sync.probe";
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

std::string history_key(const std::string& doc, uint64_t number) {
  return std::string(kHistoryKey) + std::to_string(number) + ':' + document_key(doc);
}

Space::Space(uint64_t number) : prefix_(number == 0 ? std::string() : 'w' + std::to_string(number) + '.') {}

std::optional<Bytes> Space::get(std::string_view key) const {
  return host::storage_get(std::string(prefix_).append(key));
}

void Space::set(std::string_view key, ByteView bytes) const {
  host::storage_set(std::string(prefix_).append(key), bytes);
}

bool storage_keeps() { return Space().keep(kProbeKey, as_bytes(std::to_string(host::now().value()))); }

bool Space::keep(std::string_view key, ByteView bytes) const {
  set(key, bytes);
  const auto kept = get(key);
  if (kept && as_text(*kept) == as_text(bytes)) return true;
  host::log(host::Level::Warn, "the host did not store " + std::string(key));
  return false;
}

std::optional<Json> stored_json(const Space& space, std::string_view key) {
  const auto bytes = space.get(key);
  if (!bytes) return std::nullopt;
  auto json = Json::parse(as_text(*bytes));
  if (json) return std::move(*json);
  host::log(host::Level::Warn, "stored value of " + std::string(key) + " is damaged and kept aside");
  space.set(std::string(kDamagedKey).append(key), *bytes);
  return std::nullopt;
}

std::optional<StoredDocument> Space::read_document(std::string_view doc) const {
  std::string key = document_key(doc);
  if (auto bytes = get(key)) return StoredDocument{std::move(key), std::move(*bytes)};
  if (!doc.starts_with(kBodyPrefix) || key == doc) return std::nullopt;
  if (auto bytes = get(doc)) return StoredDocument{std::string(doc), std::move(*bytes)};
  return std::nullopt;
}

}  // namespace diaryx::plugin
