// Which host functions a plugin may use, and on what.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "diaryx/native/problem.h"

namespace diaryx::host {

/// Everything is allowed but what was taken away: this host asks nobody. Types: `read_files`, `edit_files`, `create_files`,
/// `delete_files`, `http_requests`, `plugin_storage`.
class Permissions {
 public:
  void deny(std::set<std::string, std::less<>> types) { denied_ = std::move(types); }

  native::Outcome<void> check(std::string_view type, std::string_view target) const {
    if (!denied_.contains(type)) return {};
    return native::problem("Permission denied: " + std::string(type) + " for " + std::string(target));
  }

 private:
  std::set<std::string, std::less<>> denied_;
};

}  // namespace diaryx::host
