// A relative position from a stranger, as bytes and as JSON.
//
// 1. decode; refusal is fine   2. encode, decode again: equal, and the same bytes   3. JSON there and back: equal   4. resolve it in a
// document, following undone deletions and not: inside the type, or nothing   5. the document stays as it was
#include "diaryx/crdt/relative_position.h"

#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

struct World {
  Doc doc{{.client = ClientId{1}}};
  World() {
    UndoManager undo = doc.track_undo({.roots = {"t"}});
    const auto edit = [&](auto&& make) {
      Transaction txn = doc.transact();
      make(txn);
    };
    edit([&](Transaction& txn) {
      DX_ASSERT(doc.text("t").insert(txn, Utf16Offset{0}, "hello \xF0\x9F\x8C\xB1 world").has_value());
      DX_ASSERT(doc.map("m").set_text(txn, "n").insert(txn, Utf16Offset{0}, "inside").has_value());
      DX_ASSERT(doc.map("m").set_text(txn, "gone").insert(txn, Utf16Offset{0}, "gone").has_value());
      DX_ASSERT(doc.array("a").push(txn, Any::number(1)).has_value());
    });
    undo.stop_capturing();
    edit([&](Transaction& txn) { DX_ASSERT(doc.text("t").erase(txn, Utf16Offset{2}, Length{3}).has_value()); });
    (void)undo.undo();
    edit([&](Transaction& txn) {
      DX_ASSERT(doc.text("t").erase(txn, Utf16Offset{3}, Length{2}).has_value());
      DX_ASSERT(doc.map("m").erase(txn, "gone"));
    });
  }
};

void check(const RelativePosition& position) {
  const Bytes bytes = position.encode();
  DX_ASSERT(RelativePosition::decode(bytes)->encode() == bytes);
  DX_ASSERT(*RelativePosition::from_json(position.to_json()) == position || (position.root == "" && position.item));
  World world;
  const Bytes before = world.doc.encode_update_v1();
  const size_t structs = world.doc.struct_count();
  for (const FollowUndone follow : {FollowUndone::No, FollowUndone::Yes}) {
    const auto place = resolve(world.doc, position, follow);
    if (!place) continue;
    if (const auto text = place->type.as_text()) DX_ASSERT(place->index <= text->length().value());
    // And from there to a position again.
    const RelativePosition again = relative_position(place->type, place->index, position.side());
    const auto same = resolve(world.doc, again, follow);
    DX_ASSERT(!place->type.is_live() || (same.has_value() && same->index == place->index));
  }
  world.doc.check_invariants();
  DX_ASSERT(world.doc.encode_update_v1() == before && world.doc.struct_count() == structs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes{data, size};
  if (const auto position = RelativePosition::decode(bytes)) check(*position);
  if (const auto json = Any::from_json(as_text(bytes))) {
    if (const auto position = RelativePosition::from_json(*json)) check(*position);
  }
  return 0;
}
