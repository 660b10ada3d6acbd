#include "replica/asked_actions.h"

#include <gtest/gtest.h>

#include <set>

namespace diaryx::sync {
namespace {

TEST(AskedActions, GivesNoTicketTwiceAndNeverThatOfNobody) {
  AskedActions asked;
  std::set<Ticket> given{Ticket{}};
  for (int i = 0; i < 10; ++i) {
    const Ticket ticket = asked.ask("a.md");
    EXPECT_TRUE(given.insert(ticket).second);
    EXPECT_TRUE(given.insert(asked.next_ticket()).second);
    asked.take(ticket);
  }
}

TEST(AskedActions, AreAnsweredOnce) {
  AskedActions asked;
  const Ticket ticket = asked.ask("a.md");
  const auto answered = asked.take(ticket);
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->path, "a.md");
  EXPECT_FALSE(answered->is_settled);
  EXPECT_FALSE(asked.take(ticket));
  EXPECT_FALSE(asked.take(Ticket{}));
  EXPECT_FALSE(asked.take(asked.next_ticket()));
}

TEST(AskedActions, FollowTheirFileAndSayThatTheyWereSettled) {
  AskedActions asked;
  const Ticket moved = asked.ask("a.md");
  const Ticket other = asked.ask("a.md");
  asked.follow(moved, "b.md");
  asked.settle(moved);
  const auto answered = asked.take(moved);
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->path, "b.md");
  EXPECT_TRUE(answered->is_settled);
  const auto untouched = asked.take(other);
  ASSERT_TRUE(untouched);
  EXPECT_EQ(untouched->path, "a.md");
  EXPECT_FALSE(untouched->is_settled);
}

TEST(AskedActions, AreNotMadeByWhatIsSaidOfThemTooLate) {
  AskedActions asked;
  const Ticket ticket = asked.ask("a.md");
  asked.take(ticket);
  asked.settle(ticket);
  asked.follow(ticket, "b.md");
  EXPECT_FALSE(asked.take(ticket));
}

}  // namespace
}  // namespace diaryx::sync
