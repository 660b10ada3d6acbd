// What is deleted: per client, ranges of clocks.
//
// 1. Per client the ranges are ascending, never empty, and do not touch each other.
// 2. Clients keep the order in which they first came; the encoders sort.
// 3. `order_` names every client when there are many, and none when there are few.
//
// Source: Yjs 13.6 src/utils/DeleteSet.js; docs/protocol.md.
#pragma once

#include <span>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/id.h"

namespace diaryx::crdt {

/// A set of ids, kept as joined ranges.
class DeleteSet {
 public:
  using Ranges = InlineVector<ClockRange, 4>;
  struct ClientRanges {
    ClientId client;
    Ranges ranges;
    friend bool operator==(const ClientRanges&, const ClientRanges&) = default;
  };

  /// Adds a range; it joins what it touches or overlaps. O(1) next to the last range, else a binary search and a move.
  void add(ClientId client, Clock start, Length length);
  void merge(const DeleteSet& other);
  /// `merge` of many sets, each with `gather`, then `settle`. Cost: one sort, not one per set. In between only `gather` may be called.
  void gather(const DeleteSet& other);
  void settle();

  bool contains(Id id) const;
  /// True if every id of `other` is in here.
  bool covers(const DeleteSet& other) const;
  bool empty() const { return clients_.empty(); }
  /// Ascending, joined; empty for an unknown client.
  std::span<const ClockRange> ranges(ClientId client) const;
  std::span<const ClientRanges> clients() const { return clients_; }

  /// The bytes of Yjs, clients descending. Never empty: `00` is the empty set.
  Bytes encode_v1() const;
  void encode_v1(Writer& out) const;
  /// Encoding v2: differences of clocks, lengths minus one.
  void encode_v2(Writer& out) const;

  /// Not trusted; unsorted and overlapping ranges are joined, empty ones dropped. Bytes after the set are refused.
  /// Errors: Truncated, VarUintTooLong, ClockOverflow, TrailingBytes.
  /// Memory: at most 64 bytes per byte of input. Cost: n log n in the ranges.
  static Result<DeleteSet> decode_v1(ByteView bytes);
  /// The same from the middle of an input into `out`, which is empty; bytes after the set are left in `in`.
  static Result<void> decode_v1(Reader& in, DeleteSet& out);
  static Result<void> decode_v2(Reader& in, DeleteSet& out);

  /// Same ids, whatever the order of the clients.
  friend bool operator==(const DeleteSet& a, const DeleteSet& b);

 private:
  /// The place of a client in `clients_`, or its size. O(log n) once there are many, however they come.
  size_t find(ClientId client) const;
  std::vector<uint32_t>::const_iterator place_in_order(ClientId client) const;
  ClientRanges& at(ClientId client);
  void keep_order();

  InlineVector<ClientRanges, 1> clients_;
  std::vector<uint32_t> order_;  // of clients_, the highest client first; kept only when there are many
  size_t last_ = 0;  // index of the client that `add` met last
};

}  // namespace diaryx::crdt
