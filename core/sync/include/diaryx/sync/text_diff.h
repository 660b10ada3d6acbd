// What changed between two texts, as edits that leave everything else alone.
//
// Invariants
// 1. Edits are ordered, do not overlap, and stand at the boundaries of Unicode scalar values (T2).
// 2. Applying them to the old text gives the new text.
// 3. Two changes with an unchanged line between them are two edits (T3): a concurrent edit in between survives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/units.h"

namespace diaryx::sync {

/// Replaces `erased` at `at` by `inserted`. Positions count in the text before any edit of the list was applied, so
/// apply a list from its last edit to its first, or use `apply_edits`.
struct TextEdit {
  Utf16Offset at;
  Length erased;          // UTF-16 units
  Utf8Offset at_utf8;     // the same place and length in bytes
  uint32_t erased_bytes = 0;
  std::string inserted;   // UTF-8

  bool operator==(const TextEdit&) const = default;
};

/// The edits that turn `before` into `after`. Lines are compared first, then words inside changed lines, then characters
/// inside changed words; equal inputs give equal edits on every machine.
///
/// before, after  valid UTF-8, each below 4 GiB (bytes that are not count as one character each; nothing breaks).
/// Returns        empty when the texts are equal.
/// Cost           one pass when the change is in one place; else O((N + M) D) over lines, cut off near 50 million steps,
///                after which edits grow coarser but stay right.
std::vector<TextEdit> diff_text(std::string_view before, std::string_view after);

/// `text` with the edits applied. Positions are taken from the byte fields; an edit beyond the text is our own bug.
std::string apply_edits(std::string_view text, std::span<const TextEdit> edits);

}  // namespace diaryx::sync
