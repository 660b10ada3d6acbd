// The JSON of a file's entry from a stranger.
//
// 1. what was read, written in the strict form and read again, is the same and needs no repair   2. writing again gives
// the same bytes   3. it is content-equal to itself   4. the head made from it can be read
#include "diaryx/sync/metadata.h"

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/render.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(ByteView{data, size});
  if (const auto ref = parse_binary_ref(text)) {
    const std::string once = format_binary_ref(ref->value);
    const auto again = parse_binary_ref(once);
    DX_ASSERT(again.has_value() && !again->repaired && again->value == ref->value);
  }
  const auto metadata = parse_metadata(text);
  if (!metadata) return 0;
  const std::string once = format_metadata(metadata->value);
  const auto again = parse_metadata(once);
  DX_ASSERT(again.has_value() && !again->repaired);
  DX_ASSERT(format_metadata(again->value) == once);
  DX_ASSERT(content_equal(again->value, metadata->value));

  const std::string head = render_head(metadata->value);
  DX_ASSERT(split_frontmatter(head).head == head);
  const auto front = Frontmatter::parse(head);
  if (!front) {
    DX_ASSERT(front.error().code == ErrorCode::TooLarge);  // many values, or a very long one
    return 0;
  }
  DX_ASSERT(!front->has_repeated_key());
  const FileMetadata derived = derive_metadata(*front, WorkspacePath{"notes/a.md"}, TimestampMs{0});
  DX_ASSERT(derived.title == metadata->value.title);
  DX_ASSERT(derived.description == metadata->value.description);
  DX_ASSERT(derived.contents.has_value() == metadata->value.contents.has_value());
  return 0;
}
