// Updates that were made on this device outside the replica: by a host that edits documents itself, or by a command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "talk.h"

namespace diaryx::sync {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

/// Types behind a copy of the document that the replica has.
Bytes typed_behind(const Talk& talk, const std::string& doc, const std::string& text) {
  crdt::Doc copy({.client = ClientId{55}});
  EXPECT_TRUE(copy.apply_update_v1(talk.replica.document_state(doc)));
  crdt::Text body = copy.text("body");
  crdt::Transaction txn = copy.transact();
  EXPECT_TRUE(body.insert(txn, Utf16Offset{body.length().value()}, text));
  return std::move(txn).commit().update_v1();
}

TEST(UpdateMade, IsStoredSentAndWrittenOnce) {
  Talk talk;
  talk.list("a.md", "text");
  talk.connect();
  talk.answer_body("a.md");
  talk.forget();
  const size_t stored = talk.stored_updates.size();

  const Bytes update = typed_behind(talk, "body:a.md", " and more");
  talk.feed(UpdateMade{"body:a.md", update});
  EXPECT_EQ(talk.disk["a.md"], "text and more");
  EXPECT_THAT(talk.stored_updates, SizeIs(stored + 1));
  ASSERT_THAT(talk.updates, SizeIs(1));
  EXPECT_EQ(talk.updates[0].first, "body:ws1/a.md");
  EXPECT_TRUE(talk.doc("body:ws1/a.md").apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text and more");

  talk.feed(UpdateMade{"body:a.md", update});  // known by now
  EXPECT_THAT(talk.updates, SizeIs(1));
  EXPECT_THAT(talk.stored_updates, SizeIs(stored + 1));
}

TEST(UpdateMade, ReachesTheServerWhenItIsMadeOffline) {
  Talk talk;
  talk.list("a.md", "text");
  talk.connect();
  talk.answer_body("a.md");
  talk.feed(Disconnected{});
  talk.forget();
  talk.feed(UpdateMade{"body:a.md", typed_behind(talk, "body:a.md", ", offline")});
  EXPECT_THAT(talk.updates, IsEmpty());
  EXPECT_EQ(talk.replica.status().unsaved_documents, 1u);

  talk.connect();
  talk.answer_all();
  for (const auto& [id, update] : talk.updates) {
    if (id == "body:ws1/a.md") EXPECT_TRUE(talk.doc(id).apply_update_v1(update));
  }
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text, offline");
  EXPECT_EQ(talk.disk["a.md"], "text, offline");
}

TEST(UpdateMade, OfTheFileListIsSentToo) {
  Talk talk;
  talk.connect();
  talk.forget();
  crdt::Doc copy({.client = ClientId{55}});
  crdt::Transaction txn = copy.transact();
  copy.map("files").set(txn, "b.md", crdt::Any::string(format_metadata({.filename = "b.md"})));
  talk.feed(UpdateMade{"workspace", std::move(txn).commit().update_v1()});
  ASSERT_THAT(talk.updates, SizeIs(1));
  EXPECT_EQ(talk.updates[0].first, "workspace:ws1");
  EXPECT_TRUE(talk.replica.metadata("b.md"));
  EXPECT_THAT(talk.asked, testing::Contains("b.md"));
}

TEST(UpdateMade, ThatCannotBeReadChangesNothing) {
  Talk talk;
  talk.list("a.md", "text");
  talk.connect();
  talk.answer_body("a.md");
  talk.forget();
  const Bytes nonsense{9, 9, 9};
  talk.feed(UpdateMade{"body:a.md", nonsense});
  talk.feed(UpdateMade{"workspace", nonsense});
  talk.feed(UpdateMade{"something", nonsense});
  EXPECT_THAT(talk.problems, SizeIs(2));
  EXPECT_THAT(talk.updates, IsEmpty());
  EXPECT_EQ(talk.replica.body_text("a.md"), "text");
}

}  // namespace
}  // namespace diaryx::sync
