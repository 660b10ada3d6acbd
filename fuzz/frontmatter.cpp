// A note from a stranger.
//
// 1. head and body together are the file   2. a block that is understood and gets a key back as it stands is not changed
// 3. a new key can be read back and leaves the other keys' values as they were
#include "diaryx/sync/frontmatter.h"

#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(ByteView{data, size});
  const auto [head, body] = split_frontmatter(text);
  DX_ASSERT(std::string(head) + std::string(body) == text);
  auto block = Frontmatter::parse(head);
  if (!block) return 0;
  DX_ASSERT(block->text() == head);

  if (block->has_repeated_key()) return 0;
  const auto before = block->entries();
  for (const auto& entry : before) block->set(entry.key, entry.value);
  DX_ASSERT(block->text() == head);

  block->set("a new key of ours", Json("with: a value"));
  const auto reread = Frontmatter::parse(block->text());
  DX_ASSERT(reread.has_value());
  DX_ASSERT(reread->find("a new key of ours") != nullptr);
  for (const auto& entry : before) {
    if (entry.key == "a new key of ours") continue;
    const Json* value = reread->find(entry.key);
    DX_ASSERT(value != nullptr && *value == entry.value);
  }
  return 0;
}
