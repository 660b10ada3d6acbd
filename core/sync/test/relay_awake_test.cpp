// When documents that were worked on become bytes again.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "relay/awake_documents.h"

namespace diaryx::sync::relay {
namespace {

constexpr size_t kMaxResting = 64u << 10;
constexpr TimestampMs kBegin{1'000'000};

using Names = std::vector<std::string>;

constexpr TimestampMs after(int64_t ms) { return kBegin + DurationMs{ms}; }

class AwakeDocumentsTest : public ::testing::Test {
 protected:
  /// It is woken and worked on in a call of its own. True if it is to rest when the call ends.
  bool edit(TimestampMs now, uint64_t size_bytes) {
    awake_.on_waking(a_, times_, size_bytes, now);
    awake_.on_work(times_, now);
    return settle_one(now, size_bytes);
  }
  bool settle_one(TimestampMs now, uint64_t size_bytes) {
    const auto unsettled = awake_.take_unsettled();
    EXPECT_EQ(unsettled.size(), 1u);
    return awake_.settle(unsettled.at(0), times_, size_bytes, now);
  }
  void stay_awake(TimestampMs now, uint64_t size_bytes) {
    EXPECT_TRUE(edit(now, size_bytes));
    EXPECT_FALSE(edit(now, size_bytes));
  }
  bool is_due(TimestampMs now) {
    const SharedDocId due = awake_.take_due(now);
    EXPECT_TRUE(due == nullptr || due == a_);
    return due != nullptr;
  }

  AwakeDocuments awake_{kMaxResting};
  SharedDocId a_ = std::make_shared<const DocId>("body:ws1/a.md");
  WorkTimes times_;
};

TEST_F(AwakeDocumentsTest, ASmallOneRestsAtOnceAfterASingleEdit) {
  EXPECT_TRUE(edit(kBegin, 16u << 10));
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
  EXPECT_EQ(awake_.unsettled(), 0u);
}

TEST_F(AwakeDocumentsTest, ALargerOneWaitsForItsCheck) {
  EXPECT_FALSE(edit(kBegin, (16u << 10) + 1));
  EXPECT_EQ(awake_.next_moment(), after(3'250)) << "1000 ms and one for each 8 bytes, rounded up";
}

TEST_F(AwakeDocumentsTest, OneThatIsLoadedRestsAtOnce) {
  awake_.on_loaded(a_);
  EXPECT_EQ(awake_.unsettled(), 1u);
  EXPECT_TRUE(settle_one(kBegin, 100));
}

TEST_F(AwakeDocumentsTest, OneThatIsEditedAgainSoonStays) {
  EXPECT_TRUE(edit(kBegin, 800));
  EXPECT_TRUE(edit(after(1'100), 800));
  EXPECT_FALSE(edit(after(2'199), 800));
  EXPECT_FALSE(is_due(after(3'499)));
  EXPECT_TRUE(is_due(after(3'500)));
  EXPECT_TRUE(awake_.check(a_, times_, 800, after(3'500)));
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
}

TEST_F(AwakeDocumentsTest, OneThatIsEditedOnIsCheckedUntilItIsLeftAlone) {
  stay_awake(kBegin, 8);
  awake_.on_work(times_, after(1'000));
  EXPECT_TRUE(is_due(after(1'250)));
  EXPECT_FALSE(awake_.check(a_, times_, 8, after(1'250)));
  EXPECT_EQ(awake_.next_moment(), after(2'250));
  EXPECT_TRUE(is_due(after(2'250)));
  EXPECT_TRUE(awake_.check(a_, times_, 8, after(2'250)));
}

TEST_F(AwakeDocumentsTest, OneIsLeftAloneFromTheMillisecondOn) {
  stay_awake(kBegin, 8);
  EXPECT_FALSE(awake_.check(a_, times_, 8, after(1'000)));
  EXPECT_TRUE(awake_.check(a_, times_, 8, after(1'001)));
}

TEST_F(AwakeDocumentsTest, OneThatCouldNotRestIsCheckedAgain) {
  stay_awake(kBegin, 8);
  EXPECT_TRUE(is_due(after(1'250)));
  EXPECT_TRUE(awake_.check(a_, times_, 8, after(1'250)));
  awake_.check_later(a_, times_, 8, after(1'250));
  EXPECT_EQ(awake_.next_moment(), after(2'500));
}

TEST_F(AwakeDocumentsTest, ManyAreDueInTheOrderOfTheirChecks) {
  stay_awake(kBegin, 8);
  const auto b = std::make_shared<const DocId>("body:ws1/b.md");
  awake_.check_later(b, times_, 8, after(500));
  awake_.check_later(b, times_, 8'000, kBegin);
  EXPECT_EQ(awake_.take_due(after(1'249)), nullptr);
  EXPECT_EQ(awake_.take_due(after(1'250)), a_);
  EXPECT_EQ(awake_.take_due(after(2'249)), b);
  EXPECT_EQ(awake_.take_due(after(2'249)), nullptr);
  EXPECT_EQ(awake_.take_due(after(2'250)), b);
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
}

TEST_F(AwakeDocumentsTest, OneBeyondTheLimitWaitsForNoCheck) {
  EXPECT_FALSE(edit(kBegin, kMaxResting + 1));
  EXPECT_FALSE(edit(kBegin, kMaxResting + 1));
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
  stay_awake(after(100'000), 8);
  EXPECT_TRUE(is_due(after(102'000)));
  EXPECT_FALSE(awake_.check(a_, times_, kMaxResting + 1, after(102'000))) << "it has grown";
  EXPECT_FALSE(awake_.check(a_, times_, kMaxResting + 1, after(200'000)));
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
}

TEST_F(AwakeDocumentsTest, OneBeyondASmallLimitDoesNotRestAtOnceEither) {
  awake_ = AwakeDocuments(100);
  EXPECT_FALSE(edit(kBegin, 101));
  EXPECT_EQ(awake_.next_moment(), std::nullopt);
}

TEST_F(AwakeDocumentsTest, OneBeyondTheLimitRestsAsWhatSomebodyWasToldButNotEachTime) {
  constexpr uint64_t kLarge = 32'768 * 10;
  EXPECT_TRUE(awake_.rests_as_told(times_, kLarge, kBegin)) << "it was never woken";
  edit(kBegin, kLarge);
  EXPECT_FALSE(awake_.rests_as_told(times_, kLarge, after(29)));
  EXPECT_TRUE(awake_.rests_as_told(times_, kLarge, after(30)));
  EXPECT_FALSE(awake_.rests_as_told(times_, kMaxResting, after(30))) << "it rests by itself";
  edit(after(40), kMaxResting);
  EXPECT_TRUE(awake_.rests_as_told(times_, kLarge, after(41))) << "waking it was cheap";
}

TEST_F(AwakeDocumentsTest, ItsNewestUpdateIsKeptForTheOneItWokeFor) {
  const auto b = std::make_shared<const DocId>("body:ws1/b.md");
  const auto first = std::make_shared<const Bytes>(Bytes{1});
  const auto second = std::make_shared<const Bytes>(Bytes{2});
  awake_.on_append(b, first);  // awake already
  awake_.on_loaded(a_);
  awake_.on_loaded(b);
  awake_.on_waking(a_, times_, 8, kBegin);  // once more
  awake_.on_append(a_, first);
  awake_.on_append(a_, second);
  EXPECT_EQ(awake_.unsettled(), 3u);
  const auto unsettled = awake_.take_unsettled();
  ASSERT_EQ(unsettled.size(), 3u);
  EXPECT_EQ(unsettled[0].appended, nullptr);
  EXPECT_EQ(unsettled[1].appended, nullptr);
  EXPECT_EQ(unsettled[2].document, a_);
  EXPECT_EQ(unsettled[2].appended, second);
  EXPECT_TRUE(awake_.take_unsettled().empty());
}

}  // namespace
}  // namespace diaryx::sync::relay
