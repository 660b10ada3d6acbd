// When documents that nothing is asked of leave memory, and which go first when there are too many.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "relay/idle_documents.h"

namespace diaryx::sync::relay {
namespace {

constexpr DurationMs kBeforeUnload{10'000};
constexpr uint64_t kMaxBytes = 100'000;
constexpr TimestampMs kBegin{1'000'000};

using Names = std::vector<std::string>;

constexpr TimestampMs after(int64_t ms) { return kBegin + DurationMs{ms}; }

class IdleDocumentsTest : public ::testing::Test {
 protected:
  static SharedDocId id(const std::string& name) { return std::make_shared<const DocId>(name); }
  void note(const std::string& name, TimestampMs now, uint64_t size_bytes = 100) {
    idle_.note(id(name), size_bytes, now);
  }
  Names due(TimestampMs now) {
    Names names;
    while (const SharedDocId one = idle_.take_due(now)) names.push_back(one->str());
    return names;
  }
  Names beyond_limit(TimestampMs now) {
    Names names;
    while (const SharedDocId one = idle_.take_beyond_limit(now)) names.push_back(one->str());
    return names;
  }

  IdleDocuments idle_{kBeforeUnload, kMaxBytes};
};

TEST_F(IdleDocumentsTest, AreDueWhenTheirTimeHasCome) {
  EXPECT_EQ(idle_.next_moment(), std::nullopt);
  note("b", kBegin);
  note("a", kBegin);
  note("c", after(1));
  EXPECT_EQ(idle_.next_moment(), after(10'000));
  EXPECT_EQ(due(after(9'999)), Names{});
  EXPECT_EQ(due(after(10'000)), (Names{"b", "a"})) << "in the order of becoming idle";
  EXPECT_EQ(idle_.next_moment(), after(10'001));
  EXPECT_EQ(due(after(20'000)), Names{"c"});
  EXPECT_EQ(idle_.next_moment(), std::nullopt);
}

TEST_F(IdleDocumentsTest, AreIdleSinceTheyWereNotedFirst) {
  note("a", kBegin);
  note("a", after(5'000));
  EXPECT_EQ(due(after(10'000)), Names{"a"});
}

TEST_F(IdleDocumentsTest, AreNotDueWhileTheyAreUsed) {
  note("a", kBegin);
  idle_.end(id("a"));
  EXPECT_EQ(due(after(10'000)), Names{});
  EXPECT_EQ(idle_.next_moment(), std::nullopt);
  note("a", after(11'000));
  EXPECT_EQ(due(after(20'999)), Names{});
  EXPECT_EQ(due(after(21'000)), Names{"a"});
}

TEST_F(IdleDocumentsTest, WaitTheirTimeAnewAfterEachUseAndAreLookedAtOnce) {
  for (int use = 0; use < 5; ++use) {
    note("a", after(use * 1'000));
    if (use < 4) idle_.end(id("a"));
  }
  EXPECT_EQ(idle_.next_moment(), after(10'000));
  EXPECT_EQ(due(after(10'000)), Names{});
  EXPECT_EQ(idle_.next_moment(), after(14'000)) << "idle since the last use";
  EXPECT_EQ(due(after(14'000)), Names{"a"});
  EXPECT_EQ(idle_.next_moment(), std::nullopt);
}

TEST_F(IdleDocumentsTest, ALargeOneStaysLonger) {
  note("large", kBegin, 1'000);
  note("large", after(1), 50 * 1'024);
  note("small", kBegin, 1'023);
  EXPECT_EQ(due(after(10'000)), Names{"small"});
  note("new", after(10'000));
  EXPECT_EQ(idle_.next_moment(), after(10'050));
  EXPECT_EQ(due(after(10'049)), Names{});
  EXPECT_EQ(due(after(10'050)), Names{"large"});
}

TEST_F(IdleDocumentsTest, ALargeOneThatIsUsedWhileItStaysWaitsAnew) {
  note("large", kBegin, 50 * 1'024);
  EXPECT_EQ(due(after(10'000)), Names{});
  idle_.end(id("large"));
  note("large", after(10'020), 50 * 1'024);
  EXPECT_EQ(due(after(10'050)), Names{});
  EXPECT_EQ(idle_.next_moment(), after(20'020));
  EXPECT_EQ(due(after(20'020)), Names{});
  EXPECT_EQ(due(after(20'070)), Names{"large"});
}

TEST_F(IdleDocumentsTest, OfTooManyThoseThatWereLeftFirstGoAndNoneInItsFirstSecond) {
  note("a", kBegin, 60'000);
  note("b", after(1), 40'000);
  EXPECT_EQ(beyond_limit(after(5'000)), Names{}) << "as many as there may be";
  note("c", after(5'000), 50'000);
  EXPECT_EQ(beyond_limit(after(5'000)), Names{"a"});
  note("d", after(5'000), 90'000);
  EXPECT_EQ(beyond_limit(after(5'999)), Names{"b"});
  EXPECT_EQ(beyond_limit(after(6'000)), Names{"c"});
  EXPECT_EQ(due(after(30'000)), Names{"d"});
}

TEST_F(IdleDocumentsTest, OfTooManyTheLargeThatStayLongerGoBeforeAllOthers) {
  note("small", after(50), 40'000);
  note("large", kBegin, 60'000);
  EXPECT_EQ(due(after(10'001)), Names{});
  EXPECT_EQ(idle_.next_moment(), after(10'050)) << "of the small one";
  note("new", after(10'001), 1);
  EXPECT_EQ(beyond_limit(after(10'001)), Names{"large"});
}

TEST_F(IdleDocumentsTest, OnlyIdleOnesCountAsTooMany) {
  note("a", kBegin, 60'000);
  note("b", kBegin, 60'000);
  idle_.end(id("b"));
  EXPECT_EQ(beyond_limit(after(5'000)), Names{});
  note("b", after(5'000), 60'000);
  EXPECT_EQ(beyond_limit(after(5'000)), Names{"a"});
}

TEST_F(IdleDocumentsTest, OneThatCameBackUnderItsNameWaitsItsOwnTime) {
  note("a", kBegin, 100'000);
  idle_.forget(id("a"));
  note("a", after(5'000), 100'000);
  EXPECT_EQ(beyond_limit(after(9'000)), Names{}) << "what was forgotten takes nothing";
  EXPECT_EQ(due(after(14'999)), Names{});
  EXPECT_EQ(due(after(15'200)), Names{"a"});
  EXPECT_EQ(idle_.next_moment(), std::nullopt);
}

TEST_F(IdleDocumentsTest, OneThatCameBackUnderItsNameTakesItsOwnTurn) {
  constexpr uint64_t kBytesOfASecond = 1'000 * 1'024;
  note("a", kBegin, 10 * kBytesOfASecond);
  note("b", kBegin, 30 * kBytesOfASecond);
  EXPECT_EQ(due(after(10'000)), Names{});
  idle_.forget(id("a"));
  note("a", after(9'000), 30 * kBytesOfASecond);
  EXPECT_EQ(due(after(19'000)), Names{});
  EXPECT_EQ(beyond_limit(after(19'000)), (Names{"b", "a"}));
}

// Against a model that knows since when each is idle: small documents leave on the millisecond, never one that is used.
TEST_F(IdleDocumentsTest, LeaveOnTimeWhateverHappensToThem) {
  std::mt19937_64 random(3);
  std::map<std::string, TimestampMs> since;
  TimestampMs now = kBegin;
  size_t left = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::string name(1, static_cast<char>('a' + random() % 12));
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        note(name, now);
        since.try_emplace(name, now);
        break;
      case 3:
        idle_.end(id(name));
        since.erase(name);
        break;
      case 4:
        if (random() % 8 != 0) break;
        idle_.forget(id(name));
        since.erase(name);
        break;
      default: {
        const TimestampMs next = now + DurationMs{static_cast<int64_t>(random() % 3'000)};
        for (auto moment = idle_.next_moment(); moment && *moment <= next; moment = idle_.next_moment()) {
          for (const std::string& one : due(*moment)) {
            ASSERT_TRUE(since.contains(one)) << one << " is used";
            ASSERT_EQ(since.at(one) + kBeforeUnload, *moment);
            since.erase(one);
            ++left;
          }
        }
        now = next;
        for (const auto& [one, noted] : since) ASSERT_LT(now, noted + kBeforeUnload) << one << " was forgotten";
      }
    }
  }
  EXPECT_GT(left, 1'000u);
}

}  // namespace
}  // namespace diaryx::sync::relay
