// What is different between two points, by file.
#include <algorithm>
#include <set>
#include <utility>

#include "diaryx/base/sort.h"
#include "diaryx/sync/history_diff.h"
#include "history/touched.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

/// Keys of the file lists that records in (low, high] changed.
std::set<std::string> touched_entries(const History& history, HistoryPoint low, HistoryPoint high) {
  std::set<std::string> keys;
  const DocHistory* workspace = history.document(kWorkspaceName);
  if (workspace == nullptr) return keys;
  const auto& changed = history.files_changed();
  for (size_t i = 0; i < changed.size(); ++i) {
    const HistoryPoint sequence = workspace->records()[i].sequence;
    if (sequence > low && sequence <= high) keys.insert(changed[i].begin(), changed[i].end());
  }
  return keys;
}

bool is_live(const std::optional<FileMetadata>& entry) { return entry && !entry->deleted; }

MetadataChange change_between(const std::optional<FileMetadata>& before, const std::optional<FileMetadata>& after) {
  if (is_live(after) && !is_live(before)) return before ? MetadataChange::Restored : MetadataChange::Added;
  if (!is_live(after) && (is_live(before) || !before)) return MetadataChange::Deleted;
  return MetadataChange::Modified;
}

std::string_view name_of(MetadataChange change) {
  switch (change) {
    case MetadataChange::Added: return "Added";
    case MetadataChange::Modified: return "Modified";
    case MetadataChange::Deleted: return "Deleted";
    case MetadataChange::Restored: return "Restored";
  }
  return "Modified";
}

bool same_content(const PastFile& a, const PastFile& b) {
  if (a.binary.has_value() != b.binary.has_value()) return false;
  return a.binary ? a.binary->hash == b.binary->hash : a.text == b.text;
}

}  // namespace

std::set<std::string> touched_files(const History& history, HistoryPoint low, HistoryPoint high) {
  std::set<std::string> names = touched_entries(history, low, high);
  for (const std::string& doc : history.documents()) {
    if (!doc.starts_with(kBodyPrefix)) continue;
    const auto& records = history.document(doc)->records();
    const auto first = std::ranges::upper_bound(records, low, {}, &HistoryRecord::sequence);
    if (first != records.end() && first->sequence <= high) names.insert(history.path_of_document(doc));
  }
  return names;
}

namespace {

/// A member that is not there is compared as if it were null.
Json member(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  return found == nullptr ? Json() : *found;
}

}  // namespace

std::vector<FileDiff> metadata_changes(const History& history, HistoryPoint from, HistoryPoint to) {
  // One point after the other, so that the list of files is replayed twice and not for each entry.
  std::vector<FileDiff> touched;
  for (const std::string& key : touched_entries(history, std::min(from, to), std::max(from, to)))
    touched.push_back({.path = key, .old_metadata = history.metadata_at(key, from)});
  std::vector<FileDiff> diffs;
  for (FileDiff& diff : touched) {
    diff.new_metadata = history.metadata_at(diff.path, to);
    if (diff.old_metadata == diff.new_metadata) continue;
    diff.change_type = change_between(diff.old_metadata, diff.new_metadata);
    diffs.push_back(std::move(diff));
  }
  return diffs;
}

Json to_json(const FileDiff& diff) {
  const auto json_of = [](const std::optional<FileMetadata>& metadata) {
    return metadata ? metadata_to_json(*metadata) : Json();
  };
  return Json::object({{"path", diff.path},
                       {"change_type", name_of(diff.change_type)},
                       {"old_metadata", json_of(diff.old_metadata)},
                       {"new_metadata", json_of(diff.new_metadata)}});
}

std::vector<FieldChange> field_changes(const std::optional<FileMetadata>& before,
                                       const std::optional<FileMetadata>& after) {
  const Json old_json = before ? metadata_to_json(*before) : Json::object();
  const Json new_json = after ? metadata_to_json(*after) : Json::object();
  std::vector<FieldChange> changes;
  const auto compare = [&](const std::string& name, const Json& a, const Json& b) {
    if (a != b) changes.push_back({name, a, b});
  };
  const Json& shape = after ? new_json : old_json;
  for (const Json::Member& field : shape.as_object() == nullptr ? Json::Object{} : *shape.as_object()) {
    if (field.key != "modified_at" && field.key != "extra")
      compare(field.key, member(old_json, field.key), member(new_json, field.key));
  }
  std::set<std::string> extra_keys;
  for (const Json* json : {&old_json, &new_json}) {
    const Json extra = member(*json, "extra");
    for (const Json::Member& field : extra.as_object() == nullptr ? Json::Object{} : *extra.as_object()) {
      if (!field.key.starts_with('_')) extra_keys.insert(field.key);
    }
  }
  for (const std::string& key : extra_keys)
    compare("extra." + key, member(member(old_json, "extra"), key), member(member(new_json, "extra"), key));
  return changes;
}

std::vector<ChangedFile> changed_files(const History& history, HistoryPoint from, HistoryPoint to) {
  // Files are looked at one point after the other, so that the list of files is replayed twice and not for each file.
  const std::set<std::string> names = touched_files(history, std::min(from, to), std::max(from, to));
  const auto files_named = [&](HistoryPoint point) {
    std::map<std::string, PastFile> files;
    for (const std::string& name : names) {
      std::optional<PastFile> file = history.file_at(name, point);
      if (file && file->path == name) files.emplace(name, *std::move(file));
    }
    return files;
  };
  std::map<std::string, PastFile> before = files_named(from);
  const std::map<std::string, PastFile> after = files_named(to);
  std::vector<ChangedFile> changed;
  std::set<std::string> renamed;
  for (const auto& [path, file] : after) {
    const bool is_binary = file.binary.has_value();
    if (const auto same = before.find(path); same != before.end()) {
      if (!same_content(same->second, file)) changed.push_back({path, FileChangeKind::Changed, {}, is_binary});
      continue;
    }
    const std::optional<std::string> old_name = history.name_at(path, from);
    const bool was_renamed = old_name && before.contains(*old_name) && !after.contains(*old_name);
    if (was_renamed) renamed.insert(*old_name);
    changed.push_back({path, was_renamed ? FileChangeKind::Renamed : FileChangeKind::Created,
                       was_renamed ? *old_name : std::string(), is_binary});
  }
  for (const auto& [path, file] : before) {
    if (!after.contains(path) && !renamed.contains(path))
      changed.push_back({path, FileChangeKind::Removed, {}, file.binary.has_value()});
  }
  sort_compactly_by(changed, &ChangedFile::path);
  return changed;
}

std::string_view name_of(FileChangeKind kind) {
  switch (kind) {
    case FileChangeKind::Created: return "created";
    case FileChangeKind::Changed: return "changed";
    case FileChangeKind::Removed: return "removed";
    case FileChangeKind::Renamed: return "renamed";
  }
  return "changed";
}

Json to_json(const ChangedFile& file) {
  return Json::object({{"path", file.path},
                       {"change", name_of(file.kind)},
                       {"from", file.from.empty() ? Json() : Json(file.from)},
                       {"binary", file.is_binary}});
}

}  // namespace diaryx::sync
