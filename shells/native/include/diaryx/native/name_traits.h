// What a disk makes of file names: found out by trying, since one machine has many kinds of disk.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/native/root_folder.h"

namespace diaryx::native {

struct NameTraits {
  /// `a.md` and `A.md` are one file.
  bool case_insensitive = false;
  /// Composed and decomposed forms of a name are one file.
  bool normalising = false;
  /// `< > : " | ? *` or names that end in a dot or a space are refused, or change on the way.
  bool windows_names = false;

  friend bool operator==(const NameTraits&, const NameTraits&) = default;
};

/// Makes and removes a few empty files in `folder`, which exists and is on the disk that is asked about.
///
/// Errors   the folder cannot be used, or nothing can be written there.
Outcome<NameTraits> probe_names(const RootFolder& root, std::string_view folder);

/// The path of the file that `path` leads to, as the folders on the way list it. A disk finds a file under every name that it
/// takes for its own, and lists it under one.
///
/// Errors   nothing is there, or a folder on the way cannot be read.
/// Cost     lists every folder on the way.
Outcome<std::string> listed_path(const RootFolder& root, std::string_view path);

}  // namespace diaryx::native
