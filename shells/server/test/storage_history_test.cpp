// The past of documents, as every Storage keeps it and forgets it.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = StorageError::Kind;

TEST_P(StorageContract, PrunesOnlyOldRecordsThatASnapshotCovers) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  append("w", "e", "uncovered");
  EXPECT_EQ(prune(100), 0u);  // nothing is covered yet
  wait<void>(
      [&](auto reply) { storage->documents.store_snapshot("d", bytes("one+two"), *second, turn, std::move(reply)); });
  EXPECT_EQ(prune(5), 0u);  // not old
  EXPECT_EQ(prune(6), 2u);
  EXPECT_EQ(prune(6), 0u);
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
  EXPECT_THAT(load("d")->updates, ElementsAre(*bytes("three")));
  // Numbers are never given twice, however much was forgotten.
  EXPECT_GT(*append("w", "d", "four"), *second);
}

TEST_P(StorageContract, PrunesUpToAnAge) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 20; ++time) append_at(time % 2 == 0 ? "even" : "odd", time);
  for (const char* document : {"even", "odd"}) cover(document);
  EXPECT_EQ(prune(1), 0u);
  EXPECT_EQ(prune(8), 7u);
  EXPECT_EQ(prune(8), 0u);
  EXPECT_EQ(prune(9), 1u);
  EXPECT_EQ(prune(1000), 12u);
  EXPECT_EQ(prune(1000), 0u);
}

TEST_P(StorageContract, PrunesInBites) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 5; ++time) append_at("d", time);
  cover("d");
  uint64_t removed = 0;
  for (int bites = 0;; ++bites) {
    ASSERT_LT(bites, 10);
    const Pruned bite = prune_once(5, 2);
    EXPECT_LE(bite.records, 2u);
    removed += bite.records;
    if (!bite.more) break;
  }
  EXPECT_EQ(removed, 4u);
}

TEST_P(StorageContract, PrunesNothingThatIsYoungerThanAskedWhateverTheClockSaid) {
  workspace(user("a@b"), "w", "notes");
  struct Case {
    const char* document;
    std::vector<int64_t> times;
    size_t left;  // when everything before 500 may go, at 1000
  };
  const std::vector<Case> cases = {
      {"right", {100, 200, 500, 600}, 2},
      {"began_in_the_past", {100, 600, 601, 10, 11, 12, 13, 602}, 7},
      {"far_ahead_for_a_while", {100, 5000, 5001, 200, 300, 600}, 3},  // those two cannot be told, and stay
      {"ahead_at_the_end", {100, 200, 5000}, 1},
      {"back_at_the_end", {600, 10, 11}, 3},
  };
  for (const Case& one : cases) {
    open_anew();
    workspace(user("a@b"), "w", "notes");
    for (const int64_t time : one.times) append_at(one.document, time);
    cover(one.document);
    prune(500);
    const auto past =
        wait<DocumentPast>([&](auto reply) { storage->history.load(one.document, 1 << 20, std::move(reply)); });
    EXPECT_EQ(past->records.size(), one.left) << one.document;
  }
}

TEST_P(StorageContract, PrunesLessWhenMoreIsToBeKept) {
  workspace(user("a@b"), "w", "notes");
  append_at("d", 100);
  append_at("d", 200);
  EXPECT_EQ(prune(300), 0u);  // old enough, but nothing covers them
  cover("d");
  EXPECT_EQ(prune(150), 1u);
}

TEST_P(StorageContract, ShowsThePastOfADocument) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  const auto add = [&](const std::string& document, const std::string& text, int64_t time, relay::UpdateOrigin origin) {
    const NewUpdate update{.workspace = "w",
                           .document = document,
                           .bytes = bytes(text),
                           .user_id = ann.user_id,
                           .device_id = ann.device_id,
                           .origin = origin,
                           .time = TimestampMs{time},
                           .epoch = turn};
    return *wait<relay::Sequence>([&](auto reply) { storage->documents.append(update, std::move(reply)); });
  };
  const auto first = add("d", "one", 10, relay::UpdateOrigin::Remote);
  const auto second = add("d", "two", 20, relay::UpdateOrigin::Restore);
  const auto other = add("e", "three", 30, relay::UpdateOrigin::Import);
  wait<void>([&](auto reply) { storage->documents.store_snapshot("d", bytes("one"), first, turn, std::move(reply)); });
  const auto past = [&](const std::string& document, uint64_t most) {
    return wait<DocumentPast>([&](auto reply) { storage->history.load(document, most, std::move(reply)); });
  };
  const auto found = past("d", 1000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->snapshot, *bytes("one"));
  EXPECT_EQ(found->through, first);
  const std::string name = wait<std::vector<Device>>([&](auto reply) {
                             storage->accounts.list_devices(ann.user_id, TimestampMs{1000}, std::move(reply));
                           })
                               ->front()
                               .name;
  const StoredRecord one{first, TimestampMs{10}, relay::UpdateOrigin::Remote, ann.device_id, name, *bytes("one")};
  const StoredRecord two{second, TimestampMs{20}, relay::UpdateOrigin::Restore, ann.device_id, name, *bytes("two")};
  EXPECT_THAT(found->records, ElementsAre(one, two));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->access.expire(TimestampMs{9000}, std::move(reply)); }));
  EXPECT_THAT(past("d", 1000)->records, ElementsAre(one, two)) << "whose token ended keeps its name here";
  EXPECT_TRUE(past("d", 9));  // the snapshot and both records
  EXPECT_EQ(past("d", 8).error().kind, Kind::TooMany);
  EXPECT_THAT(past("unknown", 0)->records, IsEmpty());

  const auto changed = [&](relay::Sequence after, uint32_t most) {
    return *wait<std::vector<ChangedDocument>>(
        [&](auto reply) { storage->history.changed_documents("w", after, most, std::move(reply)); });
  };
  EXPECT_THAT(changed({}, 10), ElementsAre(ChangedDocument{"e", other}, ChangedDocument{"d", second}));
  EXPECT_THAT(changed({}, 1), ElementsAre(ChangedDocument{"e", other}));
  EXPECT_THAT(changed(second, 10), ElementsAre(ChangedDocument{"e", other}));
  EXPECT_THAT(changed(other, 10), IsEmpty());
}

}  // namespace
}  // namespace diaryx::server
