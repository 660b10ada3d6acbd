#include "replica/workspace_doc.h"

#include <algorithm>

#include "diaryx/base/sha256.h"
#include "diaryx/base/sort.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/render.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

constexpr size_t kMaxFileIdBytes = 64;

/// How other peers may have spelled a key.
constexpr std::string_view kAliasPrefixes[] = {"./", "/"};

FileMetadata without_marks(FileMetadata metadata) {
  std::erase_if(metadata.extra, [](const Json::Member& member) { return member.key.starts_with('_'); });
  for (BinaryRef& ref : metadata.attachments) ref = BinaryRef{.path = std::move(ref.path), .deleted = ref.deleted};
  return metadata;
}

}  // namespace

bool is_id_key(const std::string& key) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (key.size() != kForm.size()) return false;
  for (size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (kForm[i] == '-' ? c != '-' : !digit) return false;
  }
  return true;
}

std::string head_without_text(const FileMetadata& entry, std::string_view path) {
  if (extra_text(entry, kHeadMark)) return {};  // written by one of ours: it has no frontmatter
  if (same_meaning(entry, derive_metadata(Frontmatter(), WorkspacePath(path), entry.modified_at))) return {};
  return render_head(entry);
}

WorkspaceDoc::WorkspaceDoc(ClientId client)
    : doc_({.client = client}),
      files_(doc_.map(kFilesRoot)),
      binaries_(doc_.map(kBinariesRoot)),
      homes_(doc_.map(kHomesRoot)) {}

std::optional<std::string> WorkspaceDoc::value(const crdt::Map& map, const std::string& path) const {
  if (std::optional<std::string> text = map.get_string(path)) return text;
  for (const std::string_view prefix : kAliasPrefixes) {
    if (std::optional<std::string> text = map.get_string(std::string(prefix).append(path))) return text;
  }
  return std::nullopt;
}

std::optional<FileMetadata> WorkspaceDoc::file(const std::string& path) const {
  std::optional<std::string> text = value(files_, path);
  if (!text) return std::nullopt;
  if (last_read_ && last_read_->text == *text) return last_read_->metadata;
  Result<Repaired<FileMetadata>> read = parse_metadata(*text);
  if (!read) return std::nullopt;
  last_read_.emplace(*std::move(text), std::move(read->value));
  return last_read_->metadata;
}

std::optional<BinaryRef> WorkspaceDoc::binary(const std::string& path) const {
  const std::optional<std::string> text = value(binaries_, path);
  if (!text) return std::nullopt;
  Result<Repaired<BinaryRef>> read = parse_binary_ref(*text);
  if (!read) return std::nullopt;
  read->value.path = path;  // the key decides, whatever the value says
  return std::move(read->value);
}

std::optional<FileMetadata> WorkspaceDoc::live_file(const std::string& path) const {
  if (is_id_key(path)) return std::nullopt;
  std::optional<FileMetadata> metadata = file(path);
  return metadata && !metadata->deleted ? std::move(metadata) : std::nullopt;
}

std::optional<BinaryRef> WorkspaceDoc::live_binary(const std::string& path) const {
  std::optional<BinaryRef> ref = binary(path);
  return ref && !ref->deleted && Sha256::from_hex(ref->hash) ? std::move(ref) : std::nullopt;
}

std::vector<std::string> WorkspaceDoc::live_files() const {
  std::vector<std::string> paths;
  files_.for_each([&](std::string_view key, const crdt::Any&) {
    const Result<WorkspacePath> path = parse_path(key);
    if (path && is_carried(path->view()) && live_file(path->str())) paths.push_back(path->str());
  });
  sort_compactly(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::vector<BinaryRef> WorkspaceDoc::live_binaries() const {
  std::vector<BinaryRef> refs;
  binaries_.for_each([&](std::string_view key, const crdt::Any&) {
    const Result<WorkspacePath> path = parse_path(key);
    if (!path || path->view() != key || !is_carried(key)) return;
    if (std::optional<BinaryRef> ref = live_binary(path->str())) refs.push_back(*std::move(ref));
  });
  sort_compactly_by(refs, &BinaryRef::path);
  return refs;
}

std::string WorkspaceDoc::document_of(const std::string& path) const { return document_key(file(path), path); }

std::string document_key(const std::optional<FileMetadata>& entry, const std::string& path) {
  const std::optional<std::string> said = entry ? extra_text(*entry, kDocument) : std::nullopt;
  const bool usable = said && said->starts_with(kOwnDocument) && is_file_id(said->substr(kOwnDocument.size()));
  return usable ? *said : path;
}

bool is_file_id(const std::string& id) {
  const auto is_usable = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !id.empty() && id.size() <= kMaxFileIdBytes && std::ranges::all_of(id, is_usable);
}

std::optional<Home> WorkspaceDoc::home(const std::string& file_id) const {
  const std::optional<std::string> text = homes_.get_string(file_id);
  return text ? parse_home(*text) : std::nullopt;
}

void WorkspaceDoc::set_home(crdt::Transaction& txn, const std::string& file_id, const Home& home) {
  if (!is_file_id(file_id) || this->home(file_id) == home) return;
  homes_.set(txn, file_id, crdt::Any::string(format_home(home)));
}

std::string said_id(const std::optional<FileMetadata>& entry) {
  std::string id = entry ? extra_text(*entry, kFileId).value_or(std::string()) : std::string();
  return is_file_id(id) ? id : std::string();
}

std::string file_id_of_entry(const std::string& path, const FileMetadata& entry) {
  std::string id = extra_text(entry, kFileId).value_or(std::string());
  return is_file_id(id) ? id : sha256(std::string(path) + format_metadata(entry)).hex().substr(0, 16);
}

std::string format_home(const Home& home) { return home.path + "\n" + home.document + "\n" + home.seen; }

std::optional<Home> parse_home(std::string_view value) {
  // Three lines: path, document, what was seen.
  const size_t first = value.find('\n');
  const size_t second = first == std::string::npos ? first : value.find('\n', first + 1);
  if (second == std::string::npos) return std::nullopt;
  Home home{std::string(value.substr(0, first)), std::string(value.substr(first + 1, second - first - 1)),
            std::string(value.substr(second + 1))};
  const bool own = home.document.starts_with(kOwnDocument) && is_file_id(home.document.substr(kOwnDocument.size()));
  if (!parse_path(home.path) || !is_carried(home.path) || !(own || parse_path(home.document))) return std::nullopt;
  return home;
}

std::string WorkspaceDoc::new_file_id(const std::string& path) const {
  const ClientId client = doc_.client();
  const std::string now =
      std::to_string(client.value()) + ":" + std::to_string(doc_.state_vector().get(client).value());
  return sha256(now + ":" + path).hex().substr(0, 16);
}

void WorkspaceDoc::set_file(crdt::Transaction& txn, const std::string& path, const FileMetadata& metadata) {
  for (const std::string_view prefix : kAliasPrefixes) files_.erase(txn, std::string(prefix).append(path));
  files_.set(txn, path, crdt::Any::string(format_metadata(metadata)));
}

void WorkspaceDoc::set_binary(crdt::Transaction& txn, const BinaryRef& ref) {
  binaries_.set(txn, ref.path, crdt::Any::string(format_binary_ref(ref)));
}

std::optional<std::string> extra_text(const FileMetadata& metadata, std::string_view key) {
  const auto found = std::ranges::find(metadata.extra, key, &Json::Member::key);
  if (found == metadata.extra.end() || found->value.as_string() == nullptr) return std::nullopt;
  return *found->value.as_string();
}

void set_extra_text(FileMetadata& metadata, std::string_view key, std::optional<std::string> value) {
  std::erase_if(metadata.extra, [&](const Json::Member& member) { return member.key == key; });
  if (value) metadata.extra.push_back({std::string(key), Json(*std::move(value))});
}

bool same_meaning(const FileMetadata& a, const FileMetadata& b) {
  return content_equal(without_marks(a), without_marks(b));
}

FileMetadata carry_over(FileMetadata fresh, const FileMetadata& known) {
  for (BinaryRef& ref : fresh.attachments) {
    const auto same = std::ranges::find(known.attachments, ref.path, &BinaryRef::path);
    if (same != known.attachments.end() && !same->hash.empty()) ref = *same;
  }
  for (const Json::Member& member : known.extra) {
    const bool of_tombstone = member.key == kMovedTo || member.key == kSeen;
    if (member.key.starts_with('_') && !of_tombstone) fresh.extra.push_back(member);
  }
  return fresh;
}

std::string head_mark(std::string_view head) { return sha256(head).hex().substr(0, 8); }

}  // namespace diaryx::sync
