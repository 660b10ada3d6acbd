#include "diaryx/sync/relay_archive.h"

#include <algorithm>
#include <map>
#include <set>

#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "replica/body_doc.h"
#include "replica/workspace_doc.h"
#include "roots.h"

namespace diaryx::sync::relay {

WorkspaceFiles::WorkspaceFiles(std::string workspace, std::unique_ptr<WorkspaceDoc> doc)
    : workspace_(std::move(workspace)), doc_(std::move(doc)) {}
WorkspaceFiles::WorkspaceFiles(WorkspaceFiles&&) noexcept = default;
WorkspaceFiles& WorkspaceFiles::operator=(WorkspaceFiles&&) noexcept = default;
WorkspaceFiles::~WorkspaceFiles() = default;

Result<WorkspaceFiles> WorkspaceFiles::open(std::string_view workspace, ByteView state, ClientId client) {
  auto doc = std::make_unique<WorkspaceDoc>(client);
  DX_TRY_VOID(doc->doc().apply_update_v1(state));
  return WorkspaceFiles(std::string(workspace), std::move(doc));
}

std::vector<std::string> WorkspaceFiles::texts() const { return doc_->live_files(); }

DocId WorkspaceFiles::body_of(std::string_view path) const {
  const auto id = body_doc_id(workspace_, doc_->document_of(std::string(path)));
  DX_ASSERT(id.has_value());  // a path that is listed or imported has at most kMaxKeyBytes
  return *id;
}

Result<std::string> WorkspaceFiles::text_of(std::string_view path, ByteView body_state) const {
  BodyDoc body{ClientId{1}};  // only read
  DX_TRY_VOID(body.doc().apply_update_v1(body_state));
  std::string head = body.head();
  if (!head.empty()) return head + body.body();
  // Without a head: no frontmatter at all, or a file that only an old peer wrote, whose metadata is rendered.
  const std::optional<FileMetadata> entry = doc_->file(std::string(path));
  return (entry ? head_without_text(*entry, path) : std::string()) + body.body();
}

std::vector<BinaryRef> WorkspaceFiles::binaries() const {
  std::map<std::string, BinaryRef> by_path;
  for (BinaryRef& ref : doc_->live_binaries()) by_path.emplace(ref.path, std::move(ref));
  for (const std::string& path : texts()) {
    const std::optional<FileMetadata> entry = doc_->file(std::string(path));
    if (!entry) continue;
    for (const BinaryRef& ref : entry->attachments) {
      const auto checked = parse_path(ref.path);
      if (!ref.deleted && !ref.hash.empty() && checked && checked->view() == ref.path) by_path.emplace(ref.path, ref);
    }
  }
  std::vector<BinaryRef> refs;
  for (auto& [path, ref] : by_path) refs.push_back(std::move(ref));
  return refs;
}

namespace {

std::string seed_of(const WorkspaceFiles::ImportedText& file) {
  if (!file.seed.empty()) return file.seed;
  const SplitText split = split_frontmatter(file.text);
  return seed_name(file.path, split.head, split.body);
}

}  // namespace

WorkspaceFiles::ImportedText WorkspaceFiles::ImportedText::listed() const {
  return {path, std::string(split_frontmatter(text).head), seed_of(*this)};
}

WorkspaceFiles::Place WorkspaceFiles::place_of(const ImportedText& file) const {
  const std::optional<FileMetadata> known = doc_->file(file.path);
  const std::optional<std::string> id = known ? extra_text(*known, kFileId) : std::nullopt;
  const bool left = known && known->deleted && extra_text(*known, kMovedTo);
  if (left) {  // what was here lives on under another name, with the document of this one
    const std::string fresh = doc_->new_file_id(file.path);
    return {fresh, own_document(fresh)};
  }
  return {id && is_file_id(*id) ? *id : seed_of(file), doc_->document_of(file.path)};
}

ServerEdit WorkspaceFiles::edit_body(const ImportedText& file) const {
  const SplitText split = split_frontmatter(file.text);
  const Place place = place_of(file);
  ServerEdit edit;
  const auto id = body_doc_id(workspace_, place.document);
  DX_ASSERT(id.has_value());  // no longer than a path
  edit.document = *id;
  edit.seed = seed_update(place.document, place.file_id, split.head, split.body);
  edit.texts = {{kHeadRoot, std::string(split.head)}, {kBodyRoot, std::string(split.body)}};
  return edit;
}

// --- renames, as Replica makes them (src/replica/replica_tree.cpp) ---

bool WorkspaceFiles::can_rename(std::string_view from, std::string_view to) const {
  const std::string name(to);
  return doc_->live_file(std::string(from)) && !doc_->live_file(name) && !doc_->live_binary(name);
}

Result<std::string> WorkspaceFiles::document_at(const Renamed& file, ByteView there) const {
  const std::string id = file_id_of_entry(file.from, *doc_->live_file(file.from));
  BodyDoc body{doc_->doc().client(), file.to};
  DX_TRY_VOID(body.doc().apply_update_v1(there));
  if (body.owner() == id) return file.to;
  const std::optional<FileMetadata> entry = doc_->file(file.to);
  const bool was_here = entry && extra_text(*entry, kFileId) == id && !extra_text(*entry, kDocument);
  const bool free = body.owner().empty() && (was_here || (!entry && body.is_virgin()));
  return free ? file.to : own_document(id);
}

Result<ServerEdit> WorkspaceFiles::edit_renamed(const Renamed& file, ByteView here, ByteView there) const {
  BodyDoc body{doc_->doc().client(), file.document};
  DX_TRY_VOID(body.doc().apply_update_v1(there));
  DX_TRY_VOID(body.doc().apply_update_v1(here));
  if (!body.is_virgin() && body.owner().empty()) body.claim(file_id_of_entry(file.from, *doc_->live_file(file.from)));
  ServerEdit edit;
  DX_TRY(edit.document, body_doc_id(workspace_, file.document));
  edit.update = body.doc().encode_update_v1();
  return edit;
}

void WorkspaceFiles::list_renamed(const Import& import, TimestampMs now, ServerEdit& edit) const {
  for (const Renamed& file : import.renamed) {
    std::optional<FileMetadata> entry = doc_->live_file(file.from);
    if (!entry) continue;  // renamed or deleted meanwhile: that is later
    const std::string id = file_id_of_entry(file.from, *entry);
    FileMetadata moved = *entry;
    if (file.text) {
      const std::string_view head = split_frontmatter(*file.text).head;
      const auto front = Frontmatter::parse(head);
      moved = carry_over(derive_metadata(front ? *front : Frontmatter(), WorkspacePath(file.to), now), *entry);
      set_extra_text(moved, kHeadMark, head_mark(head));
    }
    moved.filename = file_name(file.to);
    moved.modified_at = now;
    moved.deleted = false;
    entry->deleted = true;
    entry->modified_at = now;
    for (FileMetadata* const one : {&moved, &*entry}) {
      set_extra_text(*one, kFileId, id);
      set_extra_text(*one, kSeen, std::nullopt);
    }
    set_extra_text(moved, kMovedTo, std::nullopt);
    set_extra_text(moved, kDocument, file.document == file.to ? std::nullopt : std::optional(file.document));
    set_extra_text(*entry, kMovedTo, file.to);
    edit.entries.push_back({kFilesRoot, file.from, format_metadata(*entry)});
    edit.entries.push_back({kFilesRoot, file.to, format_metadata(moved)});
    edit.entries.push_back({kHomesRoot, id, format_home({file.to, file.document, {}})});
  }
}

void WorkspaceFiles::list_texts(const Import& import, TimestampMs now, ServerEdit& edit) const {
  std::map<std::string_view, const BinaryRef*> uploaded;
  for (const BinaryRef& ref : import.binaries) uploaded.emplace(ref.path, &ref);
  std::set<std::string_view> kept;
  for (const ImportedText& file : import.texts) {
    kept.insert(file.path);
    if (std::ranges::find(import.renamed, file.path, &Renamed::from) != import.renamed.end()) continue;
    const std::string_view head = split_frontmatter(file.text).head;
    const auto front = Frontmatter::parse(head);
    FileMetadata metadata = derive_metadata(front ? *front : Frontmatter(), WorkspacePath(file.path), now);
    metadata.deleted = false;
    const std::optional<FileMetadata> known = doc_->file(file.path);
    const Place place = place_of(file);
    if (known) metadata = carry_over(std::move(metadata), *known);
    for (BinaryRef& ref : metadata.attachments) {
      if (const auto found = uploaded.find(ref.path); found != uploaded.end()) ref = *found->second;
    }
    set_extra_text(metadata, kHeadMark, head_mark(head));
    set_extra_text(metadata, kFileId, place.file_id);
    set_extra_text(metadata, kDocument, place.document == file.path ? std::nullopt : std::optional(place.document));
    const bool same = known && !known->deleted && extra_text(*known, kHeadMark) == extra_text(metadata, kHeadMark) &&
                      content_equal(*known, metadata);
    if (!same) {
      edit.entries.push_back({kFilesRoot, file.path, format_metadata(metadata)});
      edit.entries.push_back({kHomesRoot, place.file_id, format_home({file.path, place.document, {}})});
    }
    if (std::optional<BinaryRef> ref = doc_->live_binary(file.path)) {  // its bytes are text now
      ref->deleted = true;
      edit.entries.push_back({kBinariesRoot, file.path, format_binary_ref(*ref)});
    }
  }
  for (const std::string& path : texts()) {
    const bool removed = uploaded.contains(path)  // its text is bytes now
                         || std::ranges::find(import.removed, path) != import.removed.end();
    if (kept.contains(path) || !(removed || import.replace_texts)) continue;
    std::optional<FileMetadata> metadata = doc_->file(path);
    metadata->deleted = true;
    metadata->modified_at = now;
    edit.entries.push_back({kFilesRoot, path, format_metadata(*metadata)});
    const std::optional<std::string> id = extra_text(*metadata, kFileId);
    if (!id || !is_file_id(*id)) continue;
    edit.entries.push_back({kHomesRoot, *id, format_home({path, doc_->document_of(path), std::string(kSeenUnknown)})});
  }
}

void WorkspaceFiles::list_binaries(const Import& import, ServerEdit& edit) const {
  std::set<std::string_view> kept;
  for (const BinaryRef& ref : import.binaries) {
    kept.insert(ref.path);
    const std::optional<BinaryRef> known = doc_->live_binary(ref.path);
    if (known && known->hash == ref.hash && known->size == ref.size) continue;
    edit.entries.push_back({kBinariesRoot, ref.path, format_binary_ref(ref)});
  }
  for (BinaryRef& ref : doc_->live_binaries()) {
    const bool removed = std::ranges::find(import.removed, ref.path) != import.removed.end();
    if (kept.contains(ref.path) || !(removed || import.replace_binaries)) continue;
    ref.deleted = true;
    edit.entries.push_back({kBinariesRoot, ref.path, format_binary_ref(ref)});
  }
}

ServerEdit WorkspaceFiles::edit_entries(const Import& import, TimestampMs now) const {
  ServerEdit edit;
  const auto id = workspace_doc_id(workspace_);
  DX_ASSERT(id.has_value());
  edit.document = *id;
  list_texts(import, now, edit);
  list_renamed(import, now, edit);
  list_binaries(import, edit);
  return edit;
}

}  // namespace diaryx::sync::relay
