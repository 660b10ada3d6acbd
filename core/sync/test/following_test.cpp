// When a server is asked what changed, what its answer means, and which cursor is kept.
#include "replica/following.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace diaryx::sync {
namespace {

constexpr DurationMs kFullCheckAfter{1'000};
constexpr uint32_t kUpdatesPerCursor = 3;
constexpr TimestampMs kNow{50'000};

using Keys = Following::Keys;

Changes answer(std::string cursor, std::vector<std::string> keys = {}, bool known = true) {
  return {.workspace = "ws1", .cursor = std::move(cursor), .known = known, .keys = std::move(keys)};
}

class FollowingTest : public ::testing::Test {
 protected:
  /// A connection on which every body is asked for, and a cursor is kept.
  void follow(const std::string& cursor) {
    following_.on_hello(/*offers_changes=*/true);
    EXPECT_TRUE(following_.begin(kNow));
    EXPECT_EQ(following_.asked_since(), "");
    following_.on_all_asked();
    EXPECT_TRUE(following_.on_changes(answer(cursor)).empty());
    EXPECT_EQ(following_.keep(kNow), "50000 " + cursor);
  }
  void follow_and_end(const std::string& cursor) {
    follow(cursor);
    following_.end();
    following_.on_hello(/*offers_changes=*/true);
  }

  Following following_{kFullCheckAfter, kUpdatesPerCursor};
};

TEST_F(FollowingTest, AsksNothingOfAServerThatHasNoList) {
  ASSERT_TRUE(following_.restore("50000 c1"));
  following_.on_hello(/*offers_changes=*/false);
  EXPECT_FALSE(following_.begin(kNow));
  EXPECT_FALSE(following_.awaits_list());
  EXPECT_TRUE(following_.on_changes(answer("c2", {"a"})).empty());
  EXPECT_FALSE(following_.is_following());
  EXPECT_FALSE(following_.has_new_cursor());
  EXPECT_FALSE(following_.renew());
}

TEST_F(FollowingTest, WithoutACursorAsksForOne) {
  following_.on_hello(/*offers_changes=*/true);
  EXPECT_TRUE(following_.begin(kNow));
  EXPECT_EQ(following_.asked_since(), "");
  EXPECT_FALSE(following_.awaits_list());
  EXPECT_FALSE(following_.is_following());
  EXPECT_TRUE(following_.on_changes(answer("c1", {"a"})).empty()) << "no list was asked for";
  EXPECT_TRUE(following_.is_following());
  EXPECT_TRUE(following_.has_new_cursor());
  EXPECT_EQ(following_.keep(kNow), "0 c1") << "nobody asked for all";
}

TEST_F(FollowingTest, WithACursorAsksForWhatChangedSince) {
  follow_and_end("c1");
  EXPECT_TRUE(following_.begin(kNow));
  EXPECT_EQ(following_.asked_since(), "c1");
  EXPECT_TRUE(following_.awaits_list());
  EXPECT_FALSE(following_.is_following());
  EXPECT_EQ(following_.on_changes(answer("c2", {"a", "b"})), (Keys{"a", "b"}));
  EXPECT_FALSE(following_.awaits_list());
  EXPECT_TRUE(following_.is_following());
  EXPECT_EQ(following_.keep(kNow + DurationMs{5}), "50000 c2") << "when all were asked for last";
}

TEST_F(FollowingTest, WhatIsHeardOfBeforeTheListIsOfTheList) {
  follow_and_end("c1");
  following_.begin(kNow);
  following_.hear_of("b");
  EXPECT_EQ(following_.on_changes(answer("c2", {"a"})), (Keys{"a", "b"}));
  EXPECT_TRUE(following_.end().empty());
}

TEST_F(FollowingTest, WhatIsHeardOfInVainIsNamedAtTheEnd) {
  follow_and_end("c1");
  following_.begin(kNow);
  following_.hear_of("b");
  EXPECT_EQ(following_.end(), Keys{"b"});
  EXPECT_TRUE(following_.end().empty());
}

TEST_F(FollowingTest, AServerThatDoesNotKnowTheCursorListsNothing) {
  follow_and_end("c1");
  following_.begin(kNow);
  following_.hear_of("b");
  EXPECT_TRUE(following_.on_changes(answer("d1", {"a"}, /*known=*/false)).empty());
  EXPECT_TRUE(following_.is_following());
  EXPECT_TRUE(following_.forget_cursor());
  EXPECT_FALSE(following_.forget_cursor());
  EXPECT_EQ(following_.keep(kNow), "50000 d1");
}

TEST_F(FollowingTest, ACursorIsKeptOnlyOnceItWasToldTo) {
  follow_and_end("c1");
  following_.begin(kNow);
  following_.on_changes(answer("c2"));
  following_.end();  // before everything was here
  EXPECT_FALSE(following_.has_new_cursor());
  following_.on_hello(/*offers_changes=*/true);
  EXPECT_TRUE(following_.begin(kNow));
  EXPECT_EQ(following_.asked_since(), "c1");
}

TEST_F(FollowingTest, AnswersThatNobodyAskedForSayNothing) {
  follow("c1");
  EXPECT_TRUE(following_.on_changes(answer("c9", {"a"})).empty());
  EXPECT_FALSE(following_.has_new_cursor());
}

TEST_F(FollowingTest, AnAnswerWithoutACursorStillMeansThatAllIsSent) {
  following_.on_hello(/*offers_changes=*/true);
  following_.begin(kNow);
  following_.on_changes(answer(""));
  EXPECT_TRUE(following_.is_following());
  EXPECT_FALSE(following_.has_new_cursor());
  EXPECT_TRUE(following_.renew()) << "there is none yet";
}

TEST_F(FollowingTest, ALaterCursorIsWantedAfterSomeUpdatesAndOneAtATime) {
  follow("c1");
  for (uint32_t i = 0; i < kUpdatesPerCursor; ++i) {
    EXPECT_FALSE(following_.renew());
    following_.count_update();
  }
  EXPECT_TRUE(following_.renew());
  EXPECT_EQ(following_.asked_since(), "");
  for (uint32_t i = 0; i < kUpdatesPerCursor; ++i) following_.count_update();
  EXPECT_FALSE(following_.renew()) << "it was not answered yet";
  EXPECT_FALSE(following_.awaits_list());
  EXPECT_TRUE(following_.is_following());
  following_.on_changes(answer("c2"));
  EXPECT_FALSE(following_.renew()) << "it was not kept yet";
  following_.keep(kNow);
  EXPECT_TRUE(following_.renew()) << "there were updates since it was asked for";
}

struct Age {
  std::string name;
  int64_t now;
  bool is_used;
};
class CursorAge : public ::testing::TestWithParam<Age> {};

TEST_P(CursorAge, SaysWhetherItIsUsed) {
  Following following(kFullCheckAfter, kUpdatesPerCursor);
  ASSERT_TRUE(following.restore("50000 c1"));
  following.on_hello(/*offers_changes=*/true);
  EXPECT_TRUE(following.begin(TimestampMs{GetParam().now}));
  EXPECT_EQ(following.asked_since(), GetParam().is_used ? "c1" : "");
  EXPECT_EQ(following.awaits_list(), GetParam().is_used);
}

INSTANTIATE_TEST_SUITE_P(Ages, CursorAge,
                         ::testing::Values(Age{"new", 50'000, true}, Age{"young_enough", 50'999, true},
                                           Age{"too_old", 51'000, false}, Age{"of_a_clock_set_back", 49'999, false}),
                         [](const auto& age) { return age.param.name; });

struct Record {
  std::string name;
  std::string value;
  std::optional<std::string> cursor;
};
class CursorRecord : public ::testing::TestWithParam<Record> {};

TEST_P(CursorRecord, IsReadAgain) {
  Following following(DurationMs{int64_t{1} << 40}, kUpdatesPerCursor);
  EXPECT_EQ(following.restore(GetParam().value).has_value(), GetParam().cursor.has_value());
  following.on_hello(/*offers_changes=*/true);
  EXPECT_TRUE(following.begin(kNow));
  EXPECT_EQ(following.asked_since(), GetParam().cursor.value_or(""));
}

INSTANTIATE_TEST_SUITE_P(Records, CursorRecord,
                         ::testing::Values(Record{"usual", "7 c1", "c1"}, Record{"with_a_space", "7 c 1", "c 1"},
                                           Record{"of_no_cursor", "7 ", ""}, Record{"empty", "", std::nullopt},
                                           Record{"time_alone", "7", std::nullopt},
                                           Record{"no_time", "c1 7", std::nullopt}),
                         [](const auto& record) { return record.param.name; });

/// A server that counts its changes, and a device that is cut off again and again: its cursor is how many there were.
TEST_F(FollowingTest, WhatIsNeitherListedNorHeardOfDidNotChange) {
  std::mt19937 random(11);
  std::vector<std::string> changes;  // at the server, in order
  Keys differing;  // on the device
  int lists = 0;
  const auto change = [&] {
    changes.push_back(std::to_string(random() % 30));
    differing.insert(changes.back());
    return changes.back();
  };
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    if (random() % 2 == 0) change();  // while there is no connection
    following_.on_hello(/*offers_changes=*/true);
    EXPECT_TRUE(following_.begin(kNow));
    const std::string cursor = following_.asked_since();
    if (cursor.empty()) {
      following_.on_all_asked();
      differing.clear();
    }
    const size_t count = changes.size();
    if (random() % 3 == 0) following_.hear_of(change());
    if (random() % 4 != 0) {
      const auto since = static_cast<ptrdiff_t>(cursor.empty() ? count : std::stoul(cursor));
      const std::vector<std::string> listed(changes.begin() + since, changes.begin() + static_cast<ptrdiff_t>(count));
      for (const std::string& key : following_.on_changes(answer(std::to_string(count), listed))) differing.erase(key);
      if (!cursor.empty()) {
        ++lists;
        EXPECT_EQ(differing, Keys{});
      }
      following_.keep(kNow);
    }
    following_.end();
  }
  EXPECT_GT(lists, 100);
}

}  // namespace
}  // namespace diaryx::sync
