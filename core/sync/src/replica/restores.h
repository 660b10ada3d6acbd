// Restores that a person asked for, and what of them the disk has yet to show: a file that came back is listed when it is read back,
// and one that gets an old name back is renamed when the disk has done that. What is edited then is that restore's work, too.
//
// Invariants
// 1. A batch works for one restore at most, and for none once it has ended.
// 2. What is awaited at a path, or of a path, is awaited once: of two restores the later one counts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace diaryx::sync {

class Restores {
 public:
  void begin(std::string id) { id_ = std::move(id); }
  void end_batch() { id_.clear(); }
  /// Of the restore that this batch works for; empty if there is none.
  const std::string& id() const { return id_; }
  bool is_under_way() const { return !id_.empty(); }

  /// The file at `from` is being given its old name.
  void await_rename(const std::string& from, const std::string& to);
  /// A file was renamed: the batch works for the restore that asked for that, if one did. Another name than awaited ends the waiting.
  void on_renamed(const std::string& from, const std::string& to);
  /// The disk refused a file that name.
  void on_name_refused(std::string_view to);

  /// A file was put there to be read back, perhaps in an earlier run.
  void await_file(const std::string& path, std::string id) { files_.insert_or_assign(path, std::move(id)); }
  /// A new file was read: true if it was awaited, and the batch works for its restore.
  bool on_file_read(std::string_view path);

  /// Clients in whose name planned edits were made.
  void add_writer(uint64_t client) { writers_.insert(client); }
  std::set<uint64_t> take_writers() { return std::exchange(writers_, {}); }

 private:
  struct Rename {
    std::string to;
    std::string id;
  };

  std::string id_;
  std::map<std::string, Rename, std::less<>> renames_;  // by the name that is being left
  std::map<std::string, std::string, std::less<>> files_;  // path -> restore
  std::set<uint64_t> writers_;
};

}  // namespace diaryx::sync
