// What people typed and deleted in a run, and so what must be found afterwards.
//
// Every line carries a marker `<0012>` of its own, every list item and attachment a number, so that a loss or a doubling shows.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/testing/fake_disk.h"

namespace diaryx::testing {

/// `<0012>`: all of one width, since `<12>` would be a changed `<1>` to whoever compares texts.
std::string text_of(size_t marker);
/// All markers in a text, in order.
std::vector<size_t> markers_in(std::string_view text);
/// The marker that tells which file a text is: the first, which nobody deletes alone.
std::optional<size_t> home_of(std::string_view text);

class Ledger {
 public:
  /// A line that is to be typed into the file whose first marker is `home`; none: it begins a file.
  std::string fresh_line(std::optional<size_t> home = std::nullopt);
  /// How many lines were typed.
  size_t lines() const { return homes_.size(); }

  /// For the frontmatter: values of fields, and an item of a list.
  std::string fresh_value();
  std::string fresh_date();
  std::string fresh_item();

  /// The bytes of an attachment that is to be put at `path`.
  std::string fresh_picture(const std::string& path);
  void rename_picture(const std::string& from, const std::string& to);
  enum class Known : bool { No, Yes };
  /// The attachment at some path was deleted, or is to be replaced. What sync had not noticed yet may have been there or not, for all
  /// that it knows.
  void leave_picture(const std::string& bytes, Known known);

  /// The lines and items of `text` are deleted, except those that are in `kept`.
  void forget(std::string_view text, std::string_view kept = {});
  void forget_items(std::string_view text);

  /// What is wrong with the files of a device that came to rest, or nothing.
  std::string complaint(const FakeDisk::Files& files) const;

 private:
  std::string complaint_of_lines(const FakeDisk::Files& files) const;
  std::string complaint_of_frontmatter(const FakeDisk::Files& files) const;
  std::string complaint_of_pictures(const FakeDisk::Files& files) const;
  std::string first_name_of(const std::string& path) const;

  std::vector<size_t> homes_;  // per marker: the first marker of the file it was typed into
  std::set<size_t> deleted_;

  std::set<std::string> values_{"T", "2026-01-01T00:00:00Z"};  // that somebody gave a field
  std::vector<std::string> items_;
  std::set<std::string> removed_items_;

  struct Picture {
    std::string file{};
    bool was_left = false;  // deleted, or replaced by whoever had it before them
    bool is_gone = false;  // so that it may not come back
  };
  std::map<std::string, Picture> pictures_;  // by what is in it, which is like nothing else
  std::map<std::string, std::string> first_names_;  // by a later name
  std::map<std::string, size_t> renames_;  // by file
};

}  // namespace diaryx::testing
