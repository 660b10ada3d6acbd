// Which name a file has on a disk that refuses its key, or takes two keys for one.
//
// A key is what the user called the file, everywhere. On a disk that cannot hold that name it gets an alias, and the key
// stays what it is. An alias depends on the name alone, so every such disk uses the same one: `what?.md` is
// `what_ (name 1a2b3c4d).md`. Of two names that a disk takes for one, the first to come keeps its own.
//
// Invariants
// 1. No two keys have names that this disk takes for one.
// 2. `to_key(to_disk(key)) == key`, until the key is released.
// 3. On a disk with no peculiarities both are the identity, and nothing is kept.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diaryx::sync {

/// What the shell found out about the disk that its folder is on.
struct DiskTraits {
  /// `a.md` and `A.md` are one file (Windows, macOS as installed).
  bool case_insensitive = false;
  /// Composed and decomposed names are one file (macOS).
  bool normalising = false;
  /// `< > : " | ? *` and names that end in a dot or a space are refused (Windows, FAT).
  bool windows_names = false;

#ifdef DX_PLAIN_DISKS  // a build that is never told of such disks
  static constexpr bool peculiar() { return false; }
#else
  bool peculiar() const { return case_insensitive || normalising || windows_names; }
#endif
};

class DiskNames {
 public:
  explicit DiskNames(DiskTraits traits) : traits_(traits) {}

  /// The name of a key on disk, chosen now if it has none.
  std::string to_disk(std::string_view key);
  /// The same, without choosing: what `to_disk` said last, or the key itself.
  std::string disk_name(std::string_view key) const;
  /// The key of a name that was seen on disk. A name in another case than ours is a renamed file: it gets a key of its own.
  std::string to_key(std::string_view disk_path) const;
  /// The same, unless the file of that key is on this disk under an alias: then a key of its own, like that of a conflict copy.
  std::string own_key(std::string_view disk_path) const;
  /// This disk takes the two names for one.
  bool is_same_place(std::string_view a, std::string_view b) const;
  /// The key of a file that has this name in another case or form, or had it before the folder was spelled anew. The disk holds
  /// no other file there, so one that is seen under this name is that file, renamed.
  std::optional<std::string> key_of_place(std::string_view disk_path) const;
  /// A file is on disk under this name now. Returns its key. If this disk holds another key's file to be the same, that key
  /// loses its name.
  std::string see(std::string_view disk_path);

  /// The file of a key was given this name on disk, which leads to the same key.
  void respell(std::string_view key, std::string_view disk_path);

  /// What was seen at once was told: names that were lost meanwhile lead to no key any more. Until then they do, since a folder that
  /// is spelled anew is told file by file.
  void settle() { lost_.clear(); }

  /// From an earlier run.
  void restore(std::string_view key, std::string_view disk_path);
  /// The key needs no name any more.
  void release(std::string_view key);
  /// `from` gives its name up for `to`, which may be the same one in another case.
  void rename(std::string_view from, std::string_view to);

 private:
  struct Node {
    std::string disk;  // full path on disk
    uint32_t uses = 0;  // keys at or below it
    std::vector<std::string> older{};  // of a folder: its other names on disk, comparable, where files may be still
  };

  std::string comparable(std::string_view disk_path) const;
  std::string legal(std::string_view component) const;
  std::string component_alias(std::string_view component, size_t digits) const;
  Node& claim_node(std::string_view logical, std::string_view disk_parent, std::string_view component);
  void put(std::string_view key, std::string_view disk_path);
  /// Whatever is at or below a place on disk, of the keys at or below `prefix`, loses its name.
  void give_up(const std::string& prefix, const std::string& place, std::string_view taken_path);
  void note_name(const std::string& key, std::string_view disk_path);

  DiskTraits traits_;
  std::map<std::string, Node, std::less<>> nodes_;  // by key or folder of keys
  std::map<std::string, std::string, std::less<>> taken_;  // comparable disk path -> key or folder
  std::map<std::string, std::string, std::less<>> keys_;  // key -> disk path
  // The names that are not their keys, the other way round.
  std::map<std::string, std::string, std::less<>> key_of_;
  struct Lost {
    std::string disk;
    std::string key;
  };
  std::map<std::string, Lost, std::less<>> lost_;  // by comparable disk path
};

}  // namespace diaryx::sync
