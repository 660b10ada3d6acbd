#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {

/// A change in byte offsets of two texts: [old_begin, old_end) became [new_begin, new_end).
struct Hunk {
  size_t old_begin, old_end, new_begin, new_end;

  size_t old_size() const { return old_end - old_begin; }
  size_t new_size() const { return new_end - new_begin; }
};

/// Lines with their newlines; the last one may lack it.
std::vector<std::string_view> split_lines(std::string_view text);

/// Runs of letters and digits, runs of blanks, and every other character alone.
std::vector<std::string_view> split_words(std::string_view text);

/// Which whole lines differ.
std::vector<Hunk> diff_lines(std::string_view before, std::string_view after);

/// A replacement whose place is known in bytes only.
struct ByteEdit {
  size_t begin;
  size_t end;
  std::string inserted;
};

/// Counts the UTF-16 side of ordered edits in one pass over `text`. Edits that do nothing are left out.
std::vector<TextEdit> count_utf16(std::string_view text, std::vector<ByteEdit> edits);

}  // namespace diaryx::sync
