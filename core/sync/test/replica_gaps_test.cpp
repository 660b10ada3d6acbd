// Changes that build on others which did not come: asked for once, and not called synced before the answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "talk.h"

namespace diaryx::sync {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kReceipts = R"({"type":"server_hello","name":"s","version":"1","receipts":true})";

/// A device in step with a server that has the note `a.md`.
Talk in_step() {
  Talk talk;
  talk.list("a.md", "one\n");
  talk.connect(kReceipts);
  talk.text(Saved{"workspace:ws1", 1});
  talk.answer_all();
  talk.forget();
  EXPECT_TRUE(talk.replica.settled());
  return talk;
}

std::string entry(const std::string& path) { return format_metadata({.filename = path}); }

TEST(Gaps, InTheListAreAskedForAtOnce) {
  Talk talk = in_step();
  (void)talk.set_entry("b.md", entry("b.md"));  // and does not come
  const Bytes later = talk.set_entry("c.md", entry("c.md"));
  talk.frame("workspace:ws1", {Update{later}});
  EXPECT_EQ(talk.frames, 1u);
  EXPECT_FALSE(talk.replica.settled());
  EXPECT_EQ(talk.replica.status().unsaved_documents, 1u);
  EXPECT_THAT(talk.problems, IsEmpty()) << "the server has it";

  talk.answer("workspace:ws1");
  talk.answer_all();
  EXPECT_THAT(talk.replica.text_files(), ElementsAre("a.md", "b.md", "c.md"));
  EXPECT_TRUE(talk.replica.settled());
  EXPECT_THAT(talk.problems, IsEmpty());
}

TEST(Gaps, InANoteAreAskedForAtOnce) {
  Talk talk = in_step();
  (void)talk.type("a.md", "two\n");  // and does not come
  const Bytes later = talk.type("a.md", "three\n");
  talk.frame("body:ws1/a.md", {Update{later}});
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  EXPECT_FALSE(talk.replica.settled());
  talk.answer("body:ws1/a.md");
  EXPECT_EQ(talk.disk["a.md"], "one\ntwo\nthree\n");
  EXPECT_TRUE(talk.replica.settled());
}

TEST(Gaps, ThatNobodyHasFilledAreToldAndNotAskedForAgain) {
  Talk talk = in_step();
  const Bytes lost = talk.type("a.md", "two\n");
  const Bytes later = talk.type("a.md", "three\n");
  talk.frame("body:ws1/a.md", {Update{later}});
  talk.frame("body:ws1/a.md", {SyncStep2{later}});  // all that the server has
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("a.md: changes wait for earlier ones")));
  EXPECT_TRUE(talk.replica.settled()) << "the server has no more, as when a device is offline";
  talk.frame("body:ws1/a.md", {Update{talk.type("a.md", "four\n")}});
  talk.pass(60'000);
  EXPECT_THAT(talk.asked, ElementsAre("a.md")) << "once";

  talk.frame("body:ws1/a.md", {Update{lost}});  // its device came back
  EXPECT_EQ(talk.disk["a.md"], "one\ntwo\nthree\nfour\n");
  EXPECT_TRUE(talk.replica.settled());
}

TEST(Gaps, OfTheListThatNobodyHasFilledAreTold) {
  Talk talk = in_step();
  const Bytes lost = talk.set_entry("b.md", entry("b.md"));
  const Bytes later = talk.set_entry("c.md", entry("c.md"));
  talk.frame("workspace:ws1", {Update{later}});
  talk.frame("workspace:ws1", {SyncStep2{later}});
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr(": changes wait for earlier ones")));
  EXPECT_TRUE(talk.replica.settled()) << "the server has no more, as when a device is offline";
  talk.frame("workspace:ws1", {Update{lost}});
  talk.answer_all();
  EXPECT_THAT(talk.replica.text_files(), ElementsAre("a.md", "b.md", "c.md"));
  EXPECT_TRUE(talk.replica.settled());
}

TEST(Gaps, AreFilledByAnAnswerThatProvesNothingOfWhatWasSentBehindTheQuestion) {
  Talk talk;
  talk.list("a.md", "one\n");
  talk.connect(
      "");  // a server without receipts: it is asked what it has, and the answer proves that it has what came before
  talk.answer("workspace:ws1");
  talk.answer_all();
  ASSERT_TRUE(talk.replica.settled());
  talk.forget();
  (void)talk.type("a.md", "two\n");
  talk.frame("body:ws1/a.md", {Update{talk.type("a.md", "three\n")}});
  talk.user_writes("a.md", "mine\none\n");
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.answer("body:ws1/a.md");
  EXPECT_FALSE(talk.replica.settled());
  EXPECT_THAT(talk.asked, ElementsAre("a.md", "a.md"));
  talk.answer("body:ws1/a.md");
  EXPECT_TRUE(talk.replica.settled());
  EXPECT_EQ(talk.disk["a.md"], "mine\none\ntwo\nthree\n");
}

TEST(Gaps, OfAnEarlierRunAreKnownAtOnce) {
  Talk talk = in_step();
  (void)talk.type("a.md", "two\n");
  talk.stored_updates.emplace_back("body:a.md", talk.type("a.md", "three\n"));  // what was between them was not stored
  talk.restart();
  talk.connect(kReceipts);
  talk.text(Saved{"workspace:ws1", 1});
  EXPECT_FALSE(talk.replica.settled());
  talk.answer_all();
  EXPECT_EQ(talk.disk["a.md"], "one\ntwo\nthree\n");
  EXPECT_TRUE(talk.replica.settled());
  EXPECT_THAT(talk.problems, IsEmpty());
}

}  // namespace
}  // namespace diaryx::sync
