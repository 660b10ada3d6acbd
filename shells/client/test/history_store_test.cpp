#include "history_store.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history_timeline.h"
#include "state_store.h"
#include "temp_folder.h"

namespace diaryx::client {
namespace {

constexpr TimestampMs kNow{1'700'000'000'000};
constexpr int64_t kMinute = 60'000;
constexpr int64_t kDay = 24 * 60 * kMinute;
const sync::HistoryDevice kLaptop{"laptop-id", "Laptop"};

/// Types into one note, as a replica would, and stores each update.
class HistoryStoreTest : public testing::Test {
 protected:
  HistoryStoreTest() : doc_({.client = ClientId{5}}) {}

  StateStore open(const sync::Replica& replica) {
    auto store = StateStore::open(path());
    EXPECT_TRUE(store) << store.error().sentence;
    EXPECT_TRUE(store->keep_history(kLaptop, replica, kNow));
    return std::move(*store);
  }
  sync::Action typed(std::string_view text) {
    crdt::Transaction txn = doc_.transact();
    EXPECT_TRUE(doc_.text("body").insert(txn, Utf16Offset{doc_.text("body").length().value()}, text));
    return sync::PersistUpdate{"body:a.md", std::move(txn).commit().update_v1()};
  }
  sync::Action listed() {
    crdt::Doc workspace({.client = ClientId{6}});
    crdt::Transaction txn = workspace.transact();
    workspace.map("files").set(txn, "a.md", crdt::Any::string(sync::format_metadata({.filename = "a.md"})));
    return sync::PersistUpdate{"workspace", std::move(txn).commit().update_v1()};
  }
  std::string path() const { return folder_ / "state.db"; }
  HistoryReader reader() {
    auto reader = HistoryReader::open(path());
    EXPECT_TRUE(reader) << reader.error().sentence;
    EXPECT_TRUE(reader->load_recent());
    return std::move(*reader);
  }

  native::TempFolder folder_;
  crdt::Doc doc_;
  sync::Replica replica_{{.workspace_id = "ws", .client = ClientId{1}}};
};

TEST_F(HistoryStoreTest, KeepsEveryUpdateWithItsTimeAndDevice) {
  StateStore store = open(replica_);
  ASSERT_TRUE(store.persist(std::vector{listed(), typed("one ")}, kNow));
  ASSERT_TRUE(store.persist(std::vector{typed("two")}, kNow + DurationMs{kMinute}));
  const HistoryReader reading = reader();
  EXPECT_EQ(reading.history().file_at("a.md", 2)->text, "one ");
  EXPECT_EQ(reading.history().file_at("a.md", sync::kHistoryNow)->text, "one two");
  const auto groups = sync::file_timeline(reading.history(), "a.md");
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].device, kLaptop);
  EXPECT_EQ(groups[0].until, kNow + DurationMs{kMinute});
}

TEST_F(HistoryStoreTest, GoesOnCountingAfterARestart) {
  ASSERT_TRUE(open(replica_).persist(std::vector{listed(), typed("one ")}, kNow));
  ASSERT_TRUE(open(replica_).persist(std::vector{typed("two")}, kNow));
  EXPECT_EQ(reader().history().last(), 3u);
}

TEST_F(HistoryStoreTest, MarksWhereTheLastRunEnded) {
  ASSERT_TRUE(open(replica_).persist(std::vector{listed(), typed("one ")}, kNow));
  ASSERT_TRUE(open(replica_).persist(std::vector{typed("soon after")}, kNow + DurationMs{kMinute}));
  EXPECT_TRUE(reader().marks()->empty());
  ASSERT_TRUE(open(replica_).persist(std::vector{typed("the next day")}, kNow + DurationMs{kDay}));
  ASSERT_EQ(reader().marks()->size(), 1u);
  EXPECT_EQ(reader().marks()->front(), (sync::HistoryMark{3, kNow + DurationMs{kMinute}, ""}));
}

TEST_F(HistoryStoreTest, BeginsWithWhatAnOlderVersionStored) {
  {
    auto old = StateStore::open(path());  // keeps no history
    ASSERT_TRUE(old->persist(std::vector{listed(), typed("before history")}, kNow));
  }
  {
    auto store = StateStore::open(path());
    ASSERT_TRUE(store->restore(replica_));
    ASSERT_TRUE(store->keep_history(kLaptop, replica_, kNow));
    ASSERT_TRUE(store->persist(std::vector{typed(", and after")}, kNow));
  }
  {
    sync::Replica again{{.workspace_id = "ws", .client = ClientId{2}}};
    auto store = StateStore::open(path());
    ASSERT_TRUE(store->restore(again));
    ASSERT_TRUE(store->keep_history(kLaptop, again, kNow));  // once only
  }
  const HistoryReader reading = reader();
  const sync::DocHistory& body = *reading.history().document("body:a.md");
  ASSERT_EQ(body.records().size(), 2u);
  EXPECT_EQ(body.records()[0].origin, sync::HistoryOrigin::Base);
  EXPECT_EQ(reading.history().file_at("a.md", body.records()[0].sequence)->text, "before history");
  EXPECT_EQ(reading.history().file_at("a.md", sync::kHistoryNow)->text, "before history, and after");
}

TEST_F(HistoryStoreTest, FindsThePointOfATime) {
  StateStore store = open(replica_);
  ASSERT_TRUE(store.persist(std::vector{listed()}, kNow));
  for (int i = 1; i <= 80; ++i) ASSERT_TRUE(store.persist(std::vector{typed("x")}, kNow + DurationMs{i * kMinute}));
  for (int round = 0; round < 2; ++round) {
    HistoryReader reading = reader();
    EXPECT_EQ(*reading.point_at(kNow + DurationMs{-1}), 0u);
    EXPECT_EQ(*reading.point_at(kNow), 1u);
    EXPECT_EQ(*reading.point_at(kNow + DurationMs{30 * kMinute + 5}), 31u);
    EXPECT_EQ(*reading.point_at(kNow + DurationMs{kDay}), 81u);
    ASSERT_TRUE(store.tidy_history(kNow + DurationMs{2 * 60 * kMinute}));  // packed into one block, the same answers
  }
}

TEST_F(HistoryStoreTest, FoldsOldHistoryAndKeepsNamedSnapshots) {
  StateStore store = open(replica_);
  ASSERT_TRUE(store.persist(std::vector{listed()}, kNow));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store.persist(std::vector{typed(std::to_string(i) + " ")}, kNow + DurationMs{i * kMinute}));
    if (i == 49) ASSERT_TRUE(store_mark(path(), {.point = 51, .time = kNow, .name = "half"}));
  }
  EXPECT_FALSE(store_mark(path(), {.point = 52, .time = kNow, .name = "half"}));  // there is one
  const std::string half = reader().history().file_at("a.md", 51)->text;
  ASSERT_TRUE(store.tidy_history(kNow + DurationMs{800 * kDay}));
  HistoryReader reading = reader();
  EXPECT_EQ(reading.history().document("body:a.md")->records().size(), 2u);
  EXPECT_EQ(reading.history().file_at("a.md", 51)->text, half);
  ASSERT_EQ(reading.marks()->size(), 1u);  // the automatic ones are too old
  EXPECT_EQ(reading.marks()->front().name, "half");
}

TEST_F(HistoryStoreTest, HandsARequestToWhoeverWorksOnTheFolder) {
  StateStore store = open(replica_);
  const sync::RestoreFiles wanted{
      .files = {{.path = "a.md", .before = "now \"é\"\n", .after = "then", .edit = {1, 2, 255}, .edit_base = {0}},
                {.path = "b.md", .renamed_from = "c.md", .before = "", .after = ""},
                {.path = "gone.md", .after = "back"},
                {.path = "late.md", .before = "late"},
                {.path = "p.png",
                 .binary_after = sync::BinaryRef{.path = "p.png", .hash = std::string(64, 'a'), .size = 3}}},
      .id = "r1"};
  const auto id = store_request(path(), wanted);
  ASSERT_TRUE(id);
  const auto requests = store.history_requests();
  ASSERT_TRUE(requests);
  ASSERT_EQ(requests->size(), 1u);
  EXPECT_EQ(requests->front().restore.id, "r1");
  EXPECT_EQ(requests->front().restore.files, wanted.files);
  EXPECT_EQ(*take_outcome(path(), *id), std::nullopt);
  ASSERT_TRUE(store.finish_request(*id, "all is well"));
  EXPECT_TRUE(store.history_requests()->empty());
  EXPECT_EQ(*take_outcome(path(), *id), "all is well");
  EXPECT_EQ(*take_outcome(path(), *id), std::nullopt);
}

TEST_F(HistoryStoreTest, LeavesADamagedBlockAloneAndShowsTheRest) {
  StateStore store = open(replica_);
  ASSERT_TRUE(store.persist(std::vector{listed()}, kNow));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(store.persist(std::vector{typed("x")}, kNow));
  {
    auto database = native::Database::open(path(), native::Durability::Full);
    ASSERT_TRUE(database->execute("UPDATE history SET block = x'0102' WHERE first = 41"));
  }
  ASSERT_TRUE(store.tidy_history(kNow + DurationMs{800 * kDay}));
  const HistoryReader reading = reader();
  EXPECT_EQ(reading.damaged_blocks(), 1u);
  EXPECT_EQ(reading.history().file_at("a.md", sync::kHistoryNow)->text, std::string(39, 'x'));
}

}  // namespace
}  // namespace diaryx::client
