// People at work on the devices of a World: each call is something that somebody does, chosen by its seed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/testing/world.h"
#include "ledger.h"

namespace diaryx::testing {

/// What people do.
enum class Mix : uint8_t {
  /// Notes and pictures are made, edited, cleared, renamed, moved, deleted.
  Everyday,
  /// Folders are renamed too, names change in case alone, are swapped and used anew at once, and programs write in two halves.
  Everything,
  /// As everyday, but most of it with pictures, which with faults take their time to come.
  Attachments,
  /// As everything, without deletions; besides, somebody types into notes in Yjs editors at the server.
  Editors,
  /// As everything; besides, the server's storage answers half of all questions late and in any order.
  SlowStorage,
  /// As everything; besides, devices choose the same names, files go over others, round in rings and there and back, folders are
  /// deleted, flow together and change in case, programs save over a backup, empty a file first or write it all anew, and old texts
  /// are put back.
  Rough,
  /// As rough, and with faults more than half of the moves and removals are answered late, or with a refusal though they were done.
  Late,
};
inline constexpr std::array kMixes{Mix::Everyday,    Mix::Everything, Mix::Attachments, Mix::Editors,
                                   Mix::SlowStorage, Mix::Rough,      Mix::Late};

/// As `./dev sim --mix` calls it.
std::string_view name_of(Mix mix);

class People {
 public:
  People(World& world, Mix mix) : world_(world), mix_(mix) {}

  /// Everybody has the same file already, from a stick.
  void import_everywhere();
  void edit_once();
  /// Deletes up to three files on one device. Returns markers that must be gone for good.
  std::set<size_t> delete_some();

  const Ledger& ledger() const { return ledger_; }

 private:
  static std::vector<std::string> files_of(const Device& device, std::string_view ending);
  /// What is on the disk is known, so that before anybody looks a file is known by its text.
  static bool is_known(const Device& device, const std::string& path);
  /// The first part of a path; the whole path if it is in none.
  static std::string folder_of(const std::string& path);
  std::string fresh_name(Random& random, const Device& device);

  // --- people.cpp
  void create(Device& device, Random& random);
  void insert_line(Device& device, Random& random, const std::string& path, bool slowly);
  void delete_line(Device& device, Random& random, const std::string& path);
  void clear(Device& device, const std::string& path);
  void save_by_renaming(Device& device, const std::string& path);
  void edit_frontmatter(Device& device, Random& random, const std::string& path);
  void move_file(Device& device, Random& random, const std::string& path);
  void rename_case(Device& device, const std::string& path);
  void rename_folder(Device& device, Random& random, const std::string& path);
  void swap(Device& device, Random& random, const std::vector<std::string>& notes);
  void reuse_name(Device& device, Random& random, const std::string& path);
  void delete_file(Device& device, const std::string& path);
  void type_in_editor(Random& random);
  void change_picture(Device& device, Random& random);
  void edit_picture(Device& device, Random& random);
  void leave_picture(const Device& device, const std::string& path);

  // --- people_rough.cpp
  void edit_roughly(Device& device, Random& random, const std::vector<std::string>& notes);
  void rotate(Device& device, Random& random, const std::vector<std::string>& notes);
  void move_over(Device& device, const std::string& from, const std::string& to);
  void delete_folder(Device& device, const std::string& path);
  void make_anew(Device& device, Random& random, const std::string& path);
  void move_there_and_back(Device& device, Random& random, const std::string& path);
  void rename_folder_case(Device& device, const std::string& path);
  void merge_folder(Device& device, Random& random, const std::string& path);
  void save_over_backup(Device& device, Random& random, const std::string& path);
  void save_emptied(Device& device, const std::string& path);
  void change_line_ends(Device& device, const std::string& path);
  void put_back(Device& device, const std::string& path);

  World& world_;
  Mix mix_;
  Ledger ledger_;
  uint64_t next_file_ = 0;
  std::map<size_t, std::string> backups_;  // by the first marker of the file
};

}  // namespace diaryx::testing
