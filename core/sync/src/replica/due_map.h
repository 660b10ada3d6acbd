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
    if (value.wait_until == before) return;
    if (before) moments_.erase({*before, path});
    if (value.wait_until) moments_.emplace(*value.wait_until, path);
  }
  void put(const std::string& path, Value value) {
    change(path, [&](Value& there) { there = std::move(value); });
  }
  void erase(std::string_view path) { take(path); }
  std::optional<Value> take(std::string_view path) {
    const auto found = by_path_.find(path);
    if (found == by_path_.end()) return std::nullopt;
    if (found->second.wait_until) moments_.erase({*found->second.wait_until, found->first});
    std::optional<Value> taken(std::move(found->second));
    by_path_.erase(found);
    return taken;
  }

  std::optional<TimestampMs> next_moment() const {
    return moments_.empty() ? std::nullopt : std::optional(moments_.begin()->first);
  }
  /// Those whose moment has come, in their order.
  std::vector<std::string> due(TimestampMs now) const {
    std::vector<std::string> paths;
    for (auto at = moments_.begin(); at != moments_.end() && at->first <= now; ++at) paths.push_back(at->second);
    return paths;
  }

  bool empty() const { return by_path_.empty(); }
  size_t size() const { return by_path_.size(); }
  /// By path.
  typename ByPath::const_iterator begin() const { return by_path_.begin(); }
  typename ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  ByPath by_path_;
  std::set<std::pair<TimestampMs, std::string>> moments_;
};

}  // namespace diaryx::sync
