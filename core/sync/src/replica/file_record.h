// What this device last knew to be on its disk at a path. Stored, so that a restart can tell the user's edits from ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/sha256.h"
#include "diaryx/crdt/id.h"

namespace diaryx::sync {

struct FileRecord {
  enum class Kind : uint8_t { Text, Blob };

  Kind kind = Kind::Text;
  Sha256 hash;
  /// The text with this hash, kept only while the document is ahead of the disk: the base of a three-way merge.
  std::optional<std::string> base;
  /// What that text is made of, as `encode_units`; empty when nobody knows.
  std::string base_units{};
  /// Edited here, and the server has not acknowledged it: a deletion from elsewhere must not win over this.
  bool unsaved = false;
  /// Of a text: the id of the file that is on this disk under the path. The list may have another one there by now.
  std::string file_id{};
  /// Of a blob that this device put into the list: the operations that did it, more than one if it was sent anew. Whether a later
  /// entry was made in knowledge of one of them decides if the two contents are in conflict.
  std::vector<crdt::Id> published{};

  std::string encode() const;
  /// Errors: InvalidMessage.
  static Result<FileRecord> decode(std::string_view text);
};

}  // namespace diaryx::sync
