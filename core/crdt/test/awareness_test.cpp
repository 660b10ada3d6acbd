#include "diaryx/crdt/awareness.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"

namespace diaryx::crdt {
namespace {

using Clients = std::vector<ClientId>;

constexpr ClientId kMe{7};
constexpr ClientId kPeer{9};

constexpr TimestampMs at(int64_t milliseconds) { return TimestampMs{1'000'000 + milliseconds}; }
constexpr TimestampMs kStart = at(0);

Any named(const char* name) { return Any::object({{"name", Any::string(name)}}); }

Bytes update(ClientId client, uint64_t clock, Any state) {
  return encode_awareness(std::vector<AwarenessEntry>{{client, clock, std::move(state)}});
}

AwarenessChange hear(Awareness& here, const Bytes& bytes, TimestampMs now = kStart) {
  const auto change = here.apply_update(bytes, now);
  EXPECT_TRUE(change.has_value());
  return change.value_or(AwarenessChange{});
}

TEST(Awareness, BeginsWithAnEmptyStateThatPeersDoNotNotice) {
  const Awareness mine(kMe, kStart);
  EXPECT_EQ(mine.local_state()->to_json(), "{}");
  EXPECT_EQ(mine.clock(kMe), 0u);
  Awareness theirs(kPeer, kStart);
  EXPECT_FALSE(hear(theirs, mine.encode_all()).any());
}

TEST(Awareness, TellsAChangeFromARenewal) {
  Awareness here(kMe, kStart);
  EXPECT_EQ(here.set_local_state(named("ann"), kStart).changed, Clients{kMe});
  const AwarenessChange again = here.set_local_state(named("ann"), kStart);
  EXPECT_EQ(again.updated, Clients{kMe});
  EXPECT_TRUE(again.any());
  EXPECT_FALSE(again.visible());
  EXPECT_EQ(here.clock(kMe), 2u);
}

TEST(Awareness, ComparesStatesAsPeopleSeeThem) {
  Awareness here(kMe, kStart);
  (void)here.set_local_state(*Any::from_json(R"({"a":[1,{"x":null}],"b":0})"), kStart);
  EXPECT_FALSE(here.set_local_state(*Any::from_json(R"({"b":-0,"a":[1,{"x":null}]})"), kStart).visible());
  EXPECT_TRUE(here.set_local_state(*Any::from_json(R"({"b":0,"a":[1,{"y":null}]})"), kStart).visible());
  EXPECT_TRUE(here.set_local_state(*Any::from_json(R"({"b":0,"a":[1]})"), kStart).visible());
}

TEST(Awareness, SetsOneFieldAndKeepsTheOthers) {
  Awareness here(kMe, kStart);
  (void)here.set_local_field("name", Any::string("ann"), kStart);
  (void)here.set_local_field("cursor", Any::number(3), kStart);
  (void)here.set_local_field("cursor", Any::number(4), kStart);
  EXPECT_EQ(here.local_state()->to_json(), R"({"name":"ann","cursor":4})");
  (void)here.set_local_state(Any::null(), kStart);
  EXPECT_FALSE(here.set_local_field("cursor", Any::number(5), kStart).any());
  EXPECT_EQ(here.local_state(), nullptr);
}

TEST(Awareness, LetsTheHigherClockWin) {
  Awareness here(kMe, kStart);
  EXPECT_EQ(hear(here, update(kPeer, 3, named("bob"))).added, Clients{kPeer});
  EXPECT_FALSE(hear(here, update(kPeer, 3, named("eve"))).any());
  EXPECT_FALSE(hear(here, update(kPeer, 2, named("eve"))).any());
  EXPECT_EQ(*here.state(kPeer), named("bob"));
  EXPECT_EQ(hear(here, update(kPeer, 4, named("rob"))).changed, Clients{kPeer});
}

TEST(Awareness, RemovesAtTheSameClockAndRemembersIt) {
  Awareness here(kMe, kStart);
  (void)hear(here, update(kPeer, 3, named("bob")));
  EXPECT_EQ(hear(here, update(kPeer, 3, Any::null())).removed, Clients{kPeer});
  EXPECT_EQ(here.state(kPeer), nullptr);
  EXPECT_FALSE(hear(here, update(kPeer, 3, named("late"))).any());
  // Coming back counts as an update, since the client is still known.
  const AwarenessChange back = hear(here, update(kPeer, 4, named("bob")));
  EXPECT_EQ(back.updated, Clients{kPeer});
  EXPECT_TRUE(back.added.empty());
}

TEST(Awareness, IsNotTakenAwayByOthers) {
  Awareness here(kMe, kStart);
  (void)here.set_local_state(named("ann"), kStart);
  const AwarenessChange change = hear(here, update(kMe, 5, Any::null()));
  EXPECT_EQ(change.removed, Clients{kMe});
  EXPECT_EQ(*here.local_state(), named("ann"));
  EXPECT_EQ(here.clock(kMe), 6u);
  // What a caller sends on such a change contradicts the removal.
  Awareness other(kPeer, kStart);
  (void)hear(other, update(kMe, 5, named("ann")));
  (void)hear(other, update(kMe, 5, Any::null()));
  EXPECT_EQ(other.state(kMe), nullptr);
  (void)hear(other, here.encode(change.clients()));
  EXPECT_EQ(*other.state(kMe), named("ann"));
}

TEST(Awareness, RemovesTheStatesOfAClosedConnection) {
  Awareness here(kMe, kStart);
  (void)hear(here, update(kPeer, 3, named("bob")));
  const AwarenessChange change = here.remove(Clients{kPeer, ClientId{1000}}, at(5));
  EXPECT_EQ(change.removed, Clients{kPeer});
  EXPECT_EQ(here.clock(kPeer), 3u);
  EXPECT_EQ(here.remove(Clients{kMe}, at(5)).removed, Clients{kMe});
  EXPECT_EQ(here.clock(kMe), 1u);
  EXPECT_EQ(to_hex(here.encode(Clients{kPeer, kMe})), "020903046e756c6c0701046e756c6c");
  EXPECT_FALSE(here.next_deadline().has_value());
}

TEST(Awareness, RenewsItsOwnStateAfterFifteenSeconds) {
  Awareness here(kMe, kStart);
  EXPECT_EQ(here.next_deadline(), at(3'000));
  for (int64_t time = 3'000; time < 15'000; time += 3'000) {
    EXPECT_FALSE(here.handle_time(at(time)).any()) << time;
    EXPECT_EQ(here.next_deadline(), at(time + 3'000));
  }
  EXPECT_FALSE(here.handle_time(at(14'999)).any());
  const AwarenessChange renewal = here.handle_time(at(15'000));
  EXPECT_EQ(renewal.updated, Clients{kMe});
  EXPECT_FALSE(renewal.visible());
  EXPECT_EQ(here.clock(kMe), 1u);
  EXPECT_FALSE(here.handle_time(at(27'000)).any());
  EXPECT_TRUE(here.handle_time(at(30'000)).any());
}

TEST(Awareness, TakesSilentPeersForGoneAfterThirtySeconds) {
  Awareness here(kMe, kStart);
  (void)hear(here, update(kPeer, 1, named("bob")), at(2'000));
  (void)hear(here, update(ClientId{11}, 1, named("eve")), at(2'000));
  (void)hear(here, update(ClientId{11}, 2, named("eve")), at(20'000));
  (void)here.handle_time(at(30'000));  // renews its own
  EXPECT_NE(here.state(kPeer), nullptr);
  const AwarenessChange change = here.handle_time(at(33'000));
  EXPECT_EQ(change.removed, Clients{kPeer});
  EXPECT_TRUE(change.updated.empty());
  EXPECT_EQ(here.clock(kPeer), 1u);
  EXPECT_EQ(here.clients(), (Clients{kMe, ClientId{11}}));
}

TEST(Awareness, NamesClientsInTheOrderInWhichTheyCame) {
  const ClientId first{30}, second{20}, third{10};
  Awareness here(kMe, kStart);
  for (const ClientId client : {first, second, third}) (void)hear(here, update(client, 1, named("one")));
  EXPECT_EQ(here.clients(), (Clients{kMe, first, second, third}));
  // Who comes back has a state for less long than the others, and was heard of as long ago as before.
  (void)hear(here, update(first, 2, Any::null()));
  (void)hear(here, update(first, 3, named("one again")));
  EXPECT_EQ(here.clients(), (Clients{kMe, second, third, first}));
  EXPECT_EQ(here.handle_time(at(30'000)).removed, (Clients{first, second, third}));
}

TEST(Awareness, KeepsItsRhythmWhenItIsWokenLate) {
  Awareness here(kMe, kStart);
  (void)here.handle_time(at(10'500));
  EXPECT_EQ(here.next_deadline(), at(12'000));
}

TEST(Awareness, RefusesAnUpdateAsAWhole) {
  Awareness here(kMe, kStart);
  Bytes bytes = encode_awareness(std::vector<AwarenessEntry>{{kPeer, 1, named("bob")}, {ClientId{10}, 1, named("x")}});
  bytes.back() = 'x';
  EXPECT_EQ(here.apply_update(bytes, kStart).error().code, ErrorCode::InvalidJson);
  EXPECT_FALSE(here.clock(kPeer).has_value());
}

TEST(Awareness, WritesNoClockThatPeersRefuse) {
  Awareness here(kMe, kStart);
  EXPECT_EQ(here.apply_update(update(kMe, kMaxVarUint, Any::null()), kStart).error().code, ErrorCode::ClockOverflow);
  (void)hear(here, update(kMe, uint64_t{1} << 52, Any::null()));
  (void)here.set_local_state(named("ann"), kStart);
  EXPECT_TRUE(decode_awareness(here.encode_all()).has_value());
  (void)here.set_local_state(named("bob"), kStart);
  EXPECT_TRUE(decode_awareness(here.encode_all()).has_value());
}

TEST(Awareness, ForgetsThoseWhoLeftWhenManyCome) {
  Awareness here(kMe, kStart, {.max_clients = 3});
  (void)hear(here, update(ClientId{1}, 1, named("a")));
  (void)hear(here, update(ClientId{2}, 1, named("b")));
  EXPECT_EQ(here.apply_update(update(ClientId{3}, 1, named("c")), kStart).error().code, ErrorCode::TooLarge);
  (void)hear(here, update(ClientId{1}, 2, Any::null()));
  EXPECT_FALSE(here.apply_update(update(ClientId{3}, 1, named("c")), at(29'999)).has_value());
  EXPECT_EQ(hear(here, update(ClientId{3}, 1, named("c")), at(30'000)).added, Clients{ClientId{3}});
  EXPECT_FALSE(here.clock(ClientId{1}).has_value());
}

}  // namespace
}  // namespace diaryx::crdt
