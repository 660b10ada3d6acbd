// A server keeps updates and never builds a document: it merges them, and sends a late reader only what that reader lacks.
#include <cstdio>
#include <vector>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

int main() {
  std::vector<Bytes> log;
  Doc writer({.client = ClientId{1}});
  for (const char* word : {"one ", "two ", "three "}) {
    Transaction txn = writer.transact();
    const Text text = writer.text("t");
    if (!writer.text("t").insert(txn, Utf16Offset{text.length().value()}, word)) return 1;
    log.push_back(std::move(txn).commit().update_v1());
  }
  Doc reader({.client = ClientId{2}});
  if (!reader.apply_update_v1(log.front())) return 1;

  const auto merged = merge_updates_v1(std::vector<ByteView>(log.begin(), log.end()));
  const auto lacking = diff_update_v1(*merged, reader.state_vector());
  std::printf("%zu bytes in %zu updates, %zu merged, %zu lacking\n", log[0].size() + log[1].size() + log[2].size(),
              log.size(), merged->size(), lacking->size());
  if (!reader.apply_update_v1(*lacking)) return 1;
  std::printf("%s\n", reader.text("t").to_string().c_str());
}
