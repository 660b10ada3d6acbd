// Documents, as every Storage keeps them.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, LoadsADocumentThatWasNeverStoredAsEmpty) {
  const auto stored = load("body:w/a.md");
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->updates, IsEmpty());
  EXPECT_THAT(stored->snapshot, IsEmpty());
  EXPECT_EQ(stored->last, relay::Sequence{0});
}

TEST_P(StorageContract, KeepsUpdatesInOrderAcrossARestart) {
  workspace(user("a@b"), "w", "notes");
  ASSERT_TRUE(append("w", "body:w/a.md", "one"));
  ASSERT_TRUE(append("w", "body:w/b.md", "other"));
  const auto last = append("w", "body:w/a.md", "two");
  ASSERT_TRUE(last);
  open();
  const auto stored = load("body:w/a.md");
  ASSERT_TRUE(stored);
  EXPECT_THAT(stored->updates, ElementsAre(*bytes("one"), *bytes("two")));
  EXPECT_EQ(stored->last, *last);
  EXPECT_THAT(*wait<std::vector<std::string>>([&](auto reply) { storage->documents.list("w", std::move(reply)); }),
              ElementsAre("body:w/a.md", "body:w/b.md"));
}

TEST_P(StorageContract, StoresManyUpdatesThatWereAskedForAtOnceInOrder) {
  workspace(user("a@b"), "w", "notes");
  std::vector<std::promise<StorageResult<relay::Sequence>>> promises(500);
  for (size_t i = 0; i < promises.size(); ++i) {
    NewUpdate update{.workspace = "w",
                     .document = "workspace:w",
                     .bytes = bytes(std::to_string(i)),
                     .user_id = {},
                     .device_id = {},
                     .time = TimestampMs{5},
                     .epoch = turn};
    storage->documents.append(std::move(update),
                              [&promise = promises[i]](auto result) { promise.set_value(std::move(result)); });
  }
  relay::Sequence before{0};
  for (auto& promise : promises) {
    const auto sequence = promise.get_future().get();
    ASSERT_TRUE(sequence);
    EXPECT_LT(before, *sequence);
    before = *sequence;
  }
  const auto stored = load("workspace:w");
  ASSERT_THAT(stored->updates, SizeIs(500));
  EXPECT_EQ(stored->updates[499], *bytes("499"));
}

TEST_P(StorageContract, LoadsFromTheSnapshotOn) {
  workspace(user("a@b"), "w", "notes");
  append("w", "d", "one");
  const auto second = append("w", "d", "two");
  append("w", "d", "three");
  ASSERT_TRUE(wait<void>(
      [&](auto reply) { storage->documents.store_snapshot("d", bytes("one+two"), *second, turn, std::move(reply)); }));
  const auto stored = load("d");
  EXPECT_EQ(stored->snapshot, *bytes("one+two"));
  EXPECT_THAT(stored->updates, ElementsAre(*bytes("three")));
  // An older snapshot that comes late changes nothing.
  ASSERT_TRUE(wait<void>([&](auto reply) {
    storage->documents.store_snapshot("d", bytes("old"), relay::Sequence{1}, turn, std::move(reply));
  }));
  EXPECT_EQ(load("d")->snapshot, *bytes("one+two"));
}

TEST_P(StorageContract, RefusesUpdatesOfAWorkspaceThatIsNotThere) {
  const auto refused = append("nowhere", "body:nowhere/a.md", "x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Kind::NotFound);
}

TEST_P(StorageContract, SaysWhatChangedSinceACursor) {
  workspace(user("a@b"), "w", "notes");
  workspace(user("c@d"), "other", "notes");
  const auto changes = [&](std::optional<relay::Sequence> since) {
    return *wait<ChangedDocuments>([&](auto reply) { storage->documents.list_changes("w", since, std::move(reply)); });
  };
  EXPECT_FALSE(changes(std::nullopt).known);
  EXPECT_TRUE(changes(relay::Sequence{0}).known);
  const relay::Sequence first = *append("w", "a", "one");
  append("w", "b", "two");
  append("w", "b", "three");
  append("other", "c", "of another workspace");
  const relay::Sequence last = *append("other", "c", "again");

  EXPECT_THAT(changes(first).documents, ElementsAre("b"));
  EXPECT_EQ(changes(first).through, last);
  EXPECT_THAT(changes(relay::Sequence{0}).documents, testing::UnorderedElementsAre("a", "b"));
  EXPECT_THAT(changes(last).documents, testing::IsEmpty());
  EXPECT_TRUE(changes(last).known);
  EXPECT_FALSE(changes(std::nullopt).known);
  EXPECT_EQ(changes(std::nullopt).through, last);
  EXPECT_FALSE(changes(relay::Sequence{last.value() + 1}).known) << "a cursor from a future that was lost";

  // Records that are gone may have held a change: whoever asks from before them is not told that there was none.
  wait<void>(
      [&](auto reply) { storage->documents.store_snapshot("b", bytes("two+three"), last, turn, std::move(reply)); });
  prune(1'000);
  EXPECT_FALSE(changes(first).known);
  EXPECT_TRUE(changes(last).known);
}

}  // namespace
}  // namespace diaryx::server
