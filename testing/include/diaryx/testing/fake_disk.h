// A folder in memory, with the one operation a real one must have: check and replace in one step.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/sha256.h"

namespace diaryx::testing {

class FakeDisk {
 public:
  using Files = std::map<std::string, std::string, std::less<>>;

  const Files& files() const { return files_; }
  bool has(std::string_view path) const { return files_.find(path) != files_.end(); }
  std::optional<std::string> read(std::string_view path) const;

  // What a user or another program does.
  void write(std::string_view path, std::string_view bytes) { files_.insert_or_assign(std::string(path), bytes); }
  bool remove(std::string_view path);
  bool rename(std::string_view from, std::string_view to);

  // What sync does: nothing happens unless the file is as expected. False = refused.
  bool write_if(std::string_view path, std::string_view bytes, const std::optional<Sha256>& expected);
  bool remove_if(std::string_view path, const Sha256& expected);
  bool rename_if_free(std::string_view from, std::string_view to);

 private:
  bool is(std::string_view path, const std::optional<Sha256>& expected) const;

  Files files_;
};

}  // namespace diaryx::testing
