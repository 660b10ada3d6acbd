#include "diaryx/sync/open_note.h"

#include <optional>

#include "replica/body_doc.h"
#include "replica/workspace_doc.h"
#include "roots.h"

namespace diaryx::sync::relay {
namespace {

struct Entry {
  std::string document;  // of the path, whoever has it by now
  std::string file_id = {};  // empty: none that can be used
  bool live = false;
  bool left = false;  // by a rename
};

Entry entry_at(crdt::Doc& list, const std::string& path) {
  const std::optional<std::string> json = list.map(kFilesRoot).get_string(path);
  const auto read = json ? parse_metadata(*json) : Result<Repaired<FileMetadata>>(fail(ErrorCode::InvalidMetadata));
  if (!read) return {path};
  const FileMetadata& entry = read->value;
  Entry found{.document = document_key(entry, path), .live = !entry.deleted};
  found.left = entry.deleted && extra_text(entry, kMovedTo);
  if (const auto id = extra_text(entry, kFileId); id && is_file_id(*id)) found.file_id = *id;
  return found;
}

std::optional<std::string> document_at(crdt::Doc& list, const std::string& path, const std::string& file_id) {
  Entry entry = entry_at(list, path);
  if (!entry.live || entry.file_id != file_id) return std::nullopt;
  return std::move(entry.document);
}

/// Of several names that two devices gave the file at once, the first counts, as on devices.
std::optional<std::string> document_anywhere(crdt::Doc& list, const std::string& file_id) {
  std::optional<std::string> first;
  list.map(kFilesRoot).for_each([&](std::string_view path, const crdt::Any& value) {
    const std::string* const json = value.as_string();
    const bool may_be = json != nullptr && json->find(file_id) != std::string::npos;  // reading them all takes long
    if (may_be && (!first || path < *first) && document_at(list, std::string(path), file_id)) first = path;
  });
  return first ? document_at(list, *first, file_id) : std::nullopt;
}

/// The document of a file that is listed and had this path. It has it still, or `homes` says where it is, which is not so only where two
/// devices renamed it at once.
std::optional<std::string> document_of(crdt::Doc& list, const std::string& path, const std::string& file_id) {
  if (file_id.empty()) return std::nullopt;
  if (auto document = document_at(list, path, file_id)) return document;
  const auto value = list.map(kHomesRoot).get_string(file_id);
  const std::optional<Home> home = value ? parse_home(*value) : std::nullopt;
  if (home) {
    if (auto document = document_at(list, home->path, file_id)) return document;
  }
  return document_anywhere(list, file_id);
}

/// The file whose document this is; empty if it does not say so, or cannot be read.
std::string owner_of(ByteView document) {
  BodyDoc body{ClientId{1}};  // only read
  if (!body.doc().apply_update_v1(document)) return {};
  std::string owner = body.owner();
  return is_file_id(owner) ? owner : std::string();
}

}  // namespace

OpenNote note_at(crdt::Doc& list, std::string_view path) {
  OpenNote note{.path = std::string(path), .document = {}};
  const Entry entry = entry_at(list, note.path);
  note.file_id = entry.file_id;
  const auto elsewhere = entry.left ? document_of(list, note.path, note.file_id) : std::nullopt;
  note.document = elsewhere.value_or(entry.document);
  return note;
}

OpenNote followed(crdt::Doc& list, OpenNote note) {
  if (note.file_id.empty()) {
    Entry entry = entry_at(list, note.path);
    if (entry.document == note.document) note.file_id = std::move(entry.file_id);
  }
  if (auto document = document_of(list, note.path, note.file_id)) note.document = *std::move(document);
  return note;
}

OpenNote owned(OpenNote note, ByteView text) {
  if (std::string owner = owner_of(text); !owner.empty()) note.file_id = std::move(owner);
  return note;
}

bool may_be_of(const OpenNote& note, ByteView there) {
  const std::string owner = owner_of(there);
  return owner.empty() || owner == note.file_id;
}

}  // namespace diaryx::sync::relay
