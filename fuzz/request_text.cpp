// The head of a request as text: target, query, token, range, and the document that a path names.
//
// 1. the first byte says what the rest is   2. what is refused is fine   3. what is taken is valid UTF-8, lies inside the file, or is
// a document id that the frames' reader takes too
#include <string>

#include "diaryx/base/result.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/doc_id.h"
#include "request_text.h"

using namespace diaryx;
using namespace diaryx::server;

namespace {

void check_target(std::string_view text) {
  const auto target = parse_target(text);
  if (!target) return;
  DX_ASSERT(target->path.starts_with('/') && target->path.find('?') == std::string::npos);
  for (const auto& [name, value] : target->query) DX_ASSERT(is_valid_utf8(name) && is_valid_utf8(value));
  DX_ASSERT(target->raw_token.empty() || text.find(target->raw_token) != std::string_view::npos);
}

void check_range(std::string_view text, uint64_t size_bytes) {
  const ByteRange range = parse_range(text, size_bytes);
  if (range.kind != ByteRange::Kind::Part) return;
  // An empty file has no last bytes, and gives none.
  DX_ASSERT(range.offset <= size_bytes && range.length <= size_bytes - range.offset);
}

void check_document(std::string_view text) {
  const auto document = yjs_document(std::string(kYjsPrefix) + std::string(text));
  if (!document) return;
  const auto parsed = sync::parse_doc_id(*document);
  DX_ASSERT(parsed && parsed->kind == sync::DocKind::Body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 3) {
    case 0: check_target(text); break;
    case 1:
      check_range(text, uint64_t{1} << (data[0] >> 2));
      check_range(text, data[0] >> 2);
      break;
    case 2: check_document(text); break;
    default:
      if (const auto decoded = percent_decode(text))
        DX_ASSERT(is_valid_utf8(*decoded) && decoded->size() <= text.size());
      if (const auto token = bearer_token(text)) DX_ASSERT(token->size() + 7 == text.size());
  }
  return 0;
}
