// The document of a room: the engine's Doc while somebody edits it, its bytes while nobody does.
//
// Most documents that are open are only looked at, and a note of 1 kB takes 3.3 kB as a Doc. Whoever comes is answered from the
// bytes; an edit makes a Doc of them again, which costs about as much as taking the edit in.
#pragma once

#include <memory>
#include <variant>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/state_vector.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::sync::relay {

class RoomDoc {
 public:
  /// From now on there is a document. It was loaded whole.
  void open(crdt::Doc doc) { state_ = std::move(doc); }
  void close() { state_ = std::monostate(); }

  bool is_open() const { return !std::holds_alternative<std::monostate>(state_); }
  bool rests() const { return std::holds_alternative<Resting>(state_); }

  // Only while there is a document.

  /// For edits; valid until `rest` or `close`. Wakes the document.
  crdt::Doc& awake();
  /// Gives up the Doc, unless something in it could not be told by bytes.
  /// perhaps   bytes that somebody else holds for a while, null for none: those of a note that was made by one update are this
  ///           update, and kept only once.
  void rest(SharedBytes perhaps);
  /// The same with bytes that are in memory anyway: those of a message from `offset` on, which `encode` told just now.
  void rest_in(SharedBytes message, size_t offset);

  /// Everything, or what a peer with `known` lacks, as an update v1.
  Bytes encode(const crdt::StateVector& known = {}) const;
  crdt::StateVector state_vector() const;
  /// True if there is nothing at all, also nothing that waits for its base.
  bool is_empty() const;

 private:
  struct Resting {
    ByteView bytes() const { return ByteView(*owner).subspan(offset); }
    SharedBytes owner;
    size_t offset;
    ClientId client;  // of the server's own edits
    std::unique_ptr<const crdt::StateVector> vector;  // of many bytes, which are slow to read; else null
  };
  bool can_rest() const;
  std::variant<std::monostate, crdt::Doc, Resting> state_;
};

}  // namespace diaryx::sync::relay
