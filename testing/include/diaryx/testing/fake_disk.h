// A folder in memory, with the one operation a real one must have: check and replace in one step. It may have the
// peculiarities of other systems: one name in several cases or forms, names that are refused.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/sha256.h"
#include "diaryx/sync/disk_names.h"

namespace diaryx::testing {

class FakeDisk {
 public:
  using Files = std::map<std::string, std::string, std::less<>>;

  explicit FakeDisk(sync::DiskTraits traits = {}) : traits_(traits) {}

  /// As a listing spells them. A normalising disk keeps decomposed names, like HFS+.
  const Files& files() const { return files_; }
  bool has(std::string_view path) const { return files_.contains(spelled(path)); }
  std::optional<std::string> read(std::string_view path) const;

  // What a user or another program does. False: this disk refuses the name, or there is no such file.
  bool write(std::string_view path, std::string_view bytes);
  bool remove(std::string_view path);
  bool rename(std::string_view from, std::string_view to);

  // What sync does: nothing happens unless the file is as expected. False = refused.
  bool write_if(std::string_view path, std::string_view bytes, const std::optional<Sha256>& expected);
  bool remove_if(std::string_view path, const Sha256& expected);
  bool rename_if_free(std::string_view from, std::string_view to, const Sha256& expected);

  /// The name as it stands on disk: folders and files that exist keep their spelling.
  std::string spelled(std::string_view path) const;
  /// Whether this disk takes the two names for one.
  bool is_same_place(std::string_view a, std::string_view b) const { return comparable(a) == comparable(b); }
  /// Whether this disk could hold a file of that name.
  bool can_name(std::string_view path) const;
  /// Names that sync wanted to write and that this disk refuses: there must be none.
  size_t refused_names() const { return refused_names_; }

 private:
  bool is(std::string_view path, const std::optional<Sha256>& expected) const;
  std::string comparable(std::string_view path) const;
  sync::DiskTraits traits_;
  Files files_;
  size_t refused_names_ = 0;
};

}  // namespace diaryx::testing
