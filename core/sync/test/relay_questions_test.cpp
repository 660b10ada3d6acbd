// What connections asked about changes: what the answer says, and when it is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "diaryx/sync/control.h"
#include "relay/change_questions.h"

namespace diaryx::sync::relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ConnectionId kAsker{1};
constexpr Ticket kQuestion{100};

Changes changes_of(const ChangeQuestions::Answer& answer) {
  const auto message = parse_control(*answer.text);
  EXPECT_TRUE(message && std::holds_alternative<Changes>(*message)) << *answer.text;
  return std::get<Changes>(*message);
}

class ChangeQuestionsTest : public ::testing::Test {
 protected:
  void ask(Ticket ticket = kQuestion, ConnectionId who = kAsker, std::set<std::string> in_flight = {},
           const std::string& workspace = "ws1") {
    questions_.ask(ticket, {who, workspace, std::move(in_flight)});
  }
  /// The storage lists these documents.
  std::optional<ChangeQuestions::Answer> answer(std::vector<std::string> documents, std::set<Ticket> behind = {},
                                                Ticket ticket = kQuestion) {
    auto question = questions_.take(ticket);
    if (!question) return std::nullopt;
    const ChangesListed listed{
        .ticket = ticket, .known = true, .documents = std::move(documents), .through = Sequence{7}};
    return questions_.answer(std::move(*question), listed, std::move(behind));
  }
  /// Whom something is told once this append is answered.
  std::vector<ConnectionId> told_after(Ticket append) {
    std::vector<ConnectionId> told;
    for (const auto& answer : questions_.on_append_answered(append)) {
      EXPECT_EQ(changes_of(answer).workspace, "ws1");
      told.push_back(answer.to);
    }
    return told;
  }

  ChangeQuestions questions_{"line"};
};

TEST_F(ChangeQuestionsTest, KnowsItsOwnCursors) {
  EXPECT_EQ(questions_.sequence_of("line:12"), Sequence{12});
  for (const char* const other :
       {"", "line", "line:", "line:1x", "line:-1", "lin:12", "other:12", "line:line:12", "line:99999999999999999999"}) {
    EXPECT_EQ(questions_.sequence_of(other), std::nullopt) << other;
  }
  EXPECT_EQ(ChangeQuestions("").sequence_of(":12"), std::nullopt) << "this storage has no cursors";
}

TEST_F(ChangeQuestionsTest, TellsTheBodiesThatWereListed) {
  ask();
  const auto told = answer({"body:ws1/a.md", "workspace:ws1", "no document"});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->to, kAsker);
  const Changes changes = changes_of(*told);
  EXPECT_EQ(changes.workspace, "ws1");
  EXPECT_EQ(changes.cursor, "line:7");
  EXPECT_TRUE(changes.known);
  EXPECT_THAT(changes.keys, ElementsAre("a.md"));
  EXPECT_FALSE(answer({})) << "it is answered";
}

TEST_F(ChangeQuestionsTest, TellsWhatWasInFlightWhenItWasAskedOnceAndInOrder) {
  ask(kQuestion, kAsker, {"body:ws1/c.md", "body:ws1/a.md", "workspace:ws1"});
  const auto told = answer({"body:ws1/b.md", "body:ws1/a.md"});
  ASSERT_TRUE(told);
  EXPECT_THAT(changes_of(*told).keys, ElementsAre("a.md", "b.md", "c.md"));
}

TEST_F(ChangeQuestionsTest, OfAnUnknownCursorNoBodyIsTold) {
  ask(kQuestion, kAsker, {"body:ws1/a.md"});
  const ChangesListed listed{.ticket = kQuestion, .known = false, .documents = {}, .through = Sequence{}};
  const auto told = questions_.answer(*questions_.take(kQuestion), listed, {});
  ASSERT_TRUE(told);
  EXPECT_FALSE(changes_of(*told).known);
  EXPECT_THAT(changes_of(*told).keys, IsEmpty());
  EXPECT_EQ(changes_of(*told).cursor, "") << "nothing is stored";
}

TEST_F(ChangeQuestionsTest, IsAskedUntilTheStorageAnswers) {
  ask();
  EXPECT_TRUE(questions_.is_asked(kAsker, "ws1"));
  EXPECT_FALSE(questions_.is_asked(kAsker, "ws2"));
  EXPECT_FALSE(questions_.is_asked(ConnectionId{2}, "ws1"));
  EXPECT_FALSE(answer({}, {Ticket{5}}));
  EXPECT_FALSE(questions_.is_asked(kAsker, "ws1")) << "what is held may be asked again";
}

TEST_F(ChangeQuestionsTest, AnAnswerIsHeldUntilAllThatWasInFlightIsAnswered) {
  ask();
  EXPECT_FALSE(questions_.holds_answers());
  EXPECT_FALSE(answer({}, {Ticket{5}, Ticket{6}}));
  EXPECT_TRUE(questions_.holds_answers());
  EXPECT_THAT(told_after(Ticket{6}), IsEmpty());
  EXPECT_THAT(told_after(Ticket{7}), IsEmpty()) << "it came later";
  EXPECT_THAT(told_after(Ticket{5}), ElementsAre(kAsker));
  EXPECT_FALSE(questions_.holds_answers());
  EXPECT_THAT(told_after(Ticket{5}), IsEmpty());
}

TEST_F(ChangeQuestionsTest, HeldAnswersAreToldInTheirOrder) {
  for (const uint64_t number : {3, 1, 2}) {
    ask(Ticket{number}, ConnectionId{number});
    const Ticket behind{number == 1 ? 6u : 5u};
    EXPECT_FALSE(answer({}, {behind}, Ticket{number}));
  }
  EXPECT_THAT(told_after(Ticket{5}), ElementsAre(ConnectionId{3}, ConnectionId{2}));
  EXPECT_THAT(told_after(Ticket{6}), ElementsAre(ConnectionId{1}));
}

TEST_F(ChangeQuestionsTest, WhoLeftIsToldNothing) {
  ask();
  EXPECT_FALSE(answer({}, {Ticket{5}}));
  ask();
  questions_.forget(kAsker, "ws1");
  EXPECT_FALSE(questions_.is_asked(kAsker, "ws1"));
  EXPECT_FALSE(questions_.holds_answers());
  EXPECT_FALSE(answer({}));
  EXPECT_THAT(told_after(Ticket{5}), IsEmpty());
}

TEST_F(ChangeQuestionsTest, LeavingOneWorkspaceEndsNoQuestionsOfOthers) {
  ask(Ticket{1});
  ask(Ticket{2}, kAsker, {}, "ws2");
  ask(Ticket{3}, ConnectionId{2});
  EXPECT_FALSE(answer({}, {Ticket{5}}, Ticket{3}));
  questions_.forget(kAsker, "ws2");
  EXPECT_TRUE(questions_.is_asked(kAsker, "ws1"));
  EXPECT_FALSE(questions_.is_asked(kAsker, "ws2"));
  EXPECT_THAT(told_after(Ticket{5}), ElementsAre(ConnectionId{2}));
}

}  // namespace
}  // namespace diaryx::sync::relay
