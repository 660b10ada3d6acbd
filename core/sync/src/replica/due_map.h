// What is known of some paths for a while, each perhaps until a moment.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/units.h"

namespace diaryx::sync {

/// Moments that are waited for, each by one path.
class Moments {
 public:
  /// The path waited until `before`, if at all, and waits until `after` now.
  void move(const std::string& path, std::optional<TimestampMs> before, std::optional<TimestampMs> after);
  std::optional<TimestampMs> next() const;
  /// The paths whose moment has come wait no longer. Returns them, in their order.
  std::vector<std::string> take_due(TimestampMs now);

 private:
  std::set<std::pair<TimestampMs, std::string>> moments_;
};

/// A map by path. When the next moment comes is known without looking at all of them, since that is asked after every event.
/// Value    has an `std::optional<TimestampMs> wait_until`; it is changed by `change` alone.
/// Cost     a logarithm of the size.
template <typename Value>
class DueMap {
 public:
  using ByPath = std::map<std::string, Value, std::less<>>;

  /// Null if there is nothing. Valid until that path is erased.
  const Value* find(std::string_view path) const {
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? nullptr : &found->second;
  }
  bool contains(std::string_view path) const { return by_path_.contains(path); }

  /// `edit(Value&)`, of a new one if there is none.
  template <typename Edit>
  void change(const std::string& path, Edit edit) {
    Value& value = by_path_[path];
    const std::optional<TimestampMs> before = value.wait_until;
    edit(value);
    moments_.move(path, before, value.wait_until);
  }
  void put(const std::string& path, Value value) {
    change(path, [&](Value& there) { there = std::move(value); });
  }
  void erase(std::string_view path) { take(path); }
  std::optional<Value> take(std::string_view path) {
    const auto found = by_path_.find(path);
    if (found == by_path_.end()) return std::nullopt;
    moments_.move(found->first, found->second.wait_until, {});
    std::optional<Value> taken(std::move(found->second));
    by_path_.erase(found);
    return taken;
  }

  std::optional<TimestampMs> next_moment() const { return moments_.next(); }
  /// Those whose moment has come wait no longer. Returns them, in their order.
  std::vector<std::string> wake(TimestampMs now) {
    std::vector<std::string> woken = moments_.take_due(now);
    for (const std::string& path : woken) by_path_.find(path)->second.wait_until.reset();
    return woken;
  }

  bool empty() const { return by_path_.empty(); }
  size_t size() const { return by_path_.size(); }
  /// By path.
  typename ByPath::const_iterator begin() const { return by_path_.begin(); }
  typename ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  ByPath by_path_;
  Moments moments_;
};

}  // namespace diaryx::sync
