// Which workspace is stored where in the host's storage, so that a folder that is linked to another workspace, or a host that keeps
// all its workspaces in one storage, finds of each what it had.
//
// Key `sync.spaces`: JSON, name to number (`Space`). Names are ids of workspaces, and of folders that are linked to none. It is
// written only when there is more to say than the first head (`journal.h`) says itself: storage may look empty for a while.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace diaryx::plugin {

/// The name of a folder that is linked to no workspace; the root follows after a colon where there is one.
inline constexpr std::string_view kUnlinked = "local";

class Spaces {
 public:
  /// Reads what is stored.
  void load();

  std::optional<uint64_t> find(const std::string& name) const;
  /// The same, or a number that nobody has.
  uint64_t claim(const std::string& name);
  /// From now on `name` is stored there too.
  void share(const std::string& name, uint64_t number);
  /// Whose it was becomes `to`'s.
  void rename(const std::string& from, const std::string& to);
  /// The workspace that a folder was linked to last and still holds, or empty.
  std::string workspace_of(const std::string& folder) const;

 private:
  void write() const;

  std::map<std::string, uint64_t, std::less<>> numbers_;
};

}  // namespace diaryx::plugin
