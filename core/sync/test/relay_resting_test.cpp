// Documents that nobody edits are kept as their bytes: less memory, and nobody can tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::string kAsk = kB + "00 00 01 00";

std::string update_frame(const std::string& document, ByteView update, uint8_t kind = 2) {
  Writer out;
  out.u8(static_cast<uint8_t>(document.size()));
  out.raw(as_bytes(document));
  out.var_uint(0);
  out.var_uint(kind);
  out.var_bytes(update);
  return to_hex(out.take());
}

struct RelayResting : testing::Test {
  RelayResting() {
    bench.open(1);
    bench.frame(1, kAsk);
  }
  size_t awake() const { return bench.relay.statistics().awake; }
  void type(const std::string& hex) { bench.frame(1, kB + hex); }

  RelayBench bench;
};

TEST_F(RelayResting, ADocumentThatIsOnlyReadIsNeverAwake) {
  EXPECT_EQ(awake(), 0u);
  bench.open(2);
  bench.frame(2, kAsk);
  EXPECT_EQ(awake(), 0u);
}

TEST_F(RelayResting, ASingleEditLeavesItAtRest) {
  type("00 02 12 " + kHello);
  EXPECT_EQ(awake(), 0u);
  bench.frame(1, kAsk);
  EXPECT_THAT(bench.take(1), Contains(hex(kB + "00 01 12 " + kHello)));
  EXPECT_EQ(awake(), 0u);
}

TEST_F(RelayResting, WhoTypesOnKeepsItAwakeUntilAWhileAfterTheLastLetter) {
  type("00 02 12 " + kHello);
  bench.pass_time(200);
  type("00 02 0f " + kHelp);
  EXPECT_EQ(awake(), 1u);
  bench.pass_time(900);
  type("00 02 12 " + kHello);  // known, and work all the same
  bench.pass_time(500);
  EXPECT_EQ(awake(), 1u);
  ASSERT_TRUE(bench.relay.next_deadline());
  bench.now = *bench.relay.next_deadline();
  bench.handle(DeadlineReached{});
  EXPECT_EQ(awake(), 0u);
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Help!");
}

TEST_F(RelayResting, WhatWaitsForItsBaseKeepsItAwake) {
  type("00 02 0f " + kHelp);  // its base is missing
  EXPECT_EQ(awake(), 1u);
  bench.pass_time(9'999);
  EXPECT_EQ(awake(), 1u);
  type("00 02 12 " + kHello);
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Help!");
}

struct RelayRestingLarge : testing::Test {
  RelayRestingLarge() {
    bench.open(1);
    bench.frame(1, kAsk);
    EXPECT_EQ(awake(), 0u);
    type(std::string(200, 'x'));
  }
  size_t awake() const { return bench.relay.statistics().awake; }
  void type(const std::string& text) {
    crdt::Text body = doc.text("body");
    crdt::Transaction txn = doc.transact();
    ASSERT_TRUE(body.insert(txn, Utf16Offset{0}, text));
    bench.frame(1, update_frame(kBodyName, std::move(txn).commit().update_v1()));
  }
  std::string whole() { return update_frame(kBodyName, doc.encode_update_v1(), 1); }
  void somebody_comes(uint64_t number) {
    bench.open(number);
    bench.frame(number, kAsk);
    EXPECT_THAT(bench.take(number), Contains(whole()));
  }

  RelayBench bench{Limits{.max_resting_bytes = 100}};
  crdt::Doc doc{{.client = ClientId{5}}};
};

TEST_F(RelayRestingLarge, IsNotMadeBytesOf) {
  bench.pass_time(9'999);
  EXPECT_EQ(awake(), 1u);
}

TEST_F(RelayRestingLarge, RestsAsWhatSomebodyWasToldAnyway) {
  const uint64_t released = bench.relay.released_bytes();
  somebody_comes(2);
  EXPECT_EQ(awake(), 0u);
  EXPECT_GT(bench.relay.released_bytes(), released + 200);
  somebody_comes(3);
  EXPECT_EQ(to_hex(bench.relay.state(DocId(kBodyName)).value()), to_hex(doc.encode_update_v1()));
  bench.frame(2, update_frame(kBodyName, doc.state_vector().encode(), 0));
  EXPECT_THAT(bench.take(2), Contains(hex(kB + "00 01 02 00 00")));
  EXPECT_EQ(awake(), 0u);
  type("y");
  EXPECT_EQ(awake(), 1u);
  bench.take(2);
  somebody_comes(4);
}

TEST_F(RelayRestingLarge, IsNotWokenAgainAndAgain) {
  somebody_comes(2);
  type("y");
  somebody_comes(3);
  type("z");
  EXPECT_EQ(awake(), 1u) << "it was woken a moment ago";
  somebody_comes(4);
  EXPECT_EQ(awake(), 1u);
  bench.pass_time(20);
  somebody_comes(5);
  EXPECT_EQ(awake(), 0u);
}

TEST_F(RelayResting, EditsOfTheServerGoOnAsTheSameWriter) {
  ServerEdit edit{.document = DocId(kBodyName),
                  .seed = {},
                  .texts = {{"body", "one"}},
                  .entries = {},
                  .user_id = {},
                  .device_id = {}};
  bench.edit(edit);
  bench.pass_time(9'999);
  EXPECT_EQ(awake(), 0u);
  edit.texts = {{"body", "one two"}};
  bench.edit(edit);
  crdt::Doc stored({.client = ClientId{9}});
  for (const Bytes& update : bench.log[kBodyName]) ASSERT_TRUE(stored.apply_update_v1(update));
  EXPECT_EQ(stored.text("body").to_string(), "one two");
  EXPECT_EQ(stored.state_vector().size(), 1u);
}

TEST_F(RelayResting, TellsItsStateWithoutWaking) {
  type("00 02 12 " + kHello);
  EXPECT_EQ(to_hex(bench.relay.state(DocId(kBodyName)).value()), hex(kHello));
  EXPECT_EQ(awake(), 0u);
  EXPECT_EQ(bench.relay.state(DocId("body:ws1/none.md")), std::nullopt);
}

// --- nobody can tell -----------------------------------------------------------------------------------------------------

constexpr uint64_t kClients = 3;

/// Somebody with a document of their own, who sends what they typed late, twice or in another order.
struct Typist {
  explicit Typist(uint64_t id) : doc({.client = ClientId{100 + id}}) { doc.text("body"); }
  crdt::Doc doc;
  std::vector<Bytes> unsent;
};

/// One relay that rests and one that never does, told the same.
struct Both {
  explicit Both(Limits limits) : resting(limits) {}
  RelayBench resting;
  RelayBench never{Limits{.idle_before_unload = DurationMs{1'000'000'000}, .max_resting_bytes = 0}};
  void each(const auto& tell) {
    tell(resting);
    tell(never);
  }
};

void type(Typist& typist, std::mt19937_64& random) {
  crdt::Text body = typist.doc.text("body");
  const uint32_t length = body.length().value();
  const uint32_t place = static_cast<uint32_t>(random() % (length + 1));
  crdt::Transaction txn = typist.doc.transact();
  if (random() % 3 == 0 && place < length) {
    ASSERT_TRUE(body.erase(txn, Utf16Offset{place}, Length{1 + static_cast<uint32_t>(random() % (length - place))}));
  } else {
    ASSERT_TRUE(
        body.insert(txn, Utf16Offset{place}, std::string(1 + random() % 9, static_cast<char>('a' + random() % 26))));
  }
  typist.unsent.push_back(std::move(txn).commit().update_v1());
}

struct Unseen {
  uint64_t seed;
  Limits limits;
  bool puts_away;
};

void tells_the_same(const Unseen& how) {
  std::mt19937_64 random(how.seed);
  Both both(how.limits);
  std::vector<Typist> typists;
  for (uint64_t id = 0; id <= kClients; ++id) typists.emplace_back(id);
  const auto open = [&](uint64_t id) {
    both.each([&](RelayBench& bench) {
      bench.open(id);
      bench.frame(id, kAsk);
    });
  };
  for (uint64_t id = 1; id <= kClients; ++id) open(id);
  size_t most_awake = 0;
  size_t seen_resting = 0;
  size_t seen_away = 0;
  for (int step = 0; step < 300; ++step) {
    const uint64_t id = 1 + random() % kClients;
    Typist& typist = typists[id];
    switch (random() % 10) {
      case 0:
      case 1:
      case 2: type(typist, random); break;
      case 3:
      case 4:
      case 5: {
        if (typist.unsent.empty()) break;
        const size_t which = random() % 4 == 0 ? random() % typist.unsent.size() : 0;
        const std::string frame = update_frame(kBodyName, typist.unsent[which]);
        if (random() % 5 != 0) typist.unsent.erase(typist.unsent.begin() + static_cast<ptrdiff_t>(which));
        both.each([&](RelayBench& bench) { bench.frame(id, frame); });
        break;
      }
      case 6: {  // what somebody lacks, and then has
        const std::string question = update_frame(kBodyName, typist.doc.state_vector().encode(), 0);
        both.each([&](RelayBench& bench) { bench.frame(id, question); });
        ASSERT_TRUE(typist.doc.apply_update_v1(both.never.relay.state(DocId(kBodyName)).value()));
        break;
      }
      case 7: {
        const int64_t ms = static_cast<int64_t>(random() % 3'000);
        both.each([&](RelayBench& bench) { bench.pass_time(ms); });
        break;
      }
      case 8: {
        if (how.puts_away) break;  // the server edits as another writer after loading
        const std::string text = "server " + std::to_string(random() % 100);
        both.each([&](RelayBench& bench) {
          bench.edit({.document = DocId(kBodyName),
                      .seed = {},
                      .texts = {{"body", text}},
                      .entries = {},
                      .user_id = {},
                      .device_id = {}});
        });
        break;
      }
      case 9:
        if (random() % 4 != 0) break;
        both.each([&](RelayBench& bench) { bench.close(id); });
        open(id);
        break;
    }
    ASSERT_EQ(both.resting.sent, both.never.sent) << "step " << step;
    ASSERT_EQ(both.resting.log, both.never.log);
    const RelayStatistics now = both.resting.relay.statistics();
    if (now.away == 0) {
      ASSERT_EQ(both.resting.relay.state(DocId(kBodyName)), both.never.relay.state(DocId(kBodyName)));
    }
    most_awake = std::max(most_awake, now.awake);
    seen_resting += now.awake == 0;
    seen_away += now.away;
  }
  EXPECT_EQ(most_awake, 1u);
  EXPECT_GT(seen_resting, 0u);
  EXPECT_EQ(seen_away > 0, how.puts_away);
}

class RelayRestingUnseen : public testing::TestWithParam<uint64_t> {};

TEST_P(RelayRestingUnseen, TellsEverybodyTheSameBytes) {
  tells_the_same({GetParam(), Limits{.idle_before_unload = DurationMs{1'000'000'000}}, false});
}

TEST_P(RelayRestingUnseen, TellsTheSameAfterItWasPutAway) {
  tells_the_same({GetParam(), Limits{.idle_before_unload = DurationMs{1'000}}, true});
}

INSTANTIATE_TEST_SUITE_P(Seeds, RelayRestingUnseen, testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace diaryx::sync::relay
