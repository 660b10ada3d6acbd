// The delta of arrays and of the children of XML types.
//
// Source: Yjs 13.6 src/utils/YEvent.js (`changes`); docs/protocol.md.
#include "event_builder.h"
#include "values.h"

namespace diaryx::crdt {

Delta Store::EventBuilder::list_delta(TypeRef type) {
  Delta delta;
  const auto op = [&delta](DeltaOp::Kind kind, uint32_t length) -> DeltaOp& {
    if (delta.empty() || delta.back().kind != kind) delta.push_back({.kind = kind, .length = Length{0}});
    delta.back().length = delta.back().length + Length{length};
    return delta.back();
  };
  Walk walk = begin_walk(type);
  if (walk.kept > 0) (void)op(DeltaOp::Kind::Retain, walk.kept);
  for (ItemRef ref = walk.at; some(ref) && walk.changed > 0; ref = store_.items_[ref].right) {
    const Item& item = store_.items_[ref];
    if (is_changed(item)) --walk.changed;
    for_each_portion(item, [&](Portion portion) {
      switch (portion.fate) {
        case Fate::Kept: (void)op(DeltaOp::Kind::Retain, portion.length); break;
        case Fate::Deleted: (void)op(DeltaOp::Kind::Delete, portion.length); break;
        case Fate::Added: {
          DeltaOp& insert = op(DeltaOp::Kind::Insert, 0);
          append_contents(store_, item, portion.offset, insert.values);
          insert.length = Length{static_cast<uint32_t>(insert.values.size())};
          break;
        }
      }
    });
  }
  if (!delta.empty() && delta.back().kind == DeltaOp::Kind::Retain) delta.pop_back();
  return delta;
}

}  // namespace diaryx::crdt
