// A Storage as a whole: who writes, what its writes are to each other, its name.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, StoresOnlyForWhoTookOverLast) {
  workspace(user("a@b"), "w", "notes");
  const auto mine = append("w", "d", "one");
  ASSERT_TRUE(mine);
  const uint64_t first = turn;
  turn = take_over();
  EXPECT_GT(turn, first);
  ASSERT_TRUE(append("w", "d", "theirs"));
  turn = first;
  EXPECT_EQ(append("w", "d", "late").error().kind, Kind::Superseded);
  EXPECT_EQ(wait<void>([&](auto reply) {
              storage->documents.store_snapshot("d", bytes("late"), *mine, turn, std::move(reply));
            })
                .error()
                .kind,
            Kind::Superseded);
  open();
  EXPECT_THAT(load("d")->updates, ElementsAre(*bytes("one"), *bytes("theirs")));
}

TEST_P(StorageContract, AnswersABarrierAfterTheWritesBeforeIt) {
  workspace(user("a@b"), "w", "notes");
  bool stored = false;
  NewUpdate update{.workspace = "w",
                   .document = "d",
                   .bytes = bytes("x"),
                   .user_id = {},
                   .device_id = {},
                   .time = TimestampMs{5},
                   .epoch = turn};
  storage->documents.append(update, [&](auto result) { stored = result.has_value(); });
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->barrier(std::move(reply)); }));
  EXPECT_TRUE(stored);
}

TEST_P(StorageContract, RefusingOneWriteDoesNotTouchItsNeighbours) {
  workspace(user("ann@x"), "w", "notes");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask_sign_in("ann@x", "link" + std::to_string(i), "1", 5000 + i));
  // Asked for together, so that they may share a transaction: too many, not found, conflict, and one that is good.
  int refused = 0;
  std::promise<StorageResult<relay::Sequence>> stored;
  storage->access.create_sign_in(
      {.email = "ann@x", .now = TimestampMs{5010}, .expires = TimestampMs{6000}, .max_per_hour = 3},
      [&](auto result) { refused += result ? 0 : 1; });
  storage->accounts.remove_token(sha256("nothing"), [&](auto result) { refused += result ? 0 : 1; });
  storage->accounts.create_user("ann@x", TimestampMs{1}, [&](auto result) { refused += result ? 0 : 1; });
  storage->documents.append({.workspace = "w",
                             .document = "d",
                             .bytes = bytes("x"),
                             .user_id = {},
                             .device_id = {},
                             .time = TimestampMs{5},
                             .epoch = turn},
                            [&](auto result) { stored.set_value(std::move(result)); });
  EXPECT_TRUE(stored.get_future().get());
  EXPECT_EQ(refused, 3);
  EXPECT_THAT(load("d")->updates, SizeIs(1));
}

TEST_P(StorageContract, LooksAtEverythingInPieces) {
  workspace(user("a@b"), "w", "notes");
  for (int64_t time = 1; time <= 20; ++time) append_at(time % 2 == 0 ? "even" : "odd", time);
  cover("even");
  int pieces = 0;
  for (std::optional<ReviewPlace> place = ReviewPlace{}; place; ++pieces) {
    ASSERT_LT(pieces, 100);
    const auto review = wait<StorageReview>([&](auto reply) { storage->review(*place, 1, std::move(reply)); });
    ASSERT_TRUE(review);
    EXPECT_THAT(review->damages, IsEmpty());
    place = review->next;
  }
  if (GetParam() == StorageKind::Sqlite) EXPECT_GT(pieces, 20);
}

TEST_P(StorageContract, KeepsItsLineage) {
  const auto lineage = [&] { return *wait<std::string>([&](auto reply) { storage->lineage(std::move(reply)); }); };
  const std::string before = lineage();
  EXPECT_FALSE(before.empty());
  open();
  EXPECT_EQ(lineage(), before);
}

INSTANTIATE_TEST_SUITE_P(Every, StorageContract, testing::Values(StorageKind::Sqlite, StorageKind::Memory), kind_name);

}  // namespace
}  // namespace diaryx::server
