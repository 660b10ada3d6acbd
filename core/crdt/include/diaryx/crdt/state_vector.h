// What a replica has: per client, the next clock it expects.
//
// Source: Yjs 13.6 `encodeStateVector` (src/utils/encoding.js); docs/protocol.md.
#pragma once

#include <span>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/id.h"

namespace diaryx::crdt {

/// Next expected clock per client, ordered by client; unknown clients have 0. A few clients per document are usual, so
/// this is a sorted vector.
class StateVector {
 public:
  struct Entry {
    ClientId client;
    Clock clock;
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  /// The next clock expected of `client`; 0 when it is unknown.
  Clock get(ClientId client) const;
  /// Sets the clock; 0 forgets the client.
  void set(ClientId client, Clock clock);
  /// Raises the clock if `clock` is greater.
  void raise(ClientId client, Clock clock);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  /// True if nothing that `other` knows is unknown here.
  bool covers(const StateVector& other) const;
  bool contains(Id id) const { return id.clock < get(id.client); }

  /// Ascending by client.
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

  /// The bytes of Yjs (clients descending). Never empty: `00` knows nothing.
  Bytes encode() const;
  void encode(Writer& out) const;
  /// Not trusted; any order, the last of duplicates wins. Bytes after the vector are refused.
  /// Errors: Truncated, VarUintTooLong, ClockOverflow (a clock above 2^32-1), TrailingBytes.
  /// Memory: at most 64 bytes per byte of input. Cost: n log n in the clients.
  static Result<StateVector> decode(ByteView bytes);
  /// The same from the middle of an input; bytes after the vector are left in `in`.
  static Result<StateVector> decode(Reader& in);

  friend bool operator==(const StateVector&, const StateVector&) = default;

 private:
  std::vector<Entry> entries_;  // ascending by client, no zero clocks
};

}  // namespace diaryx::crdt
