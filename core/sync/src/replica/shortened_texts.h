// Texts on this disk that lost their end, until that is believed.
//
// Perhaps a program is still writing one, so each waits a moment. If most of it is gone, it is then counted with all else that went,
// and if that is a wave, it is held until a person says what it was.
//
// Invariants
// 1. What is held is a truncation.
// 2. Each waits from the first time that it was seen: to see the same again changes nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/units.h"

namespace diaryx::sync {

/// A text that lost all of it, or only its end and that more than half.
bool is_truncation(std::string_view before, std::string_view after);

/// A text that became shorter and does not end any more as it did: so does one that a program has written half of.
bool lost_its_end(std::string_view before, std::string_view after);

struct ShortenedText {
  std::string bytes;
  std::optional<TimestampMs> wait_until;
  bool is_truncation = false;
  bool held = false;
};

class ShortenedTexts {
 public:
  using ByPath = std::map<std::string, ShortenedText, std::less<>>;

  /// Null if there is none. Valid until it is taken or erased.
  const ShortenedText* find(const std::string& path) const;
  bool contains(const std::string& path) const { return by_path_.contains(path); }
  bool is_any_held() const;
  /// Those that have waited and are not held.
  std::vector<std::string> due() const;
  std::optional<TimestampMs> next_moment() const;

  void add(const std::string& path, std::string_view bytes, bool is_truncation, TimestampMs now);
  void erase(const std::string& path) { by_path_.erase(path); }
  /// Both need one there.
  ShortenedText take(const std::string& path);
  void hold(const std::string& path);
  /// The file was renamed.
  void move(const std::string& from, const std::string& to);
  /// Those whose moment has come have waited.
  void wake(TimestampMs now);
  /// Whatever waits has waited: a person who asks for something has seen it.
  void stop_waiting();
  /// None is held any more.
  void release();

  /// By path.
  ByPath::const_iterator begin() const { return by_path_.begin(); }
  ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  ByPath by_path_;
};

}  // namespace diaryx::sync
