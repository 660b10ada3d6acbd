// The frontmatter block of a body document, as strangers left it there, and edits of it.
//
// The input is the texts of the two roots and two blocks that somebody writes, cut at NUL bytes. 1. what is shown of changed fields is a block,
// whatever the document holds, and its runs are its text   2. what is written is shown, byte for byte   3. a document that got the same operations in
// another order shows the same
#include "diaryx/sync/head_text.h"

#include <array>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"

using namespace diaryx;
using namespace diaryx::sync;

namespace {

constexpr size_t kMaxBytes = 4'096;  // beyond it an input only gets slower

void insert(crdt::Doc& doc, std::string_view root, std::string_view text) {
  if (text.empty()) return;
  crdt::Text there = doc.text(root);
  crdt::Transaction txn = doc.transact();
  DX_ASSERT(there.insert(txn, Utf16Offset{0}, text).has_value());
}

/// The update that makes `wanted` what is shown.
Bytes write(crdt::Doc& doc, const std::string& wanted) {
  HeadText head(doc);
  crdt::Transaction txn = doc.transact();
  head.set(txn, wanted);
  const crdt::Commit commit = std::move(txn).commit();
  DX_ASSERT(head.to_string() == wanted);
  return commit.changed() ? commit.update_v1() : Bytes();
}

void check_shown(crdt::Doc& doc) {
  const HeadText head(doc);
  const std::string shown = head.to_string();
  if (head.is_as_imported()) return;  // shown as it is
  DX_ASSERT(split_frontmatter(shown).head == shown);
  std::string runs;
  for (const HeadText::Run& run : head.runs()) runs += run.text;
  DX_ASSERT(runs == shown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxBytes) return 0;
  std::string_view rest = as_text(ByteView{data, size});
  if (!is_valid_utf8(rest)) return 0;
  std::array<std::string_view, 4> parts;
  for (std::string_view& part : parts) {
    part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(part.size() == rest.size() ? part.size() : part.size() + 1);
  }
  crdt::Doc one({.client = ClientId{1}});
  insert(one, "head", parts[0]);
  insert(one, "fields", parts[1]);
  check_shown(one);
  const Bytes begun = one.encode_update_v1();

  std::array<std::string, 2> blocks;
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = split_frontmatter(parts[2 + i]).head;
  crdt::Doc two({.client = ClientId{2}});
  crdt::Doc three({.client = ClientId{3}});
  for (crdt::Doc* doc : {&two, &three}) DX_ASSERT(doc->apply_update_v1(begun).has_value());
  const Bytes by_two = write(two, blocks[0]);
  const Bytes by_three = write(three, blocks[1]);
  if (!by_three.empty()) DX_ASSERT(two.apply_update_v1(by_three).has_value());
  if (!by_two.empty()) DX_ASSERT(three.apply_update_v1(by_two).has_value());
  check_shown(two);
  DX_ASSERT(HeadText(two).to_string() == HeadText(three).to_string());
  return 0;
}
