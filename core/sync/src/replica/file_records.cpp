#include "replica/file_records.h"

#include <utility>

namespace diaryx::sync {

const FileRecord* FileRecords::find(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

void FileRecords::put(const std::string& path, FileRecord record) {
  const auto [entry, is_new] = by_path_.try_emplace(path);
  if (!is_new) forget(entry);
  if (!record.file_id.empty()) paths_of_[record.file_id].emplace(path);
  contents_.emplace(record.hash, &*entry);
  entry->second = std::move(record);
}

void FileRecords::erase(const std::string& path) {
  const auto entry = by_path_.find(path);
  if (entry == by_path_.end()) return;
  forget(entry);
  by_path_.erase(entry);
}

void FileRecords::forget(ByPath::const_iterator entry) {
  const auto& [path, record] = *entry;
  if (const auto paths = paths_of_.find(record.file_id); paths != paths_of_.end()) {
    paths->second.erase(path);
    if (paths->second.empty()) paths_of_.erase(paths);
  }
  contents_.erase({record.hash, &*entry});
}

bool FileRecords::has_text(const Sha256& hash) const {
  const auto is_text = [](const std::string&, const FileRecord& known) { return known.kind == FileRecord::Kind::Text; };
  return find_with(hash, is_text) != nullptr;
}

const std::set<std::string>& FileRecords::paths_of(const std::string& file_id) const {
  static const std::set<std::string> kNowhere;
  const auto found = paths_of_.find(file_id);
  return found == paths_of_.end() ? kNowhere : found->second;
}

}  // namespace diaryx::sync
