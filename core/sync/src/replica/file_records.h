// The records of all files of a device, found by path, by the id of the file, and by what is in it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "diaryx/base/sha256.h"
#include "replica/file_record.h"

namespace diaryx::sync {

/// Every question costs a logarithm of the number of files, not that number.
class FileRecords {
 public:
  using ByPath = std::map<std::string, FileRecord, std::less<>>;

  /// Null if nothing is known of the path. Valid until that record is put anew or erased.
  const FileRecord* find(const std::string& path) const;
  void put(const std::string& path, FileRecord record);
  void erase(const std::string& path);

  /// Where the file with this id is on this disk; nowhere for an empty id.
  const std::set<std::string>& paths_of(const std::string& file_id) const;
  /// The first file, by path, with this content and `is_wanted(path, record)`; null if there is none. Valid as above.
  template <typename Wanted>
  const std::string* find_with(const Sha256& hash, Wanted is_wanted) const {
    static const ByPath::value_type kFirst;
    for (auto at = contents_.lower_bound({hash, &kFirst}); at != contents_.end() && at->first == hash; ++at) {
      if (is_wanted(at->second->first, at->second->second)) return &at->second->first;
    }
    return nullptr;
  }
  /// A text with this content is known under some path.
  bool has_text(const Sha256& hash) const;

  size_t size() const { return by_path_.size(); }
  /// By path.
  ByPath::const_iterator begin() const { return by_path_.begin(); }
  ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  using Content = std::pair<Sha256, const ByPath::value_type*>;  // the latter in `by_path_`
  struct ByContent {
    bool operator()(const Content& a, const Content& b) const {
      return a.first != b.first ? a.first < b.first : a.second->first < b.second->first;
    }
  };

  void forget(ByPath::const_iterator entry);

  ByPath by_path_;
  std::map<std::string, std::set<std::string>, std::less<>> paths_of_;
  std::set<Content, ByContent> contents_;
};

}  // namespace diaryx::sync
