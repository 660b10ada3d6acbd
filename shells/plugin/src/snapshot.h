// A workspace folder as a zip, and back.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "disk.h"

namespace diaryx::plugin {

struct PackedFolder {
  Bytes zip;
  uint64_t files = 0;
  std::vector<std::string> left_out;  // cannot be read, or there is no room
};
/// All carried files below the root, sorted; others than Markdown only with `with_attachments`. Names that old servers
/// skip (a component that starts with a dot) are left out.
PackedFolder pack_folder(const Disk& disk, bool with_attachments);

struct Unpacked {
  uint64_t written = 0;
  uint64_t skipped = 0;  // hidden, unsafe or unwanted entries
};
enum class Present { Replaced, Kept };
/// Writes the entries of `zip` (not trusted) below the root; files that are not in it stay. present: those that are there already.
/// Errors: `Snapshot download returned empty body`, `Invalid snapshot zip: ...`, or the first file that could not be
/// written; what was written before it stays.
std::expected<Unpacked, std::string> unpack_into(const Disk& disk, ByteView zip, bool with_attachments,
                                                 Present present = Present::Replaced);

}  // namespace diaryx::plugin
