// Awareness: who is here and what they are doing (name, cursor, colour). Not part of the document, and not kept.
//
//     Awareness here{ClientId{7}, now};
//     here.set_local_field("user", name, now);
//     send(here.encode_all());
//     ...
//     DX_TRY(const AwarenessChange change, here.apply_update(bytes, now));
//     if (change.visible()) redraw(change);
//     wake_me_at(here.next_deadline());     // and then: here.handle_time(now)
//
// Each client owns one state, any JSON value, with a clock that grows with each change; the higher clock wins. A state that
// is not renewed for 30 s goes away, so a client renews its own after 15 s. Pure: the time is passed in, nothing is called
// back; what Yjs emits as the events `change` and `update` is returned.
//
// Source: y-protocols 1.0.7 awareness.js; docs/protocol.md.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/any.h"

namespace diaryx::crdt {

/// Bounds on what strangers can make an Awareness hold.
struct AwarenessLimits {
  size_t max_update_bytes = size_t{1} << 20;  ///< of one update
  size_t max_clients = 10'000;  ///< known at once, those that left included until they are forgotten
  uint32_t max_depth = DecodeLimits{}.max_depth;  ///< nesting of one state
  /// Clocks beyond it are refused. If a stranger raises a client's clock to it, no peer accepts news of that client any more, but all can
  /// still read what it sends.
  uint64_t max_clock = uint64_t{1} << 52;
};

/// One client in an awareness update.
struct AwarenessEntry {
  ClientId client;
  uint64_t clock = 0;
  Any state;  ///< null: the client left
};

/// The entries of an update, in its order. Not trusted.
/// Errors: Truncated, VarUintTooLong, InvalidUtf8, InvalidJson, TooDeep, ClockOverflow, TooLarge, TrailingBytes.
/// Memory: at most 128 bytes per byte of input.
Result<std::vector<AwarenessEntry>> decode_awareness(ByteView update, const AwarenessLimits& limits = {});
/// The bytes of y-protocols. With `decode_awareness` it does what Yjs calls modifyAwarenessUpdate.
Bytes encode_awareness(std::span<const AwarenessEntry> entries);

/// What one call did, each list in the order in which it happened.
struct AwarenessChange {
  std::vector<ClientId> added;
  std::vector<ClientId> updated;  ///< a newer state, equal or not
  std::vector<ClientId> changed;  ///< those of `updated` whose state differs from the one before
  std::vector<ClientId> removed;

  /// Yjs emits `update`: these clients are news to peers.
  bool any() const { return !added.empty() || !updated.empty() || !removed.empty(); }
  /// Yjs emits `change`: somebody who looks would see it.
  bool visible() const { return !added.empty() || !changed.empty() || !removed.empty(); }
  /// Added, updated and removed together: what to `encode` for peers.
  std::vector<ClientId> clients() const;
};

class Awareness {
 public:
  /// How often Yjs looks at the clock, when it renews its own state, and when it takes a silent client for gone.
  static constexpr DurationMs kCheckInterval{3'000};
  static constexpr DurationMs kRenewAfter{15'000};
  static constexpr DurationMs kOutdatedAfter{30'000};

  /// The local state is `{}` with clock 0, as in Yjs; peers take no notice of it before the first change.
  ///
  /// client   of more than 53 bits the low ones count.
  Awareness(ClientId client, TimestampMs now, const AwarenessLimits& limits = {});

  ClientId client() const { return client_; }

  /// The state of this client, or of another one; null if it has none. Valid until the next call that changes anything.
  const Any* local_state() const { return state(client_); }
  const Any* state(ClientId client) const;
  /// The clock of a client that was ever heard of, also if it left.
  std::optional<uint64_t> clock(ClientId client) const;
  /// Clients that have a state, in the order in which they came to have it, as the keys of Yjs's `getStates()`.
  /// Cost: n log n.
  std::vector<ClientId> clients() const;

  /// Sets the state of this client; null takes it away, which is how a client says that it leaves. What peers would refuse ends the
  /// process: the state is UTF-8 throughout and nests at most `max_depth` deep.
  AwarenessChange set_local_state(Any state, TimestampMs now);
  /// Sets one member of the local state. Does nothing if there is no state; a state that is no object becomes one with
  /// this member alone (Yjs spreads arrays and strings into it).
  AwarenessChange set_local_field(std::string_view field, Any value, TimestampMs now);

  /// Takes over what is newer than what is known. A peer cannot take away the local state: its clock goes up instead, and
  /// the change names it as removed, as in Yjs, so that a caller who sends `change.clients()` contradicts at once.
  ///
  /// update   not trusted.
  /// Errors   as decode_awareness, and TooLarge beyond `max_clients`. A refused update changes nothing.
  /// Cost     n log n in the clients and members of the update.
  Result<AwarenessChange> apply_update(ByteView update, TimestampMs now);

  /// Takes away the states of clients whose connection ended; the clock goes up only for this client itself.
  AwarenessChange remove(std::span<const ClientId> clients, TimestampMs now);

  /// When to call `handle_time` next; nothing while there is no state that could age.
  std::optional<TimestampMs> next_deadline() const;
  /// Renews the local state after 15 s (`updated`) and takes away states of others after 30 s (`removed`). Looks every 3 s;
  /// a call in between does nothing.
  AwarenessChange handle_time(TimestampMs now);

  /// An update with these clients; those without a state as null, those never heard of are left out.
  Bytes encode(std::span<const ClientId> clients) const;
  /// An update with every client that has a state.
  Bytes encode_all() const { return encode(clients()); }

 private:
  struct Known {
    Any state;  // undefined: none
    uint64_t clock = 0;
    TimestampMs updated{0};
    uint64_t heard_as = 0;  // its turn among all that were ever heard of
    uint64_t came_as = 0;  // its turn among those with a state; counts while there is one
    bool is_here() const { return !state.is_undefined(); }
  };

  void put_state(Known& known, Any state);
  void apply_entry(AwarenessEntry entry, TimestampMs now, AwarenessChange& change);
  bool make_room_for(std::span<const AwarenessEntry> entries, TimestampMs now);
  uint64_t next(uint64_t clock) const { return clock < limits_.max_clock ? clock + 1 : clock; }

  ClientId client_;
  AwarenessLimits limits_;
  std::map<ClientId, Known> known_;
  uint64_t turns_ = 0;  // given to clients so far: Yjs keeps them in the order of its maps, which reaches the wire
  TimestampMs next_check_;
};

}  // namespace diaryx::crdt
