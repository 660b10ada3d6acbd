// Which bodies are asked for whatever the server lists.
#include "replica/unsynced.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

using Keys = Unsynced::Keys;

TEST(Unsynced, AMarkIsNewOnce) {
  Unsynced unsynced;
  EXPECT_FALSE(unsynced.is_marked("a"));
  EXPECT_TRUE(unsynced.mark("a"));
  EXPECT_FALSE(unsynced.mark("a"));
  EXPECT_TRUE(unsynced.is_marked("a"));
  unsynced.unmark("a");
  EXPECT_FALSE(unsynced.is_marked("a"));
  EXPECT_TRUE(unsynced.mark("a"));
}

TEST(Unsynced, AMarkOfAnEarlierRunIsNotStoredAgain) {
  Unsynced unsynced;
  unsynced.restore("a");
  EXPECT_TRUE(unsynced.is_marked("a"));
  EXPECT_FALSE(unsynced.mark("a"));
  EXPECT_EQ(unsynced.take(), Keys{"a"});
}

TEST(Unsynced, MarksStayUntilTheyAreTakenAwayWhileWhatIsLeftOverIsTakenOnce) {
  Unsynced unsynced;
  unsynced.mark("a");
  unsynced.leave("b");
  unsynced.leave(Keys{"a", "c"});
  EXPECT_EQ(unsynced.take(), (Keys{"a", "b", "c"}));
  EXPECT_EQ(unsynced.take(), Keys{"a"});
  unsynced.unmark("a");
  EXPECT_EQ(unsynced.take(), Keys{});
}

TEST(Unsynced, AnAnswerEndsWhatIsLeftOverAndNoMark) {
  Unsynced unsynced;
  unsynced.mark("a");
  unsynced.leave("a");
  unsynced.leave("b");
  unsynced.on_answered("a");
  unsynced.on_answered("b");
  EXPECT_EQ(unsynced.take(), Keys{"a"});
  EXPECT_FALSE(unsynced.is_marked("b"));
}

TEST(Unsynced, ABodyIsDamagedIfSomethingOfItIsUnreadableOrStillLacksItsBase) {
  Unsynced unsynced;
  unsynced.on_incomplete("late");  // its base comes last
  unsynced.on_incomplete("torn");
  unsynced.on_whole("late");
  unsynced.on_unreadable("spoilt");
  unsynced.on_whole("spoilt");  // of what could be read
  unsynced.on_whole("good");
  EXPECT_EQ(unsynced.take_damaged(), (Keys{"spoilt", "torn"}));
  EXPECT_TRUE(unsynced.take_damaged().empty());
}

TEST(Unsynced, TheFirstLookOfARunIsOne) {
  Unsynced unsynced;
  EXPECT_TRUE(unsynced.take_first_look());
  EXPECT_FALSE(unsynced.take_first_look());
}

}  // namespace
}  // namespace diaryx::sync
