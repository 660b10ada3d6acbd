// A link from a stranger's frontmatter, in the first line of the input; the file it stands in, in the rest.
//
// 1. a canonical path has no step and no empty name in it   2. written and read again, it means the same path and has the same title
#include "diaryx/sync/links.h"

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/sync/path.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(ByteView{data, size});
  const size_t newline = std::min(text.find('\n'), text.size());
  const Link link = parse_link(text.substr(0, newline));
  const auto from = parse_path(text.substr(std::min(newline + 1, text.size())));
  if (!from) return 0;
  const auto path = canonical_path(link, from->view());
  if (!path || check_path(*path) != PathProblem::Fine || is_url(*path)) return 0;
  const Link again = parse_link(format_link(*path, link.title));
  DX_ASSERT(again.markdown);
  DX_ASSERT(again.title == link.title);
  DX_ASSERT(canonical_path(again, from->view()) == path);
  return 0;
}
