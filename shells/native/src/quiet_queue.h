// Paths that were touched and wait until they are left alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace diaryx::native {

/// Times are milliseconds of one clock, whichever the caller uses.
class QuietQueue {
 public:
  explicit QuietQueue(int64_t longest_ms) : longest_ms_(longest_ms) {}

  /// `path` was touched; it is due `quiet_ms` from now, or `longest_ms` after its first touch if that is sooner.
  void touch(const std::string& path, int64_t now_ms, int64_t quiet_ms);

  /// As `touch`, but only if the path is not waiting already.
  void touch_if_new(const std::string& path, int64_t now_ms, int64_t quiet_ms);

  /// The path came into being while it waits here, so nobody was told of it.
  void mark_new(const std::string& path);
  bool is_new(const std::string& path) const;

  bool contains(const std::string& path) const { return waiting_.contains(path); }
  bool erase(const std::string& path);

  /// Everything at or beneath `from` now waits under `to`.
  void rename(const std::string& from, const std::string& to);

  /// Takes the paths that are due, the longest-waiting first.
  std::vector<std::string> take_due(int64_t now_ms);

  /// Takes all paths, due or not.
  std::vector<std::string> take_all();

  std::optional<int64_t> next_due_ms() const;
  void clear();

 private:
  struct Waiting {
    int64_t first_ms;
    int64_t due_ms;
    bool is_new;
  };

  void put(const std::string& path, const Waiting& waiting);

  int64_t longest_ms_;
  std::map<std::string, Waiting> waiting_;
  std::set<std::pair<int64_t, std::string>> by_due_;
};

}  // namespace diaryx::native
