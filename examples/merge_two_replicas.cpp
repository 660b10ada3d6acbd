// Two people write into one text at the same time; each sends what it wrote, and both end with the same text.
#include <cstdio>

#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

Bytes insert(Doc& doc, Utf16Offset at, std::string_view words) {
  Transaction txn = doc.transact();
  if (!doc.text("note").insert(txn, at, words)) std::puts("refused");
  return std::move(txn).commit().update_v1();  // what the others need
}

int main() {
  Doc anna({.client = ClientId{1}});
  Doc ben({.client = ClientId{2}});
  const Bytes first = insert(anna, Utf16Offset{0}, "tea and cake");
  if (!ben.apply_update_v1(first)) return 1;

  const Bytes hers = insert(anna, Utf16Offset{3}, " 🍵");
  const Bytes his = insert(ben, Utf16Offset{12}, "!");
  if (!anna.apply_update_v1(his) || !ben.apply_update_v1(hers)) return 1;

  std::printf("%s\n%s\n", anna.text("note").to_string().c_str(), ben.text("note").to_string().c_str());
}
