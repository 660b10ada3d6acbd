// What is deleted: per client, ranges of clocks.
//
// 1. Per client the ranges are ascending, never empty, and do not touch each other.
// 2. Clients keep the order in which they first came; the encoders sort.
//
// Source: Yjs 13.6 src/utils/DeleteSet.js; docs/protocol.md.
#pragma once

#include <span>

#include "diaryx/base/bytes.h"
#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/id.h"

namespace diaryx::crdt {

/// A set of ids, kept as joined ranges.
class DeleteSet {
 public:
  using Ranges = InlineVector<ClockRange, 2>;
  struct ClientRanges {
    ClientId client;
    Ranges ranges;
    friend bool operator==(const ClientRanges&, const ClientRanges&) = default;
  };

  /// Adds a range; it joins what it touches or overlaps. O(1) next to the last range, else a binary search and a move.
  void add(ClientId client, Clock start, Length length);
  void merge(const DeleteSet& other);
  /// All ids of all `sets`. Cost: one sort, not one per set.
  static DeleteSet merge_all(std::span<const DeleteSet* const> sets);

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
  static Result<DeleteSet> decode_v1(ByteView bytes);
  /// The same from the middle of an input; bytes after the set are left in `in`.
  static Result<DeleteSet> decode_v1(Reader& in);
  static Result<DeleteSet> decode_v2(Reader& in);

  /// Same ids, whatever the order of the clients.
  friend bool operator==(const DeleteSet& a, const DeleteSet& b);

 private:
  ClientRanges& at(ClientId client);

  InlineVector<ClientRanges, 1> clients_;
  size_t last_ = 0;  // index of the client that `add` met last
};

}  // namespace diaryx::crdt
