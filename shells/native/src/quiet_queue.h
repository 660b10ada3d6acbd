// Paths that were touched and wait until they are left alone.
#pragma once

#include <cstdint>
#include <functional>
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
  /// How long a path must be left alone at least. Asked when it would be due.
  using RestOf = std::function<int64_t(const std::string& path)>;

  explicit QuietQueue(int64_t longest_ms, RestOf rest_of = {})
      : longest_ms_(longest_ms), rest_of_(std::move(rest_of)) {}

  /// `path` was touched; it is due when it had its rest and `quiet_ms` from now. One that is touched again and again is due
  /// `longest_ms` after its first touch, or ten times its rest if that is more. One that is taken again and again is due ten times
  /// without waiting, then four times a second: somebody who types never waits, and a log costs little.
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
  std::vector<std::string> take_all(int64_t now_ms);

  std::optional<int64_t> next_due_ms() const;
  void clear();

 private:
  struct Waiting {
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    int64_t quiet_ms = 0;  // to be left alone since `last_ms`
    int64_t rest_ms = 0;  // the same, as far as it was asked
    int64_t due_ms = 0;
    bool is_new = false;
  };

  void put(const std::string& path, Waiting waiting);
  bool has_rested(const std::string& path, int64_t now_ms);
  int64_t earliest_ms(const std::string& path, int64_t last_ms) const;
  std::vector<std::string> take(int64_t due_ms, int64_t now_ms);
  void note_taken(const std::string& path, int64_t now_ms);
  void forget_worked_off(int64_t now_ms);

  int64_t longest_ms_;
  RestOf rest_of_;
  std::map<std::string, Waiting> waiting_;
  std::set<std::pair<int64_t, std::string>> by_due_;
  // Each time that a path is taken costs a quarter of a second; until when that of the last times is worked off.
  std::map<std::string, int64_t> worked_off_ms_;
  int64_t forgotten_ms_ = 0;
};

}  // namespace diaryx::native
