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

/// 64 bytes: a large update is a million of these before the first is placed. Texts are given by pointer and size, and what cannot occur
/// together shares a place: a struct with origins says no parent, and one in a root names no item.
///
/// The texts lie in the update (or the scratch of its decoder), or in a store; whoever makes a view says how long it lives.
struct StructView {
  // Bits 5 to 7 of the info byte.
  enum Bit : uint8_t { kHasSub = 0x20, kHasRightOrigin = 0x40, kHasOrigin = 0x80 };

  union {
    uint64_t origin_client = 0;
    const char* root_text;  // ParentForm::Root
  };
  union {
    uint64_t right_client = 0;
    const char* sub_text;  // kHasSub and no origins
  };
  union {
    uint32_t origin_clock = 0;  // ParentForm::Item: the parent's clock; such a struct has no origin
    uint32_t root_size;
  };
  union {
    uint32_t right_clock = 0;
    uint32_t sub_size;
  };
  const uint8_t* content_bytes = nullptr;
  const char* name_text = nullptr;
  uint32_t content_size = 0;
  uint32_t name_size = 0;
  uint32_t clock = 0;
  uint32_t length = 0;
  KeyRef sub_key = KeyRef::None;  // the key of `sub` in the store that takes the struct, once it is known there
  ContentKind kind = ContentKind::Gc;
  uint8_t bits = 0;
  ParentForm parent_form : 6 = ParentForm::Neighbour;
  bool says_sub : 1 = false;  // the info byte has `kHasSub`, also where origins say all
  bool is_padded : 1 = false;  // from the first byte of `content` on, as many bytes can be read as ByteHeap wants
  TypeKind type_kind = TypeKind::Array;

  uint32_t end() const { return clock + length; }
  /// The name of the root that holds it.
  std::string_view root() const { return {root_text, root_size}; }
  void set_root(std::string_view name) { root_text = name.data(), root_size = static_cast<uint32_t>(name.size()); }
  /// Its key in a map.
  std::string_view sub() const { return {sub_text, sub_size}; }
  void set_sub(std::string_view key) { sub_text = key.data(), sub_size = static_cast<uint32_t>(key.size()); }
  /// The key of a Format, the node name of a Type.
  std::string_view name() const { return {name_text, name_size}; }
  void set_name(std::string_view name) { name_text = name.data(), name_size = static_cast<uint32_t>(name.size()); }
  /// As ContentKind says, without key and identity.
  ByteView content() const { return {content_bytes, content_size}; }
  void set_content(ByteView bytes) { content_bytes = bytes.data(), content_size = static_cast<uint32_t>(bytes.size()); }
};
static_assert(sizeof(StructView) <= 64);

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
