// One struct of the store: an item of a list or of a map key, or a collected range.
#pragma once

#include <cstddef>
#include <cstdint>

#include "handles.h"

namespace diaryx::crdt {

/// The numbers are those of the wire (info byte, bits 0 to 4).
enum class ContentKind : uint8_t {
  Gc = 0,       // not an item: ids whose position is lost
  Deleted = 1,
  Json = 2,     // heap: n varStrings of JSON text or `undefined`
  Binary = 3,   // heap: the bytes
  String = 4,   // heap: UTF-8
  Embed = 5,    // heap: identity (4 bytes), value as lib0 any
  Format = 6,   // heap: key handle (4 bytes), identity (4 bytes), value as lib0 any
  Type = 7,     // content: TypeRef
  Any = 8,      // heap: n values as lib0 any
  Doc = 9,      // heap: guid as varString, options as lib0 any
  Skip = 10,    // a hole in an update; never in a store
};

constexpr bool is_countable(ContentKind kind) {
  return kind != ContentKind::Gc && kind != ContentKind::Deleted && kind != ContentKind::Format &&
         kind != ContentKind::Skip;
}

/// The same, a bit for each kind.
inline constexpr uint32_t kCountableKinds = [] {
  uint32_t bits = 0;
  for (uint32_t kind = 0; kind <= static_cast<uint32_t>(ContentKind::Skip); ++kind) {
    if (is_countable(static_cast<ContentKind>(kind))) bits |= 1u << kind;
  }
  return bits;
}();

/// Bytes before the value in the heap: identity, and the key of a Format.
constexpr uint32_t value_prefix(ContentKind kind) {
  return kind == ContentKind::Format ? 8 : kind == ContentKind::Embed ? 4 : 0;
}

/// Kinds of which neighbours may become one item.
constexpr bool can_merge(ContentKind kind) {
  return kind == ContentKind::String || kind == ContentKind::Any || kind == ContentKind::Json ||
         kind == ContentKind::Deleted;
}

constexpr bool lives_in_heap(ContentKind kind) {
  return kind >= ContentKind::Json && kind <= ContentKind::Doc && kind != ContentKind::Type;
}

/// An id inside a store; `client` None means "no id".
struct LocalId {
  ClientIndex client = ClientIndex::None;
  uint32_t clock = 0;

  friend constexpr bool operator==(LocalId a, LocalId b) {
    return a.client == b.client && (a.clock == b.clock || a.client == ClientIndex::None);
  }
};

/// Clients of one document: their index has 24 bits, and one value means none.
inline constexpr size_t kMaxClients = (size_t{1} << 24) - 1;

/// 56 bytes: this is what memory per document is made of.
struct Item {
  enum Flag : uint8_t {
    kDeleted = 1,  // `visible` counts on this bit
    kKeep = 2,    // an undo stack may need the content
    kRedone = 4,  // the store's table `redone_` says by which id
    kGarbage = 8,  // deleted by the open transaction, and in its list of what may be collected
  };

  uint32_t clock = 0;
  uint32_t length = 0;
  ClientIndex client : 24 = static_cast<ClientIndex>(0);
  ContentKind kind : 4 = ContentKind::Gc;
  uint8_t flags : 4 = 0;
  ItemRef left = ItemRef::None;
  ItemRef right = ItemRef::None;
  LocalId origin;
  LocalId right_origin;
  TypeRef parent = TypeRef::None;
  KeyRef parent_sub = KeyRef::None;
  uint32_t content = 0;        // heap offset or TypeRef, see ContentKind
  uint32_t content_bytes = 0;  // in the heap
  LeafRef leaf = LeafRef::None;

  bool is_gc() const { return kind == ContentKind::Gc; }
  bool deleted() const { return (flags & kDeleted) != 0; }
  bool keep() const { return (flags & kKeep) != 0; }
  uint32_t end() const { return clock + length; }
  LocalId id() const { return {client, clock}; }
  LocalId last_id() const { return {client, clock + length - 1}; }
  /// Units that a reader of the list counts. Computed, not chosen: along a list tombstones come as they like.
  uint32_t visible() const {
    const uint32_t counts = kCountableKinds >> static_cast<uint32_t>(kind) & 1u & ~uint32_t{flags};
    return length & (0u - counts);
  }
};
static_assert(sizeof(Item) == 56);

}  // namespace diaryx::crdt
