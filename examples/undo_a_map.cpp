// One person undoes what they set in a map; what somebody else set meanwhile stays.
#include <cstdio>

#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

Bytes set(Doc& doc, std::string_view key, std::string value) {
  Transaction txn = doc.transact();
  doc.map("recipe").set(txn, key, Any::string(std::move(value)));
  return std::move(txn).commit().update_v1();
}

void print(Doc& doc) {
  doc.map("recipe").for_each([](std::string_view key, const Any& value) {
    std::printf("%.*s %s\n", static_cast<int>(key.size()), key.data(), value.to_json().c_str());
  });
}

int main() {
  Doc mine({.client = ClientId{1}});
  Doc yours({.client = ClientId{2}});
  UndoManager undo = mine.track_undo({.roots = {"recipe"}, .capture_timeout = DurationMs{0}});
  set(mine, "title", "Rhubarb");
  set(mine, "title", "Rhubarb cake");
  if (!mine.apply_update_v1(set(yours, "oven", "180"))) return 1;
  undo.undo();
  print(mine);
  undo.redo();
  print(mine);
}
