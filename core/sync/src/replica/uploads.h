// The attachments that are to be sent, by path.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "replica/due_map.h"

namespace diaryx::sync {

struct Upload {
  Sha256 hash;
  uint64_t size_bytes = 0;
  bool busy = false;  // asked for and not answered
  bool failed_finally = false;
  uint32_t attempts = 0;
  std::optional<TimestampMs> wait_until = {};
};

/// Which is next, and when one is tried again, is known without looking at all of them, since that is asked after every event.
/// Cost   a logarithm of their number, but `forget_answers`: all of them.
class Uploads {
 public:
  using ByPath = std::map<std::string, Upload, std::less<>>;

  /// Null if there is nothing. Valid until that path is put or erased.
  const Upload* find(const std::string& path) const;
  bool contains(const std::string& path) const { return by_path_.contains(path); }
  bool empty() const { return by_path_.empty(); }
  size_t size() const { return by_path_.size(); }

  /// In place of what was there.
  void put(const std::string& path, const Upload& upload);
  void erase(const std::string& path);
  /// The first that can be sent, which is busy from now on; null when there is none, or `most` are.
  const ByPath::value_type* start_next(size_t most);
  /// Those whose moment has come can be sent again.
  void wake(TimestampMs now);
  /// None of those that are busy will be answered.
  void forget_answers();

  std::optional<TimestampMs> next_moment() const { return moments_.next(); }

 private:
  ByPath by_path_;
  std::set<std::string, std::less<>> ready_;
  size_t busy_ = 0;
  Moments moments_;
};

}  // namespace diaryx::sync
