// A note from a stranger.
//
// 1. head and body together are the file   2. a block that is understood and gets a key back as it stands is not changed
// 3. a new key can be read back and leaves the other keys' values as they were   4. a changed or removed key leaves every
// byte before and behind it as it was
#include "diaryx/sync/frontmatter.h"

#include <algorithm>
#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::sync;

namespace {

// `edited` holds the bytes of `whole` around the entry untouched.
bool is_same_around(const std::string& whole, const FrontmatterEntry& entry, const std::string& edited) {
  return edited.starts_with(whole.substr(0, entry.begin)) && edited.ends_with(whole.substr(entry.end));
}

void check_edits(const Frontmatter& block, const FrontmatterEntry& entry) {
  const Json values[] = {"text: with # signs",
                         "",
                         7,
                         nullptr,
                         Json::array(),
                         Json(Json::Array{"a", "- b", entry.value}),
                         Json(Json::Object{{"k", entry.value}})};
  for (const Json& value : values) {
    Frontmatter edited = block;
    if (!edited.set(entry.key, value)) continue;  // nested too deep now
    DX_ASSERT(*edited.find(entry.key) == value);
    DX_ASSERT(edited.entries().size() == block.entries().size());
    DX_ASSERT(is_same_around(block.text(), entry, edited.text()));
    DX_ASSERT(split_frontmatter(edited.text()).head == edited.text());
  }
  Frontmatter shorter = block;
  shorter.remove(entry.key);
  DX_ASSERT(shorter.find(entry.key) == nullptr);
  DX_ASSERT(shorter.entries().size() + 1 == block.entries().size());
  DX_ASSERT(shorter.text().empty() || is_same_around(block.text(), entry, shorter.text()));
}

}  // namespace

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

  for (size_t i = 0; i < std::min<size_t>(before.size(), 6); ++i) check_edits(*block, before[i]);

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
