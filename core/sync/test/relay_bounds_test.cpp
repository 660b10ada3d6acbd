// What a connection may keep the server busy with, and how much stays in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Relay, PausesAConnectionWhoseUpdatesAreNotStoredYet) {
  RelayBench bench({.max_held_bytes = 30, .held_overhead_bytes = 0});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.paused, IsEmpty());
  bench.frame(1, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.paused, ElementsAre(1));
  bench.commit_one();
  EXPECT_THAT(bench.resumed, IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.resumed, ElementsAre(1));
}

TEST(Relay, PausesAConnectionThatSendsManySmallThings) {
  RelayBench bench({.max_held_bytes = 10'000});
  bench.open(1);
  bench.answer_loads = false;
  for (int i = 0; i < 19; ++i) bench.frame(1, kB);  // empty payloads, for a document that is being loaded
  EXPECT_THAT(bench.paused, IsEmpty());
  bench.frame(1, kB);
  EXPECT_THAT(bench.paused, ElementsAre(1));
  bench.load_one();
  EXPECT_THAT(bench.resumed, ElementsAre(1));

  bench.commit_at_once = false;
  for (int clock = 0; clock < 19; ++clock) {
    const Bytes letter{1, 1, 1, static_cast<uint8_t>(clock), 4, 1, 4, 'b', 'o', 'd', 'y', 1, 'a', 0};
    bench.frame(1, kB + "00 02 0e " + to_hex(letter));
  }
  EXPECT_THAT(bench.paused, ElementsAre(1, 1));
  bench.commit_all();
  EXPECT_THAT(bench.resumed, ElementsAre(1, 1));
}

TEST(Relay, RefusesMoreDocumentsThanAConnectionMayHave) {
  RelayBench bench({.max_documents = 1});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(error("too_large")));
}

TEST(Relay, ClosesAConnectionThatSendsTooMuchAtOnce) {
  RelayBench bench({.max_frame_bytes = 100, .max_text_bytes = 50});
  bench.open(1);
  bench.frame(1, std::string(202, '0'));
  EXPECT_THAT(bench.take(1), ElementsAre(error("too_large")));
  EXPECT_EQ(bench.closed.at(1), CloseCode::MessageTooBig);
  bench.open(2);
  bench.text(2, std::string(51, ' '));
  EXPECT_EQ(bench.closed.at(2), CloseCode::MessageTooBig);
}

// As an import leaves them: edited once by the server, and nobody has them open.
struct RelayLeftDocuments : testing::Test {
  void edit(int number, size_t size_bytes = 400) {
    ServerEdit edit{.document = name(number),
                    .seed = {},
                    .texts = {{"body", std::string(size_bytes, 'x')}},
                    .entries = {},
                    .user_id = {},
                    .device_id = {}};
    bench.edit(std::move(edit));
  }
  static DocId name(int number) { return DocId("body:ws1/" + std::to_string(number) + ".md"); }
  bool is_loaded(int number) { return bench.relay.state(name(number)).has_value(); }

  RelayBench bench{Limits{.max_idle_bytes = 1000}};
};

TEST_F(RelayLeftDocuments, OfWhichThereAreTooManyGoInTheOrderInWhichTheyWereLeft) {
  for (int number = 0; number < 4; ++number) {
    bench.now = bench.now + DurationMs{10};
    edit(number);
  }
  EXPECT_EQ(bench.relay.statistics().documents, 4u) << "somebody may look at them right after";
  bench.now = bench.now + DurationMs{1000};
  edit(4);
  EXPECT_FALSE(is_loaded(0) || is_loaded(1) || is_loaded(2));
  EXPECT_TRUE(is_loaded(3) && is_loaded(4));
  for (int number = 5; number < 40; ++number) {
    bench.now = bench.now + DurationMs{1000};
    edit(number);
    ASSERT_LE(bench.relay.statistics().documents, 2u);
  }
  for (int number = 0; number < 40; ++number) EXPECT_EQ(bench.log[name(number).str()].size(), 1u);
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().documents, 0u);
}

TEST_F(RelayLeftDocuments, StayUntilTheyAreStored) {
  bench.commit_at_once = false;
  edit(0, 5000);
  bench.now = bench.now + DurationMs{5000};
  edit(1);
  EXPECT_TRUE(is_loaded(0));
  bench.commit_one();
  EXPECT_EQ(bench.edits.size(), 1u);
  EXPECT_TRUE(is_loaded(0)) << "whoever made the edit looks at it now";
  bench.now = bench.now + DurationMs{1000};
  bench.commit_one();
  EXPECT_EQ(bench.edits.size(), 2u);
  EXPECT_FALSE(is_loaded(0));
  EXPECT_TRUE(is_loaded(1));
}

TEST_F(RelayLeftDocuments, AreNotThoseThatSomebodyComesBackTo) {
  edit(0, 5000);
  bench.now = bench.now + DurationMs{2000};
  edit(1, 700);
  bench.now = bench.now + DurationMs{2000};
  edit(1, 701);  // which makes it the newest
  EXPECT_FALSE(is_loaded(0));
  bench.now = bench.now + DurationMs{999};
  edit(2, 700);
  EXPECT_TRUE(is_loaded(1) && is_loaded(2));
}

TEST(RelayBudget, ADocumentStopsGrowingAndCanBeMadeSmaller) {
  RelayBench bench({.max_document_bytes = 70});
  bench.open(1);
  bench.open(2);
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(2, kB + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  // Client 2 puts 40 letters of its own beside it: not applied, not stored, not relayed.
  const std::string forty = "01 01 02 00 04 01 04 62 6f 64 79 28 " + [] {
    std::string hex;
    for (int i = 0; i < 40; ++i) hex += "61 ";
    return hex;
  }() + "00";
  bench.frame(1, kB + "00 02 35 " + forty);
  const auto refused = bench.take(1);
  ASSERT_THAT(refused, SizeIs(2));
  EXPECT_THAT(refused[0], HasSubstr(R"("doc":"body:ws1/notes/a.md","code":"too_large")"));
  EXPECT_EQ(refused[1], saved(kBodyName, 2));
  EXPECT_THAT(bench.take(2), IsEmpty());
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  // Said once, not with each letter; what is known already is no growth.
  bench.frame(1, kB + "00 02 35 " + forty);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 3)));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 4)));
  // Ten letters typed one by one are ten updates of ten bytes, and ten bytes of the document.
  for (int clock = 5; clock < 15; ++clock) {
    const std::string at = to_hex(Bytes{uint8_t(clock)}) + " ";
    const std::string before = to_hex(Bytes{uint8_t(clock - 1)}) + " ";
    bench.frame(1, kB + "00 02 0a 01 01 01 " + at + "84 01 " + before + "01 61 00");
  }
  EXPECT_THAT(bench.log[kBodyName], SizeIs(11));
  bench.take(1);
  // Deleting is always possible, and makes room.
  bench.frame(1, kB + "00 02 06 00 01 01 01 00 0f");
  EXPECT_THAT(bench.log[kBodyName], SizeIs(12));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 15)));
  // The bound holds for what is loaded, too.
  RelayBench later({.max_document_bytes = 70});
  later.log = bench.log;
  later.open(1);
  later.frame(1, kB + "00 02 35 " + forty);
  EXPECT_THAT(later.log[kBodyName], SizeIs(13)) << "the deleted text left room for it";
  later.frame(1, kB + "00 02 12 01 01 03 00 04 01 04 62 6f 64 79 05 48 65 6c 6c 6f 00");
  EXPECT_THAT(later.take(1), Contains(HasSubstr("too_large")));
  EXPECT_THAT(later.log[kBodyName], SizeIs(13));
}

}  // namespace
}  // namespace diaryx::sync::relay
