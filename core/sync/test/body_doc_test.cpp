// Whose text a document is, and what of it is another file's.
#include "replica/body_doc.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

constexpr const char* kKey = "a.md";

/// A document in which `file` began, with a text that its device typed.
BodyDoc begun(ClientId client, const std::string& file, const std::string& text) {
  BodyDoc doc(client, kKey);
  doc.claim(file);
  doc.set_text("", text);
  return doc;
}

/// What a server passes on of an update: what was new to it, so of two claims of one key the loser would not be readable.
Bytes relayed(BodyDoc& server, ByteView update) { return server.doc().apply_update_v1(update)->update_v1(); }

void take_out_strays(BodyDoc& doc) {
  for (const std::string& rival : doc.rivals()) doc.note_left(rival);
  doc.erase_operations(doc.strays({}));
}

TEST(BodyDoc, TellsTwoFilesApartThatBeganInOneDocument) {
  for (const bool swapped : {false, true}) {
    BodyDoc one = begun(ClientId{11}, swapped ? "two" : "one", swapped ? "the text of two" : "the text of one");
    BodyDoc two = begun(ClientId{12}, swapped ? "one" : "two", swapped ? "the text of one" : "the text of two");
    BodyDoc server(ClientId{1}, kKey);
    const Bytes first = relayed(server, one.doc().encode_update_v1());
    const Bytes second = relayed(server, two.doc().encode_update_v1());
    ASSERT_TRUE(one.doc().apply_update_v1(second));
    ASSERT_TRUE(two.doc().apply_update_v1(first));
    // A third one sees all at once, a fourth one piece by piece.
    BodyDoc third(ClientId{13}, kKey);
    ASSERT_TRUE(third.doc().apply_update_v1(server.doc().encode_update_v1()));
    BodyDoc fourth(ClientId{14}, kKey);
    ASSERT_TRUE(fourth.doc().apply_update_v1(first));
    take_out_strays(fourth);
    ASSERT_TRUE(fourth.doc().apply_update_v1(second));
    for (BodyDoc* const doc : {&one, &two, &third, &fourth}) {
      EXPECT_EQ(doc->owner(), "one");
      take_out_strays(*doc);
      EXPECT_EQ(doc->body(), "the text of one");
      EXPECT_TRUE(doc->rivals().empty());
    }
  }
}

TEST(BodyDoc, TakesOutWhatIsTypedLateInAFileThatLeft) {
  BodyDoc doc = begun(ClientId{11}, "one", "the text of one");
  BodyDoc late = begun(ClientId{12}, "two", "two");
  ASSERT_TRUE(doc.doc().apply_update_v1(late.doc().encode_update_v1()));
  take_out_strays(doc);
  late.set_text("", "two, and more");
  ASSERT_TRUE(doc.doc().apply_update_v1(late.doc().encode_update_v1()));
  take_out_strays(doc);
  EXPECT_EQ(doc.body(), "the text of one");
}

TEST(BodyDoc, KnowsWhatIsTypedLateOnceAllThatTheFileHadIsTakenOut) {
  BodyDoc doc = begun(ClientId{12}, "two", "two");
  BodyDoc late(ClientId{13}, kKey);
  ASSERT_TRUE(late.doc().apply_update_v1(doc.doc().encode_update_v1()));
  late.set_text("", "two, later");
  ASSERT_TRUE(doc.doc().apply_update_v1(late.doc().encode_update_v1()));
  // Another file is found to hold the document: this one leaves it, as `on_document_taken` has it.
  doc.note_left("two");
  doc.erase_operations(doc.operations());
  EXPECT_EQ(doc.body(), "");
  doc.claim("one");
  late.set_text("---\ntitle: Two\n---\n", "two, later, and more");
  ASSERT_TRUE(doc.doc().apply_update_v1(late.doc().encode_update_v1()));
  take_out_strays(doc);
  EXPECT_EQ(doc.owner(), "one");
  EXPECT_EQ(doc.head() + doc.body(), "");
}

TEST(BodyDoc, KnowsImportsOfEveryFile) {
  for (const std::string file : {"one", "0a1b"}) {
    const Bytes seed = seed_update(kKey, file, "", "imported");
    BodyDoc doc = begun(ClientId{11}, "0", "typed");
    ASSERT_TRUE(doc.doc().apply_update_v1(seed));
    take_out_strays(doc);
    EXPECT_EQ(doc.body(), "typed") << file;
  }
  const std::string first = seed_name(kKey, "", "imported");  // of the first file under a path
  BodyDoc doc = begun(ClientId{11}, "0", "typed");
  ASSERT_TRUE(doc.doc().apply_update_v1(seed_update(kKey, first, "", "imported")));
  take_out_strays(doc);
  EXPECT_EQ(doc.body(), "typed");
}

TEST(BodyDoc, ANoteThatAFileLeftIsNoneInItsOtherDocuments) {
  BodyDoc doc = begun(ClientId{11}, "one", "text");
  doc.note_left("two");
  EXPECT_EQ(doc.files_that_left(), std::vector<std::string>{"two"});
  BodyDoc other(ClientId{11}, "b.md");
  ASSERT_TRUE(other.doc().apply_update_v1(doc.doc().encode_update_v1()));
  EXPECT_TRUE(other.files_that_left().empty());
  EXPECT_EQ(other.owner(), "one");
  doc.note_left("one");
  EXPECT_EQ(doc.owner(), kNobody);
}

TEST(BodyDoc, NotesThatFilesLeftStayWhenTheLastOneIsTakenOut) {
  BodyDoc doc = begun(ClientId{11}, "one", "the text of one");
  doc.note_left("two");
  BodyDoc other(ClientId{12}, kKey);
  ASSERT_TRUE(other.doc().apply_update_v1(doc.doc().encode_update_v1()));
  other.note_left("three");
  ASSERT_TRUE(doc.doc().apply_update_v1(other.doc().encode_update_v1()));
  doc.note_left("one");
  doc.erase_operations(doc.operations());
  EXPECT_EQ(doc.body(), "");
  EXPECT_EQ(doc.owner(), kNobody);
  EXPECT_EQ(doc.files_that_left(), (std::vector<std::string>{"one", "three", "two"}));
}

TEST(BodyDoc, LeavesWhatOtherProgramsTypedToTheOwner) {
  BodyDoc doc = begun(ClientId{11}, "one", "text");
  BodyDoc editor(ClientId{4'000'000'000}, kKey);  // knows nothing of files
  ASSERT_TRUE(editor.doc().apply_update_v1(doc.doc().encode_update_v1()));
  crdt::Doc& plain = editor.doc();
  crdt::Transaction txn = plain.transact();
  ASSERT_TRUE(plain.text("body").insert(txn, Utf16Offset{4}, ", typed in an editor"));
  const Bytes update = std::move(txn).commit().update_v1();
  ASSERT_TRUE(doc.doc().apply_update_v1(update));
  take_out_strays(doc);
  EXPECT_EQ(doc.body(), "text, typed in an editor");
}

}  // namespace
}  // namespace diaryx::sync
