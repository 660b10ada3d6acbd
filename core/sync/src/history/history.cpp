#include "diaryx/sync/history.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "diaryx/base/sort.h"
#include "diaryx/sync/head_text.h"
#include "diaryx/sync/path.h"
#include "history/history_impl.h"
#include "replica/body_store.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

/// Longer ids and names of devices are not ours.
constexpr size_t kMaxDeviceText = 256;

// A client id for documents that are only read.
constexpr ClientId kReader{1};
constexpr size_t kMaxNames = 64;

// The tombstone of a rename says where the file went.
bool was_renamed(const WorkspaceDoc& workspace, const std::string& path) {
  const std::optional<FileMetadata> entry = workspace.file(path);
  return entry && extra_text(*entry, kMovedTo);
}

crdt::DocOptions reader_options() { return {.client = kReader, .emit = crdt::Emit::Nothing}; }

std::optional<ClientId> read_client(std::string_view digits) {
  uint64_t client = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), client);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return ClientId{client};
}

std::optional<std::string> usable_key(std::string_view key) {
  const Result<WorkspacePath> path = parse_path(key);
  if (!path || !is_carried(path->view())) return std::nullopt;
  return path->str();
}

}  // namespace

std::string body_document(std::string_view path) { return std::string(kBodyPrefix).append(path); }

// --- replaying --------------------------------------------------------------------------------------------------

const DocHistory* History::Impl::document(std::string_view doc) const {
  const auto found = documents_.find(doc);
  return found == documents_.end() ? nullptr : &found->second;
}

void History::Impl::forget(std::string_view doc) {
  known_writers_.reset();
  body_writers_.clear();
  if (doc != kWorkspaceName) return;
  pass_.reset();
  past_ = {};
}

const History::Impl::WorkspacePass& History::Impl::pass() const {
  if (pass_ != nullptr) return *pass_;
  pass_ = std::make_unique<WorkspacePass>();
  pass_->present = std::make_unique<WorkspaceDoc>(kReader);
  WorkspaceDoc& workspace = *pass_->present;
  std::set<std::string, std::less<>> live;
  if (const DocHistory* records = document(kWorkspaceName)) {
    for (const HistoryRecord& record : records->records()) {
      std::vector<std::string>& changed = pass_->files_changed.emplace_back();
      std::vector<std::string>& removed = pass_->files_removed.emplace_back();
      const Result<crdt::Commit> commit = workspace.doc().apply_update_v1(record.update);
      if (!commit) {
        ++damaged_;
        continue;
      }
      for (const std::string_view root : {kFilesRoot, kBinariesRoot}) {
        for (const std::string& key : commit->changed_keys(root)) {
          if (std::optional<std::string> path = usable_key(key)) changed.push_back(*std::move(path));
        }
      }
      sort_compactly(changed);
      changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
      for (const std::string& path : changed) {
        note_move(*pass_, path);
        note_document(*pass_, path);
        if (workspace.live_file(path) || workspace.live_binary(path))
          live.insert(path);
        else if (live.erase(path) != 0 && !was_renamed(workspace, path))
          removed.push_back(path);
        if (const std::optional<crdt::Id> id = workspace.doc().map(kFilesRoot).current_id(path))
          pass_->first_writer.emplace(path, id->client);
      }
    }
  }
  read_devices(*pass_);
  return *pass_;
}

void History::Impl::read_devices(WorkspacePass& pass) const {
  crdt::Doc& doc = pass.present->doc();
  doc.map(kWritersRoot).for_each([&](std::string_view key, const crdt::Any& value) {
    const std::optional<ClientId> client = read_client(key);
    const std::string* device = value.as_string();
    if (client && device != nullptr && device->size() <= kMaxDeviceText)
      pass.device_ids.emplace(client->value(), *device);
  });
  doc.map(kDevicesRoot).for_each([&](std::string_view key, const crdt::Any& value) {
    if (const std::string* name = value.as_string(); name != nullptr && name->size() <= kMaxDeviceText)
      pass.device_names.emplace(std::string(key), *name);
  });
}

void History::Impl::note_move(WorkspacePass& pass, const std::string& path) {
  const std::optional<FileMetadata> entry = pass.present->file(path);
  if (!entry || !entry->deleted) return;
  const std::optional<std::string> to = extra_text(*entry, kMovedTo);
  if (to && *to != path) pass.came_from[*to].insert(path);
}

void History::Impl::note_document(WorkspacePass& pass, const std::string& path) {
  const std::optional<FileMetadata> entry = pass.present->file(path);
  if (!entry) return;
  const std::string document = document_key(entry, path);
  if (const std::optional<std::string> id = extra_text(*entry, kFileId)) pass.documents_of[*id].insert(document);
  if (document == path) return;
  pass.documents_at[path].insert(document);
  if (!entry->deleted) pass.path_of_document.insert_or_assign(document, path);
}

const WorkspaceDoc& History::Impl::workspace_at(HistoryPoint point) const {
  const DocHistory* records = document(kWorkspaceName);
  if (records == nullptr || (!records->records().empty() && point >= records->records().back().sequence))
    return *pass().present;
  const auto is_it = [&](const Past& past) { return past.workspace != nullptr && past.point == point; };
  if (!is_it(past_[0])) std::swap(past_[0], past_[1]);
  Past& past = past_[0];
  if (is_it(past)) return *past.workspace;
  if (past.workspace == nullptr || past.point > point)
    past = {.workspace = std::make_unique<WorkspaceDoc>(kReader), .point = kHistoryStart};
  damaged_ += records->replay(past.workspace->doc(), past.point, point);
  past.point = point;
  return *past.workspace;
}

std::unique_ptr<crdt::Doc> History::Impl::body_at(const std::string& path, HistoryPoint point) const {
  const DocHistory* records = document(body_document(workspace_at(point).document_of(path)));
  if (records == nullptr || records->records().empty() || records->records().front().sequence > point) return nullptr;
  auto doc = std::make_unique<crdt::Doc>(reader_options());
  damaged_ += records->replay(*doc, kHistoryStart, point);
  return doc;
}

bool History::Impl::is_empty_before_its_records(const FileMetadata& entry, const std::string& path,
                                                HistoryPoint point) const {
  // Only one of our devices tells of a file that it has no text, and what was typed into it later is no word about that.
  if (!extra_text(entry, kHeadMark) || extra_text(entry, kHasText)) return false;
  const DocHistory* const records = document(body_document(workspace_at(point).document_of(path)));
  if (records == nullptr || records->records().empty()) return true;
  // What came as a whole was there before it came.
  const HistoryRecord& first = records->records().front();
  return first.merged == 1 && first.origin != HistoryOrigin::Sync && first.origin != HistoryOrigin::Base;
}

std::string History::Impl::head_of(crdt::Doc& body, const std::optional<FileMetadata>& entry,
                                   std::string_view path) const {
  std::string text = HeadText(body).to_string();
  return text.empty() && entry ? head_without_text(*entry, path) : text;
}

std::optional<ClientId> History::Impl::seed_of(std::string_view doc) const {
  const DocHistory* const records = document(doc);
  if (records == nullptr || records->records().empty()) return std::nullopt;
  crdt::Doc begun(reader_options());
  if (!begun.apply_update_v1(records->records().front().update)) return std::nullopt;
  const std::optional<std::string> seed = begun.map(kSeedRoot).get_string(kSeedClientKey);
  return seed ? read_client(*seed) : std::nullopt;
}

const History::Impl::Writers& History::Impl::body_writers(std::string_view doc, const std::string& path,
                                                          std::span<const std::string> names) const {
  if (const auto found = body_writers_.find(doc); found != body_writers_.end()) return found->second;
  Writers& writers = body_writers_[std::string(doc)];
  // A document has a writer for each file that was ever in it.
  std::set<std::string> files;
  for (const std::string& name : names) {
    if (const std::optional<FileMetadata> entry = pass().present->file(name))
      files.insert(file_id_of_entry(name, *entry));
  }
  for (const auto& [client, device] : pass().device_ids) {
    const HistoryDevice known = known_writers().at(client);
    for (const std::string& name : names) {
      const ClientId body = body_client(ClientId{client}, name);
      writers.emplace(body.value(), known);
      for (const std::string& file : files) writers.emplace(writer_for(body, file).value(), known);
    }
  }
  // A first import is made under an id of its own, the same on every device; who listed the file imported it.
  const std::optional<ClientId> seed = seed_of(doc);
  const auto listed = pass().first_writer.find(path);
  if (!seed || listed == pass().first_writer.end()) return writers;
  const auto importer = known_writers().find(listed->second.value());
  if (importer != known_writers().end()) writers.emplace(seed->value(), importer->second);
  return writers;
}

const History::Impl::Writers& History::Impl::known_writers() const {
  if (known_writers_) return *known_writers_;
  known_writers_.emplace();
  for (const auto& [client, device] : pass().device_ids) {
    const auto name = pass().device_names.find(device);
    known_writers_->emplace(client, HistoryDevice{device, name == pass().device_names.end() ? "" : name->second});
  }
  for (const auto& [doc, records] : documents_) {
    for (size_t i = 0; i < records.records().size(); ++i) {
      const HistoryRecord& record = records.records()[i];
      for (const HistoryWriter& writer : record.writers) known_writers_->emplace(writer.client.value(), writer.device);
      const bool own = record.origin == HistoryOrigin::Local || record.origin == HistoryOrigin::Restore ||
                       record.origin == HistoryOrigin::Import;
      if (!own || record.device.id.empty()) continue;
      for (const RecordShape::Wrote& wrote : records.shapes()[i].wrote)
        known_writers_->emplace(wrote.client.value(), record.device);
    }
  }
  return *known_writers_;
}

// --- History ----------------------------------------------------------------------------------------------------

History::History() : impl_(std::make_unique<Impl>()) {}
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;
History::~History() = default;

Result<void> History::add(std::string_view doc, ByteView block) {
  impl_->forget(doc);
  const auto found = impl_->documents_.find(doc);
  if (found != impl_->documents_.end()) return found->second.add(block);
  DocHistory records;
  DX_TRY_VOID(records.add(block));
  impl_->documents_.emplace(std::string(doc), std::move(records));
  return {};
}

const DocHistory* History::document(std::string_view doc) const { return impl_->document(doc); }

std::vector<std::string> History::documents() const {
  std::vector<std::string> names;
  for (const auto& [doc, records] : impl_->documents_) names.push_back(doc);
  return names;
}

HistoryPoint History::last() const {
  HistoryPoint last = kHistoryStart;
  for (const auto& [doc, records] : impl_->documents_) {
    if (!records.records().empty()) last = std::max(last, records.records().back().sequence);
  }
  return last;
}

HistoryPoint History::first() const {
  const DocHistory* const list = impl_->document(kWorkspaceName);
  return list == nullptr || list->records().empty() ? kHistoryNow : list->records().front().sequence;
}

size_t History::damaged() const { return impl_->damaged_; }

std::vector<std::string> History::names_of(const std::string& path) const {
  const auto& came_from = impl_->pass().came_from;
  std::vector<std::string> names{std::string(path)};
  for (size_t at = 0; at < names.size() && names.size() < kMaxNames; ++at) {
    const auto found = came_from.find(names[at]);
    if (found == came_from.end()) continue;
    for (const std::string& name : found->second) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

std::vector<std::string> History::documents_of(const std::string& path) const {
  std::vector<std::string> documents;
  const auto add = [&](std::string_view key) {
    std::string document = body_document(key);
    if (std::ranges::find(documents, document) == documents.end()) documents.push_back(std::move(document));
  };
  for (const std::string& key : document_keys_of(path)) add(key);
  for (const std::string& name : names_of(path)) {
    add(name);
    const auto others = impl_->pass().documents_at.find(name);
    if (others == impl_->pass().documents_at.end()) continue;
    for (const std::string& key : others->second) add(key);
  }
  return documents;
}

std::vector<std::string> History::document_keys_of(const std::string& path) const {
  const std::optional<FileMetadata> entry = impl_->pass().present->file(path);
  std::vector<std::string> keys{document_key(entry, path)};
  const std::optional<std::string> id = entry ? extra_text(*entry, kFileId) : std::nullopt;
  const auto known = id ? impl_->pass().documents_of.find(*id) : impl_->pass().documents_of.end();
  const auto add = [&](const std::string& key) {
    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
  };
  if (known != impl_->pass().documents_of.end()) {
    for (const std::string& key : known->second) add(key);
  } else {
    for (const std::string& name : names_of(path)) add(name);
  }
  return keys;
}

std::string History::path_of_document(std::string_view doc) const {
  const std::string_view key = doc.starts_with(kBodyPrefix) ? doc.substr(kBodyPrefix.size()) : doc;
  const auto listed = impl_->pass().path_of_document.find(key);
  return listed == impl_->pass().path_of_document.end() ? std::string(key) : listed->second;
}

std::optional<std::string> History::name_at(const std::string& path, HistoryPoint point) const {
  const WorkspaceDoc& workspace = impl_->workspace_at(point);
  if (workspace.live_file(path) || workspace.live_binary(path)) return path;
  const std::optional<FileMetadata> present = impl_->pass().present->file(path);
  const std::optional<std::string> id = present ? extra_text(*present, kFileId) : std::nullopt;
  for (const std::string& name : names_of(path)) {
    const std::optional<FileMetadata> entry = workspace.live_file(name);
    if (!entry && !workspace.live_binary(name)) continue;
    // A name may have been another file's then.
    const std::optional<std::string> its_id = entry ? extra_text(*entry, kFileId) : std::nullopt;
    if (id && its_id && id != its_id) continue;
    return name;
  }
  return std::nullopt;
}

std::vector<std::string> History::files_at(HistoryPoint point) const {
  const WorkspaceDoc& workspace = impl_->workspace_at(point);
  std::vector<std::string> paths = workspace.live_files();
  for (const BinaryRef& ref : workspace.live_binaries()) paths.push_back(ref.path);
  sort_compactly(paths);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

std::optional<PastFile> History::file_at(const std::string& path, HistoryPoint point) const {
  const std::optional<std::string> name = name_at(path, point);
  if (!name) return std::nullopt;
  const WorkspaceDoc& workspace = impl_->workspace_at(point);
  // Where both are listed the replica carries the file as a binary one.
  if (std::optional<BinaryRef> ref = workspace.live_binary(*name)) return PastFile{.path = *name, .binary = *ref};
  PastFile file{.path = *name, .metadata = workspace.live_file(*name)};
  const std::unique_ptr<crdt::Doc> body = impl_->body_at(*name, point);
  if (body == nullptr) {
    file.text = head_without_text(*file.metadata, *name);
    file.text_known = impl_->is_empty_before_its_records(*file.metadata, *name, point);
  } else {
    file.text = impl_->head_of(*body, file.metadata, *name) + body->text(kBodyRoot).to_string();
    file.text_known = !body->has_pending();  // else what a damaged or forgotten record held is missing in it
  }
  return file;
}

std::optional<Bytes> History::body_state_at(const std::string& path, HistoryPoint point) const {
  const std::unique_ptr<crdt::Doc> body = impl_->body_at(path, point);
  if (body == nullptr || body->has_pending()) return std::nullopt;
  return body->encode_update_v1();
}

std::optional<FileMetadata> History::metadata_at(const std::string& path, HistoryPoint point) const {
  return impl_->workspace_at(point).file(path);
}

const std::vector<std::vector<std::string>>& History::files_changed() const { return impl_->pass().files_changed; }
const std::vector<std::vector<std::string>>& History::files_removed() const { return impl_->pass().files_removed; }

HistoryDevice History::device_of(std::string_view doc, ClientId client) const {
  const auto& known = impl_->known_writers();
  if (const auto found = known.find(client.value()); found != known.end()) return found->second;
  if (!doc.starts_with(kBodyPrefix)) return {};
  // Clients are made of the document's key; a renamed file took its operations along from the documents of its former names.
  const std::string path = path_of_document(doc);
  std::vector<std::string> keys = document_keys_of(path);
  for (std::string& name : names_of(path)) keys.push_back(std::move(name));
  keys.emplace_back(doc.substr(kBodyPrefix.size()));
  const auto& writers = impl_->body_writers(doc, path, keys);
  const auto found = writers.find(client.value());
  return found == writers.end() ? HistoryDevice{} : found->second;
}

HistoryDevice History::device_of(std::string_view doc, size_t record) const {
  const DocHistory& records = *impl_->document(doc);
  const HistoryRecord& said = records.records()[record];
  if (!said.device.id.empty()) return said.device;
  HistoryDevice only;
  for (const RecordShape::Wrote& wrote : records.shapes()[record].wrote) {
    const HistoryDevice device = device_of(doc, wrote.client);
    if (device.id.empty()) continue;
    if (!only.id.empty() && only.id != device.id) return {};
    only = device;
  }
  return only;
}

}  // namespace diaryx::sync
