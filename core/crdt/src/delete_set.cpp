#include "diaryx/crdt/delete_set.h"

#include <algorithm>

#include "delete_set_wire.h"
#include "diaryx/base/sort.h"

namespace diaryx::crdt {
namespace {

using Ranges = DeleteSet::Ranges;
using Clients = InlineVector<DeleteSet::ClientRanges, 1>;

constexpr size_t kMany = 32;  // clients; fewer are looked through

/// The first range that ends at or after `clock` (the first that could touch it).
auto first_touching(Ranges& ranges, Clock clock) {
  return std::lower_bound(ranges.begin(), ranges.end(), clock,
                          [](const ClockRange& range, Clock wanted) { return range.end() < wanted; });
}

bool covers_range(std::span<const ClockRange> ranges, ClockRange wanted) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), wanted.start,
                                      [](Clock clock, const ClockRange& range) { return clock < range.start; });
  return after != ranges.begin() && std::prev(after)->end() >= wanted.end();
}

/// True if `next`, which begins no earlier than `last`, became part of it.
bool join(ClockRange& last, ClockRange next) {
  if (next.start > last.end()) return false;
  last.length = std::max(last.end(), next.end()) - last.start;
  return true;
}

/// Sorts and joins ranges that came in any order.
void normalize(Ranges& ranges) {
  sort_compactly(ranges);
  size_t kept = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (!join(ranges[kept], ranges[i])) ranges[++kept] = ranges[i];
  }
  if (!ranges.empty()) ranges.truncate(kept + 1);
}

/// The ranges of both, which are in order. One pass: deletions that wait are merged with those of every update that comes.
Ranges merged(const Ranges& some, const Ranges& others) {
  Ranges result;
  auto a = some.begin();
  auto b = others.begin();
  while (a != some.end() || b != others.end()) {
    const bool takes_a = b == others.end() || (a != some.end() && a->start < b->start);
    const ClockRange next = takes_a ? *a++ : *b++;
    if (result.empty() || !join(result.back(), next)) result.push_back(next);
  }
  return result;
}

}  // namespace

size_t DeleteSet::find(ClientId client) const {
  if (!order_.empty()) {
    const auto place = place_in_order(client);
    return place != order_.end() && clients_[*place].client == client ? *place : clients_.size();
  }
  size_t at = 0;
  while (at < clients_.size() && clients_[at].client != client) ++at;
  return at;
}

std::vector<uint32_t>::const_iterator DeleteSet::place_in_order(ClientId client) const {
  return std::lower_bound(order_.begin(), order_.end(), client,
                          [this](uint32_t at, ClientId wanted) { return clients_[at].client > wanted; });
}

DeleteSet::ClientRanges& DeleteSet::at(ClientId client) {
  if (last_ < clients_.size() && clients_[last_].client == client) return clients_[last_];
  last_ = find(client);
  if (last_ < clients_.size()) return clients_[last_];
  if (!order_.empty()) order_.insert(place_in_order(client), static_cast<uint32_t>(last_));
  clients_.push_back({client, {}});
  if (order_.empty()) keep_order();
  return clients_[last_];
}

/// From now on, if there are many.
void DeleteSet::keep_order() {
  if (clients_.size() <= kMany) return;
  order_.resize(clients_.size());
  for (uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  const auto higher = [this](uint32_t a, uint32_t b) { return clients_[a].client > clients_[b].client; };
  sort_compactly(order_, higher);
}

void DeleteSet::add(ClientId client, Clock start, Length length) {
  if (length == Length{0}) return;
  Ranges& ranges = at(client).ranges;
  ClockRange added{start, length};
  if (ranges.empty() || ranges.back().end() < start) {
    ranges.push_back(added);
    return;
  }
  const auto from = first_touching(ranges, start);
  auto to = from;
  for (; to != ranges.end() && to->start <= added.end(); ++to) {
    const Clock end = std::max(added.end(), to->end());
    added.start = std::min(added.start, to->start);
    added.length = end - added.start;
  }
  if (from == to) {
    ranges.insert(from, added);
  } else {
    *from = added;
    ranges.erase(from + 1, to);
  }
}

void DeleteSet::merge(const DeleteSet& other) {
  for (const ClientRanges& entry : other.clients_) {
    Ranges& ranges = at(entry.client).ranges;
    ranges = merged(ranges, entry.ranges);
  }
}

void DeleteSet::gather(const DeleteSet& other) {
  for (const ClientRanges& entry : other.clients_) {
    Ranges& ranges = at(entry.client).ranges;
    for (const ClockRange& range : entry.ranges) ranges.push_back(range);
  }
}

void DeleteSet::settle() {
  for (ClientRanges& entry : clients_) normalize(entry.ranges);
}

std::span<const ClockRange> DeleteSet::ranges(ClientId client) const {
  const size_t at = find(client);
  if (at == clients_.size()) return {};
  return {clients_[at].ranges.data(), clients_[at].ranges.size()};
}

bool DeleteSet::contains(Id id) const { return covers_range(ranges(id.client), {id.clock, Length{1}}); }

bool DeleteSet::covers(const DeleteSet& other) const {
  for (const ClientRanges& entry : other.clients_) {
    const std::span<const ClockRange> mine = ranges(entry.client);
    for (const ClockRange& range : entry.ranges) {
      if (!covers_range(mine, range)) return false;
    }
  }
  return true;
}

void DeleteSet::encode_v1(Writer& out) const { write_deletes_v1(out, *this); }
void DeleteSet::encode_v2(Writer& out) const { write_deletes_v2(out, *this); }

Bytes DeleteSet::encode_v1() const {
  Writer out;
  encode_v1(out);
  return out.take();
}

namespace {

enum class Encoding : uint8_t { V1, V2 };

Result<void> read_ranges(Reader& in, Encoding encoding, Ranges& ranges) {
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 2) return fail(ErrorCode::Truncated, in.position());
  ranges.reserve(static_cast<size_t>(count));
  uint64_t current = 0;
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(uint64_t start, in.var_uint());
    DX_TRY(uint64_t length, in.var_uint());
    if (encoding == Encoding::V2) {
      start += current;
      length += 1;
      current = start + length;
    }
    if (start > 0xffffffffu || length > 0xffffffffu - start) return fail(ErrorCode::ClockOverflow, in.position());
    if (length == 0) continue;
    ranges.push_back({Clock{static_cast<uint32_t>(start)}, Length{static_cast<uint32_t>(length)}});
  }
  if (ranges.size() > 1) normalize(ranges);
  return {};
}

Result<void> read_clients(Reader& in, Encoding encoding, Clients& clients) {
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 2) return fail(ErrorCode::Truncated, in.position());
  clients.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const uint64_t client, in.var_uint());
    DeleteSet::ClientRanges& entry = clients.emplace_back();
    entry.client = ClientId{client};
    DX_TRY_VOID(read_ranges(in, encoding, entry.ranges));
    if (entry.ranges.empty()) clients.pop_back();
  }
  if (clients.size() < 2) return {};
  // Duplicates of a client are joined; descending is how peers write.
  const auto order = [](const DeleteSet::ClientRanges& a, const DeleteSet::ClientRanges& b) {
    return a.client > b.client;
  };
  sort_compactly(clients, order);
  Clients joined;
  for (DeleteSet::ClientRanges& entry : clients) {
    if (joined.empty() || joined.back().client != entry.client) {
      joined.push_back(std::move(entry));
    } else {
      Ranges& ranges = joined.back().ranges;
      ranges.append(entry.ranges.begin(), entry.ranges.end());
      normalize(ranges);
    }
  }
  clients = std::move(joined);
  return {};
}

}  // namespace

Result<void> DeleteSet::decode_v1(Reader& in, DeleteSet& out) {
  DX_TRY_VOID(read_clients(in, Encoding::V1, out.clients_));
  out.keep_order();
  return {};
}

Result<void> DeleteSet::decode_v2(Reader& in, DeleteSet& out) {
  DX_TRY_VOID(read_clients(in, Encoding::V2, out.clients_));
  out.keep_order();
  return {};
}

Result<DeleteSet> DeleteSet::decode_v1(ByteView bytes) {
  Reader in(bytes);
  DeleteSet result;
  DX_TRY_VOID(decode_v1(in, result));
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return result;
}

bool operator==(const DeleteSet& a, const DeleteSet& b) {
  if (a.clients_.size() != b.clients_.size()) return false;
  return std::all_of(a.clients_.begin(), a.clients_.end(), [&](const DeleteSet::ClientRanges& entry) {
    return std::ranges::equal(entry.ranges, b.ranges(entry.client));
  });
}

}  // namespace diaryx::crdt
