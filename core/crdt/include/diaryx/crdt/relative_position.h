// Relative positions: places in a text or list that stay where they belong while others edit, such as cursors.
//
//     const RelativePosition cursor = relative_position(body, Utf16Offset{12}, Side::Right);
//     send(cursor.encode());
//     ...
//     if (const auto place = resolve(doc, *RelativePosition::decode(bytes))) show(place->index);
//
// A position names the unit beside it, not a number: "before this character" or "after this character". It can be kept, sent
// and resolved by every replica that has that unit. The bytes and the JSON are those of Yjs.
//
// Source: Yjs 13.6 src/utils/RelativePosition.js; docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/id.h"
#include "diaryx/crdt/shared.h"
#include "diaryx/crdt/text.h"

namespace diaryx::crdt {

class Doc;

/// Which neighbour a position holds on to. Text that is inserted exactly there lands before a `Right` position (which moves
/// on with its right neighbour) and behind a `Left` one (which stays behind its left neighbour).
enum class Side : int8_t { Left = -1, Right = 0 };

/// A place, named symbolically. A plain value: it holds on to no document.
struct RelativePosition {
  /// The unit that the position holds on to; none at the end (Right) or the start (Left) of the type.
  std::optional<Id> item;
  /// The name of the root type it lies in, or the item that holds the nested type. The bytes leave both out when `item` is
  /// there, the JSON does not.
  std::optional<std::string> root;
  std::optional<Id> type;
  /// Yjs `assoc`: below zero it holds on to the left. Any number survives encoding, as in Yjs.
  int64_t assoc = 0;

  Side side() const { return assoc < 0 ? Side::Left : Side::Right; }

  /// The bytes of Yjs `encodeRelativePosition`. At least one of `item`, `root` and `type` must be there.
  Bytes encode() const;
  /// Not trusted. An absent `assoc` is 0; bytes after it are refused.
  /// Errors: Truncated, VarUintTooLong, UnknownTag, InvalidUtf8, ClockOverflow (a clock above 2^32-1), TrailingBytes.
  /// Memory: the name of the root, at most the input.
  static Result<RelativePosition> decode(ByteView bytes);

  /// The object of Yjs `relativePositionToJSON`, e.g. `{"tname":"body","item":{"client":1,"clock":4},"assoc":0}`.
  Any to_json() const;
  /// Not trusted; members that are absent or null are not there, others are ignored.
  /// Errors: WrongType (a member of the wrong kind, or none of type, tname and item), NumberOutOfRange, ClockOverflow.
  static Result<RelativePosition> from_json(const Any& json);

  friend bool operator==(const RelativePosition&, const RelativePosition&) = default;
};

/// The position between units `index` - 1 and `index`. Beyond the end it is the end, held on to by the very last item (Left,
/// a tombstone too, as in Yjs) or by the type (Right).
/// Cost: O(log n), O(1) near the last edit; a Left position beyond the end walks to the last item.
RelativePosition relative_position(const Text& text, Utf16Offset index, Side side = Side::Right);
/// The same in any list: an array, an XML fragment or element, or a text by its units.
RelativePosition relative_position(const Shared& list, size_t index, Side side = Side::Right);

/// Whether a position in something that was deleted and brought back by undo goes to the copy. What came back is known only
/// to the replica that undid; for equal answers everywhere say No.
enum class FollowUndone : uint8_t { No, Yes };

/// Where a relative position is now.
struct AbsolutePosition {
  /// The type it lies in; a handle, valid as long as the Doc. `position.type == text` tells whether it is this very one.
  Shared type;
  /// Units before the position: UTF-16 units of a text, elements of a list.
  uint32_t index = 0;
  int64_t assoc = 0;
};

/// Where `position` is in `doc` now. A position in deleted content is where that content was.
///
/// position  not trusted. The name of an unknown root makes that root, as a handle would.
/// Returns   nothing if the unit is not known (yet), or its place was collected.
/// Cost      O(log n) in a long list; O(n) once to build the index over it.
std::optional<AbsolutePosition> resolve(Doc& doc, const RelativePosition& position,
                                        FollowUndone follow = FollowUndone::Yes);

}  // namespace diaryx::crdt
