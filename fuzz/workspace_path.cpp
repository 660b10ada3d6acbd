// A key from a stranger: what is accepted stays below the root, whoever reads it, and is accepted again as it stands.
#include <algorithm>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/sync/path.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto path = parse_path(as_text(ByteView{data, size}));
  if (!path) return 0;
  const std::string_view text = path->view();
  DX_ASSERT(!text.empty() && text.front() != '/' && text.find('\0') == std::string_view::npos);
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    DX_ASSERT(!name.empty() && name != "." && name != "..");
    begin = end + 1;
  }
  const auto again = parse_path(text);
  DX_ASSERT(again.has_value() && again->view() == text);
  return 0;
}
