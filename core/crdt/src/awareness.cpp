#include "diaryx/crdt/awareness.h"

#include <algorithm>
#include <set>
#include <utility>

#include "any_codec.h"

namespace diaryx::crdt {
namespace {

/// `===` on primitives and member by member on objects, whose order does not count. Cost: n log n.
bool looks_equal(const Any& a, const Any& b) {
  if (a.kind() != b.kind()) return false;
  if (const double* number = a.as_number()) return *number == *b.as_number();
  if (const Any::Array* left = a.as_array()) {
    const Any::Array& right = *b.as_array();
    return std::equal(left->begin(), left->end(), right.begin(), right.end(), looks_equal);
  }
  if (const Any::Object* left = a.as_object()) {
    const auto sorted = [](const Any::Object& object) {
      std::vector<const Any::Member*> members;
      for (const Any::Member& member : object) members.push_back(&member);
      std::sort(members.begin(), members.end(), [](auto* x, auto* y) { return x->key < y->key; });
      return members;
    };
    const auto one = sorted(*left);
    const auto other = sorted(*b.as_object());
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](auto* x, auto* y) { return x->key == y->key && looks_equal(x->value, y->value); });
  }
  return a == b;
}

using Turn = std::pair<uint64_t, ClientId>;

std::vector<ClientId> in_turn(std::vector<Turn> turns) {
  std::sort(turns.begin(), turns.end());
  std::vector<ClientId> clients;
  for (const Turn& turn : turns) clients.push_back(turn.second);
  return clients;
}

}  // namespace

Result<std::vector<AwarenessEntry>> decode_awareness(ByteView update, const AwarenessLimits& limits) {
  if (update.size() > limits.max_update_bytes) return fail(ErrorCode::TooLarge);
  Reader in(update);
  DX_TRY(const uint64_t count, in.var_uint());
  if (count > in.remaining() / 4)
    return fail(ErrorCode::Truncated, in.position());  // the shortest entry has four bytes
  std::vector<AwarenessEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    AwarenessEntry& entry = entries.emplace_back();
    DX_TRY(const uint64_t client, in.var_uint());
    entry.client = ClientId{client};
    DX_TRY(entry.clock, in.var_uint());
    if (entry.clock > limits.max_clock) return fail(ErrorCode::ClockOverflow, in.position());
    DX_TRY(const std::string_view json, in.var_string());
    auto state = Any::from_json(json, limits.max_depth);
    if (!state) return fail(state.error().code, in.position());
    entry.state = std::move(*state);
  }
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return entries;
}

Bytes encode_awareness(std::span<const AwarenessEntry> entries) {
  Writer out;
  out.var_uint(entries.size());
  for (const AwarenessEntry& entry : entries) {
    out.var_uint(entry.client.value());
    out.var_uint(entry.clock);
    out.var_string(entry.state.to_json());
  }
  return out.take();
}

std::vector<ClientId> AwarenessChange::clients() const {
  std::vector<ClientId> all = added;
  all.insert(all.end(), updated.begin(), updated.end());
  all.insert(all.end(), removed.begin(), removed.end());
  // One update may name a client twice; its peers need it once.
  std::set<ClientId> seen;
  std::erase_if(all, [&](ClientId client) { return !seen.insert(client).second; });
  return all;
}

Awareness::Awareness(ClientId client, TimestampMs now, const AwarenessLimits& limits)
    : client_(ClientId{client.value() & kMaxVarUint}), limits_(limits), next_check_(now + kCheckInterval) {
  (void)set_local_state(Any::object({}), now);
}

const Any* Awareness::state(ClientId client) const {
  const auto at = known_.find(client);
  return at != known_.end() && at->second.is_here() ? &at->second.state : nullptr;
}

std::optional<uint64_t> Awareness::clock(ClientId client) const {
  const auto at = known_.find(client);
  return at == known_.end() ? std::nullopt : std::optional<uint64_t>(at->second.clock);
}

std::vector<ClientId> Awareness::clients() const {
  std::vector<Turn> here;
  for (const auto& [client, known] : known_) {
    if (known.is_here()) here.push_back({known.came_as, client});
  }
  return in_turn(std::move(here));
}

void Awareness::put_state(Known& known, Any state) {
  if (!known.is_here() && !state.is_undefined()) known.came_as = turns_++;
  known.state = std::move(state);
}

AwarenessChange Awareness::set_local_state(Any state, TimestampMs now) {
  size_t bytes = 0;
  DX_ASSERT(check_value(state, limits_.max_depth, bytes).has_value());
  const auto [at, is_new] = known_.try_emplace(client_);
  Known& known = at->second;
  if (is_new) known.heard_as = turns_++;
  AwarenessChange change;
  if (state.is_null() || state.is_undefined()) {
    change.removed.push_back(client_);
    state = Any::undefined();
  } else if (!known.is_here()) {
    change.added.push_back(client_);
  } else {
    change.updated.push_back(client_);
    if (!looks_equal(known.state, state)) change.changed.push_back(client_);
  }
  put_state(known, std::move(state));
  known.clock = is_new ? 0 : next(known.clock);
  known.updated = now;
  return change;
}

AwarenessChange Awareness::set_local_field(std::string_view field, Any value, TimestampMs now) {
  const Any* current = local_state();
  if (current == nullptr) return {};
  Any::Object members = current->as_object() != nullptr ? *current->as_object() : Any::Object{};
  const auto at = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.key == field; });
  if (at != members.end()) {
    at->value = std::move(value);
  } else {
    members.push_back({std::string(field), std::move(value)});
  }
  return set_local_state(Any::object(std::move(members)), now);
}

/// Clients that left are remembered, so that a late message does not bring them back, but not at any price.
bool Awareness::make_room_for(std::span<const AwarenessEntry> entries, TimestampMs now) {
  std::set<ClientId> more;
  for (const AwarenessEntry& entry : entries) {
    if (!known_.contains(entry.client)) more.insert(entry.client);
  }
  if (known_.size() + more.size() <= limits_.max_clients) return true;
  std::erase_if(known_, [&](const auto& one) {
    const Known& known = one.second;
    return one.first != client_ && !known.is_here() && now - known.updated >= kOutdatedAfter;
  });
  return known_.size() + more.size() <= limits_.max_clients;
}

Result<AwarenessChange> Awareness::apply_update(ByteView update, TimestampMs now) {
  DX_TRY(std::vector<AwarenessEntry> entries, decode_awareness(update, limits_));
  if (!make_room_for(entries, now)) return fail(ErrorCode::TooLarge);
  AwarenessChange change;
  for (AwarenessEntry& entry : entries) apply_entry(std::move(entry), now, change);
  return change;
}

void Awareness::apply_entry(AwarenessEntry entry, TimestampMs now, AwarenessChange& change) {
  const bool leaves = entry.state.is_null();
  const auto at = known_.find(entry.client);
  const bool is_known = at != known_.end();
  const bool is_here = is_known && at->second.is_here();
  // A client that was never heard of counts as clock 0, so its very first state `{}` is not taken over.
  const uint64_t clock = is_known ? at->second.clock : 0;
  if (!(clock < entry.clock || (clock == entry.clock && leaves && is_here))) return;

  Known& known = is_known ? at->second : known_[entry.client];
  if (!is_known) known.heard_as = turns_++;
  known.clock = entry.clock;
  known.updated = now;
  if (leaves) {
    if (entry.client == client_ && is_here) {
      known.clock = next(known.clock);  // nobody else takes this client away
    } else {
      known.state = Any::undefined();
    }
    if (is_known) change.removed.push_back(entry.client);
    return;
  }
  if (!is_known) {
    change.added.push_back(entry.client);
  } else {
    change.updated.push_back(entry.client);
    if (!is_here || !looks_equal(known.state, entry.state)) change.changed.push_back(entry.client);
  }
  put_state(known, std::move(entry.state));
}

AwarenessChange Awareness::remove(std::span<const ClientId> clients, TimestampMs now) {
  AwarenessChange change;
  for (const ClientId client : clients) {
    const auto at = known_.find(client);
    if (at == known_.end() || !at->second.is_here()) continue;
    at->second.state = Any::undefined();
    if (client == client_) {
      at->second.clock = next(at->second.clock);
      at->second.updated = now;
    }
    change.removed.push_back(client);
  }
  return change;
}

std::optional<TimestampMs> Awareness::next_deadline() const {
  for (const auto& [client, known] : known_) {
    if (known.is_here()) return next_check_;
  }
  return std::nullopt;
}

AwarenessChange Awareness::handle_time(TimestampMs now) {
  if (now < next_check_) return {};
  const int64_t late = (now - next_check_).value();
  next_check_ = now + DurationMs{kCheckInterval.value() - late % kCheckInterval.value()};
  AwarenessChange change;
  if (const auto own = known_.find(client_); own->second.is_here() && now - own->second.updated >= kRenewAfter) {
    change = set_local_state(own->second.state, now);
  }
  std::vector<Turn> silent;
  for (const auto& [client, known] : known_) {
    if (client != client_ && known.is_here() && now - known.updated >= kOutdatedAfter)
      silent.push_back({known.heard_as, client});
  }
  change.removed = remove(in_turn(std::move(silent)), now).removed;
  return change;
}

Bytes Awareness::encode(std::span<const ClientId> clients) const {
  std::vector<AwarenessEntry> entries;
  for (const ClientId client : clients) {
    const auto at = known_.find(client);
    if (at == known_.end()) continue;
    const Known& known = at->second;
    entries.push_back({client, known.clock, known.is_here() ? known.state : Any::null()});
  }
  return encode_awareness(entries);
}

}  // namespace diaryx::crdt
