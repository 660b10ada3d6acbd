#include "diaryx/crdt/state_vector.h"
#include "diaryx/base/sort.h"

#include <algorithm>

namespace diaryx::crdt {
namespace {

template <typename Entries>
auto position_of(Entries& entries, ClientId client) {
  return std::lower_bound(entries.begin(), entries.end(), client,
                          [](const StateVector::Entry& entry, ClientId wanted) { return entry.client < wanted; });
}

}  // namespace

Clock StateVector::get(ClientId client) const {
  const auto at = position_of(entries_, client);
  return at != entries_.end() && at->client == client ? at->clock : Clock{0};
}

void StateVector::set(ClientId client, Clock clock) {
  if (clock != Clock{0} && (entries_.empty() || entries_.back().client < client)) {
    entries_.push_back({client, clock});
    return;
  }
  const auto at = position_of(entries_, client);
  const bool known = at != entries_.end() && at->client == client;
  if (clock == Clock{0}) {
    if (known) entries_.erase(at);
  } else if (known) {
    at->clock = clock;
  } else {
    entries_.insert(at, {client, clock});
  }
}

void StateVector::raise(ClientId client, Clock clock) {
  if (clock > get(client)) set(client, clock);
}

bool StateVector::covers(const StateVector& other) const {
  auto mine = entries_.begin();
  for (const Entry& theirs : other.entries_) {
    while (mine != entries_.end() && mine->client < theirs.client) ++mine;
    if (mine == entries_.end() || mine->client != theirs.client || mine->clock < theirs.clock) return false;
  }
  return true;
}

void StateVector::encode(Writer& out) const {
  out.var_uint(entries_.size());
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    out.var_uint(entry->client.value());
    out.var_uint(entry->clock.value());
  }
}

Bytes StateVector::encode() const {
  Writer out;
  encode(out);
  return out.take();
}

Result<StateVector> StateVector::decode(Reader& in) {
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 2) return fail(ErrorCode::Truncated, in.position());
  std::vector<Entry> read;
  read.reserve(static_cast<size_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
    DX_TRY(const uint64_t client, in.var_uint());
    DX_TRY(const uint64_t clock, in.var_uint());
    if (clock > 0xffffffffu) return fail(ErrorCode::ClockOverflow, in.position());
    read.push_back({ClientId{client}, Clock{static_cast<uint32_t>(clock)}});
  }
  // Peers write clients in descending order, some in none. Of duplicates the last one counts, hence the stable order.
  std::reverse(read.begin(), read.end());
  const auto ascending = [](const Entry& a, const Entry& b) { return a.client < b.client; };
  if (!std::is_sorted(read.begin(), read.end(), ascending)) {
    std::vector<uint32_t> order(read.size());
    for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    sort_compactly(order, [&](uint32_t a, uint32_t b) {
      return read[a].client != read[b].client ? read[a].client < read[b].client : a < b;
    });
    std::vector<Entry> sorted;
    sorted.reserve(read.size());
    for (const uint32_t at : order) sorted.push_back(read[at]);
    read = std::move(sorted);
  }
  StateVector result;
  for (const Entry& entry : read) {
    if (!result.entries_.empty() && result.entries_.back().client == entry.client) continue;  // an earlier duplicate
    result.entries_.push_back(entry);
  }
  std::erase_if(result.entries_, [](const Entry& entry) { return entry.clock == Clock{0}; });
  return result;
}

Result<StateVector> StateVector::decode(ByteView bytes) {
  Reader in(bytes);
  DX_TRY(StateVector result, decode(in));
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return result;
}

}  // namespace diaryx::crdt
