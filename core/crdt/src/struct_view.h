// A struct outside a store: as an update names it, symbolic and not yet integrated.
#pragma once

#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/shared.h"
#include "item.h"
#include "sink.h"

namespace diaryx::crdt {

/// What a type reference on the wire says, and what a root that nobody asked for is.
using TypeKind = Shared::Kind;

constexpr bool has_node_name(TypeKind kind) { return kind == TypeKind::XmlElement || kind == TypeKind::XmlHook; }

/// An id as the wire has it.
struct WireId {
  uint64_t client = 0;
  uint32_t clock = 0;
};

/// How a struct says where it belongs.
enum class ParentForm : uint8_t { Neighbour, Root, Item };

/// The views point into the update (or the scratch of its decoder), or into a store; whoever makes one says how long it lives.
struct StructView {
  // Bits 5 to 7 of the info byte.
  enum Bit : uint8_t { kHasSub = 0x20, kHasRightOrigin = 0x40, kHasOrigin = 0x80 };

  ContentKind kind = ContentKind::Gc;
  uint8_t bits = 0;
  ParentForm parent_form = ParentForm::Neighbour;
  TypeKind type_kind = TypeKind::Array;
  uint32_t clock = 0;
  uint32_t length = 0;
  uint32_t origin_clock = 0;  // ParentForm::Item: the parent's clock; such a struct has no origin
  uint64_t origin_client = 0;
  union {
    uint64_t right_client = 0;
    std::string_view root;  // ParentForm::Root: there is no right origin
  };
  union {
    uint32_t right_clock = 0;
    KeyRef sub_key;  // kHasSub: the key of `sub` in the store that takes the struct, once it is known there
  };
  bool says_sub = false;  // the info byte has `kHasSub`, also where origins say all
  bool is_padded = false;  // from the first byte of `content` on, as many bytes can be read as ByteHeap wants
  std::string_view sub;  // kHasSub and no origins
  std::string_view name;  // key of a Format, node name of a Type
  ByteView content;  // as ContentKind says, without key and identity
  uint32_t end() const { return clock + length; }
};

/// The last units of a content of `length` units, from unit `offset` on. String: cutting a surrogate pair leaves half a character; `leads_with_half` says so, and the
/// half is not in the view (it is written as U+FFFD).
struct ContentTail {
  ByteView bytes;
  bool leads_with_half = false;
};
ContentTail content_tail(ContentKind kind, ByteView content, uint32_t length, uint32_t offset);

/// Appends the options of a subdocument as Yjs writes them, whatever else another engine put there: `gc` if it is off, `autoLoad` if
/// it is on, `meta` if there is any.
void write_subdocument_options(ByteView options, Sink& out);

/// Byte offset of the element `offset` of Any or Json content.
size_t element_offset(ContentKind kind, ByteView content, uint32_t offset);

}  // namespace diaryx::crdt
