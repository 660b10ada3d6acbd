// A snapshot from a stranger, read against a document with a history.
//
// 1. decode v1 and v2; refusal is fine   2. encode, decode again: equal, and the same bytes   3. texts, maps and arrays at any
// snapshot can be read   4. a document restored from it holds what it says   5. the document stays as it was
#include "diaryx/crdt/snapshot.h"

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

Doc historic_doc() {
  Doc doc{{.client = ClientId{1}, .gc = Gc::Disabled}};
  const auto edit = [&](auto&& make) {
    Transaction txn = doc.transact();
    make(txn);
  };
  edit([&](Transaction& txn) {
    DX_ASSERT(doc.text("t").insert(txn, Utf16Offset{0}, "one \xF0\x9F\x8C\xB1 two").has_value());
  });
  edit([&](Transaction& txn) { DX_ASSERT(doc.text("t").erase(txn, Utf16Offset{2}, Length{3}).has_value()); });
  edit([&](Transaction& txn) {
    DX_ASSERT(doc.text("t").format(txn, Utf16Offset{1}, Length{3}, {{"b", Any::boolean(true)}}).has_value());
  });
  edit([&](Transaction& txn) {
    doc.map("m").set(txn, "k", Any::number(1));
    doc.map("m").set(txn, "k", Any::number(2));
    const Any values[] = {Any::number(1), Any::number(2), Any::string("x")};
    DX_ASSERT(doc.array("a").push(txn, values).has_value());
  });
  edit([&](Transaction& txn) { DX_ASSERT(doc.array("a").erase(txn, 1).has_value()); });
  return doc;
}

void check(const Snapshot& snapshot) {
  DX_ASSERT(*Snapshot::decode_v1(snapshot.encode_v1()) == snapshot);
  DX_ASSERT(*Snapshot::decode_v2(snapshot.encode_v2()) == snapshot);
  Doc doc = historic_doc();
  const Bytes before = doc.encode_update_v1();
  const size_t structs = doc.struct_count();
  const Snapshot now = snapshot_of(doc);
  (void)text_at(doc.text("t"), snapshot);
  (void)text_between(doc.text("t"), snapshot, now);
  (void)text_between(doc.text("t"), now, snapshot, ChangeLabel::TypeAndClient);
  (void)value_at(doc.map("m"), "k", snapshot);
  (void)entries_at(doc.map("m"), snapshot);
  (void)values_at(doc.array("a"), snapshot);
  (void)snapshot_contains_v1(snapshot, before);
  auto restored = doc_from_snapshot(doc, snapshot, {.client = ClientId{9}, .gc = Gc::Disabled});
  DX_ASSERT(restored.has_value() == now.state.covers(snapshot.state));
  if (restored) {
    restored->check_invariants();
    DX_ASSERT(snapshot.state.covers(restored->state_vector()));
  }
  doc.check_invariants();
  DX_ASSERT(doc.encode_update_v1() == before && doc.struct_count() == structs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes{data, size};
  if (const auto snapshot = Snapshot::decode_v1(bytes)) check(*snapshot);
  if (const auto snapshot = Snapshot::decode_v2(bytes)) check(*snapshot);
  return 0;
}
