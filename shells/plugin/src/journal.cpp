#include "journal.h"

#include <charconv>

#include "diaryx/base/json.h"
#include "diaryx/base/sha256.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/replica.h"
#include "host.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kWorkspaceKey = "workspace_crdt";
constexpr std::string_view kManifestKey = "body_doc_manifest";
constexpr std::string_view kHeadKey = "sync.records";
constexpr std::string_view kEntryKey = "sync.journal.";
constexpr std::string_view kDamagedKey = "damaged:";
constexpr std::string_view kWorkspaceDoc = "workspace";
constexpr std::string_view kBodyPrefix = "body:";

constexpr uint8_t kEntryVersion = 1;
enum class Kind : uint8_t { Update = 0, Record = 1 };

// A host may fail to store one entry without a word; a few missing numbers do not end the journal.
constexpr uint64_t kLongestGap = 4;
constexpr size_t kMaxKeyName = 120;
constexpr uint64_t kManyEntries = 200;
constexpr size_t kManyBytes = 1 << 20;

std::string entry_key(uint64_t number) { return std::string(kEntryKey) + std::to_string(number); }

std::string_view body_name(std::string_view doc) { return doc.substr(kBodyPrefix.size()); }

std::optional<Json> stored_json(std::string_view key) {
  const auto bytes = host::storage_get(key);
  if (!bytes) return std::nullopt;
  auto json = Json::parse(as_text(*bytes));
  if (json) return std::move(*json);
  host::log(host::Level::Warn, "stored value of " + std::string(key) + " is damaged: " + describe(json.error()));
  return std::nullopt;
}

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

Journal::Stored Journal::load() {
  Stored stored;
  load_head(stored);
  load_document(std::string(kWorkspaceDoc), stored);
  has_workspace_ = !stored.updates.empty();
  if (const auto manifest = stored_json(kManifestKey); manifest && manifest->as_array()) {
    for (const Json& name : *manifest->as_array()) {
      if (const std::string* text = name.as_string()) stored_bodies_.insert(*text);
    }
  }
  for (const std::string& name : stored_bodies_) load_document(std::string(kBodyPrefix) + name, stored);
  load_entries(stored);
  records_ = stored.records;
  found_ = found_ || !stored.empty();
  return stored;
}

void Journal::load_head(Stored& stored) {
  const auto bytes = host::storage_get(kHeadKey);
  if (!bytes) return;
  Reader in(*bytes);
  const auto version = in.u8();
  const auto workspace = in.var_string();
  const auto first = in.var_uint();
  bool good = version == kEntryVersion && workspace && first;
  if (good) {
    stored.workspace_id = *workspace;
    first_ = *first;
  }
  while (good && !in.at_end()) {
    const auto key = in.var_string();
    const auto value = in.var_bytes();
    good = key && value;
    if (good) stored.records.insert_or_assign(std::string(*key), std::string(as_text(*value)));
  }
  if (good) return;
  host::log(host::Level::Warn, "the stored records are damaged and kept aside");
  damaged_.insert(std::string(kHeadKey));
}

void Journal::load_document(const std::string& doc, Stored& stored) {
  const bool is_workspace = doc == kWorkspaceDoc;
  std::string key = is_workspace ? std::string(kWorkspaceKey) : body_key(body_name(doc));
  auto bytes = host::storage_get(key);
  if (!bytes && !is_workspace && key != doc) bytes = host::storage_get(key = doc);  // as older plugins named it
  if (!bytes) return;
  if (const auto valid = crdt::validate_update_v1(*bytes); !valid) {
    host::log(host::Level::Warn, "stored document " + doc + " is damaged and kept aside: " + describe(valid.error()));
    damaged_.insert(key);
    return;
  }
  stored.updates.push_back({doc, std::move(*bytes)});
}

void Journal::load_entries(Stored& stored) {
  next_ = first_;
  for (uint64_t number = first_; number <= next_ + kLongestGap; ++number) {
    if (load_entry(number, stored)) next_ = number + 1;
  }
}

bool Journal::load_entry(uint64_t number, Stored& stored) {
  const auto bytes = host::storage_get(entry_key(number));
  if (!bytes) return false;
  bytes_since_compaction_ += bytes->size();
  Reader in(*bytes);
  bool good = in.u8().value_or(0) == kEntryVersion;
  while (good && !in.at_end()) {
    const auto kind = in.u8();
    const auto name = in.var_string();
    const auto value = in.var_bytes();
    good = kind && name && value;
    if (!good) break;
    if (*kind == static_cast<uint8_t>(Kind::Update)) {
      if (crdt::validate_update_v1(*value)) stored.updates.push_back({std::string(*name), to_bytes(*value)});
      changed_.insert(std::string(*name));
    } else if (value->empty()) {
      stored.records.erase(std::string(*name));
    } else {
      stored.records.insert_or_assign(std::string(*name), std::string(as_text(*value)));
    }
  }
  if (!good) host::log(host::Level::Warn, "the end of " + entry_key(number) + " is damaged and was left out");
  return true;
}

void Journal::add_update(std::string_view doc, ByteView update) {
  pending_.u8(static_cast<uint8_t>(Kind::Update));
  pending_.var_string(doc);
  pending_.var_bytes(update);
  changed_.emplace(doc);
}

void Journal::add_record(std::string_view key, std::string_view value) {
  pending_.u8(static_cast<uint8_t>(Kind::Record));
  pending_.var_string(key);
  pending_.var_string(value);
  if (value.empty())
    records_.erase(std::string(key));
  else
    records_[std::string(key)] = value;
}

void Journal::flush() {
  if (pending_.size() == 0) return;
  Bytes entry{kEntryVersion};
  entry.insert(entry.end(), pending_.view().begin(), pending_.view().end());
  // A native host that cannot store ends the call here: what is pending stays pending and goes with the next flush.
  host::storage_set(entry_key(next_), entry);
  pending_ = Writer{};
  ++next_;
  bytes_since_compaction_ += entry.size();
  flushed_ = true;
}

bool Journal::wants_compaction() const {
  return next_ - first_ >= kManyEntries || bytes_since_compaction_ >= kManyBytes;
}

void Journal::compact(const sync::Replica& replica, std::string_view workspace_id) {
  flush();
  if (next_ == first_ && has_workspace_) return;
  changed_.emplace(kWorkspaceDoc);
  for (const std::string& doc : changed_) {
    if (doc == kWorkspaceDoc) {
      store(std::string(kWorkspaceKey), replica.document_state(doc));
    } else if (doc.starts_with(kBodyPrefix)) {
      store(body_key(body_name(doc)), replica.document_state(doc));
      stored_bodies_.emplace(body_name(doc));
    }
  }
  write_manifest();
  const uint64_t old = first_;
  first_ = next_;
  write_head(workspace_id);
  for (uint64_t number = old; number < first_; ++number) host::storage_set(entry_key(number), {});
  changed_.clear();
  bytes_since_compaction_ = 0;
  has_workspace_ = true;
  flushed_ = true;
}

void Journal::store(const std::string& key, ByteView bytes) {
  if (damaged_.erase(key) > 0) {
    if (const auto old = host::storage_get(key)) host::storage_set(std::string(kDamagedKey) + key, *old);
  }
  host::storage_set(key, bytes);
}

void Journal::write_manifest() const {
  Json names = Json::array();
  for (const std::string& name : stored_bodies_) names.push(name);
  host::storage_set(kManifestKey, as_bytes(names.dump()));
}

void Journal::write_head(std::string_view workspace_id) {
  Writer out;
  out.u8(kEntryVersion);
  out.var_string(workspace_id);
  out.var_uint(first_);
  for (const auto& [key, value] : records_) {
    out.var_string(key);
    out.var_string(value);
  }
  store(std::string(kHeadKey), out.view());
}

void Journal::erase_all() {
  pending_ = Writer{};
  records_.clear();
  const std::set<std::string> bodies = std::move(stored_bodies_);
  stored_bodies_.clear();
  changed_.clear();
  has_workspace_ = false;
  const uint64_t old = first_;
  first_ = next_;
  // The head goes first: from then on nothing of the old state is read, whatever happens to the rest.
  write_head({});
  host::storage_set(kManifestKey, as_bytes("[]"));
  host::storage_set(kWorkspaceKey, {});
  for (const std::string& name : bodies) host::storage_set(body_key(name), {});
  for (uint64_t number = old; number < first_; ++number) host::storage_set(entry_key(number), {});
}

}  // namespace diaryx::plugin
