#include "replica/file_records.h"

#include <utility>

namespace diaryx::sync {

const FileRecord* FileRecords::find(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

void FileRecords::put(const std::string& path, FileRecord record) {
  const auto old = by_path_.find(path);
  if (old != by_path_.end()) forget(old);
  if (!record.file_id.empty()) paths_of_[record.file_id].emplace(path);
  if (record.kind == FileRecord::Kind::Text) ++texts_[record.hash];
  if (old != by_path_.end()) {
    old->second = std::move(record);
  } else {
    by_path_.emplace(path, std::move(record));
  }
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
  if (record.kind != FileRecord::Kind::Text) return;
  if (const auto count = texts_.find(record.hash); --count->second == 0) texts_.erase(count);
}

const std::set<std::string>& FileRecords::paths_of(const std::string& file_id) const {
  static const std::set<std::string> kNowhere;
  const auto found = paths_of_.find(file_id);
  return found == paths_of_.end() ? kNowhere : found->second;
}

}  // namespace diaryx::sync
