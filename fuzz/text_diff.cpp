// Three versions of a text, cut apart at the first two bytes ff: base, disk, document. Not always UTF-8.
//
// 1. the edits of a diff are ordered and apart, and give the new text   2. in UTF-8 they stand at character boundaries
// 3. the merge keeps its promises
#include "diaryx/sync/text_diff.h"

#include <algorithm>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/merge3.h"

using namespace diaryx;
using namespace diaryx::sync;

namespace {

void check_diff(std::string_view before, std::string_view after) {
  const auto edits = diff_text(before, after);
  DX_ASSERT(apply_edits(before, edits) == after);
  const bool is_text = is_valid_utf8(before) && is_valid_utf8(after);
  size_t behind = 0;
  for (const TextEdit& edit : edits) {
    const size_t begin = edit.at_utf8.value(), end = begin + edit.erased_bytes;
    DX_ASSERT(begin >= behind && (begin != end || !edit.inserted.empty()));
    behind = end + 1;
    if (!is_text) continue;
    DX_ASSERT(is_valid_utf8(edit.inserted) && is_valid_utf8(before.substr(begin, end - begin)));
    DX_ASSERT(edit.at == to_utf16(before, edit.at_utf8));
    DX_ASSERT(edit.erased == utf16_length(before.substr(begin, end - begin)));
  }
}

std::string_view take(std::string_view& rest) {
  const size_t cut = std::min(rest.find('\xff'), rest.size());
  const std::string_view part = rest.substr(0, cut);
  rest.remove_prefix(std::min(cut + 1, rest.size()));
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest = as_text(ByteView{data, size});
  const std::string_view base = take(rest), disk = take(rest), document = rest;
  check_diff(base, disk);
  check_diff(disk, document);
  DX_ASSERT(apply_edits(base, merge3(base, disk, base)) == disk);
  DX_ASSERT(merge3(base, base, document).empty() && merge3(base, disk, disk).empty());
  const std::string merged = apply_edits(document, merge3(base, disk, document));
  if (is_valid_utf8(base) && is_valid_utf8(disk) && is_valid_utf8(document)) DX_ASSERT(is_valid_utf8(merged));
  return 0;
}
