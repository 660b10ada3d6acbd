// Which note an editor has open, while files are renamed, names reused and notes deleted.
#include <gtest/gtest.h>

#include "diaryx/sync/open_note.h"
#include "replica/body_doc.h"
#include "replica/workspace_doc.h"

namespace diaryx::sync::relay {
namespace {

struct OpenNotes : testing::Test {
  struct Said {
    std::string id;
    std::string document = {};  // if it is not the path
    std::string moved_to = {};
    bool deleted = false;
  };
  void list(const std::string& path, const Said& said) {
    FileMetadata entry;
    entry.filename = path;
    entry.deleted = said.deleted || !said.moved_to.empty();
    if (!said.id.empty()) set_extra_text(entry, kFileId, said.id);
    if (!said.document.empty()) set_extra_text(entry, kDocument, said.document);
    if (!said.moved_to.empty()) set_extra_text(entry, kMovedTo, said.moved_to);
    edit([&](crdt::Transaction& txn) { files.set_file(txn, path, entry); });
  }
  void home(const std::string& id, const Home& at) {
    edit([&](crdt::Transaction& txn) { files.set_home(txn, id, at); });
  }
  void rename(const std::string& id, const std::string& from, const std::string& to) {
    list(from, {.id = id, .moved_to = to});
    list(to, {.id = id});
    home(id, {to, to, {}});
  }
  OpenNote at(std::string_view path) { return note_at(files.doc(), path); }
  OpenNote now(OpenNote note) { return followed(files.doc(), std::move(note)); }

  template <typename Change>
  void edit(Change change) {
    crdt::Transaction txn = files.doc().transact();
    change(txn);
    std::move(txn).commit();
  }
  WorkspaceDoc files{ClientId{7}};
};

TEST_F(OpenNotes, AreWhereTheListHasThem) {
  EXPECT_EQ(at("a.md"), (OpenNote{"a.md", "a.md", ""})) << "nobody listed it";
  list("a.md", {.id = "X"});
  EXPECT_EQ(at("a.md"), (OpenNote{"a.md", "a.md", "X"}));
  list("a.md", {.id = "Y", .document = "~Y"});
  EXPECT_EQ(at("a.md"), (OpenNote{"a.md", "~Y", "Y"}));
  list("a.md", {.id = "not an id"});
  EXPECT_EQ(at("a.md"), (OpenNote{"a.md", "a.md", ""}));
}

TEST_F(OpenNotes, AreFoundUnderTheNameThatTheyLeft) {
  list("a.md", {.id = "X"});
  rename("X", "a.md", "b.md");
  rename("X", "b.md", "c.md");
  EXPECT_EQ(at("a.md"), (OpenNote{"a.md", "c.md", "X"}));
}

TEST_F(OpenNotes, StayTheFilesThatTheyWere) {
  list("a.md", {.id = "X"});
  const OpenNote first = at("a.md");
  rename("X", "a.md", "b.md");
  EXPECT_EQ(now(first).document, "b.md");
  list("a.md", {.id = "Y", .document = "~Y"});
  EXPECT_EQ(now(first).document, "b.md") << "another file has the path";
  const OpenNote other = at("a.md");
  rename("X", "b.md", "c.md");
  EXPECT_EQ(now(now(first)).document, "c.md");
  EXPECT_EQ(now(other).document, "~Y");
  list("c.md", {.id = "X", .moved_to = "a.md"});
  list("a.md", {.id = "X"});
  home("X", {"a.md", "a.md", {}});
  EXPECT_EQ(now(first).document, "a.md") << "it came back";
}

TEST_F(OpenNotes, AreFoundAlsoWhereTwoDevicesRenamedThemAtOnce) {
  list("a.md", {.id = "X"});
  const OpenNote note = at("a.md");
  rename("X", "a.md", "b.md");
  list("b.md", {.id = "X", .deleted = true});
  list("d.md", {.id = "X"});
  list("c.md", {.id = "X"});
  list("X.md", {.id = "Z"});
  home("X", {"b.md", "b.md", {}});  // the other's word, which came last
  EXPECT_EQ(now(note).document, "c.md");
  list("a.md", {.id = "Y", .document = "~Y"});
  EXPECT_EQ(now(note).document, "c.md");
}

TEST_F(OpenNotes, StayInTheirDocumentWhileTheyAreDeleted) {
  list("a.md", {.id = "X"});
  const OpenNote note = at("a.md");
  list("a.md", {.id = "X", .deleted = true});
  home("X", {"a.md", "a.md", std::string(kSeenUnknown)});
  EXPECT_EQ(now(note), note);
  list("a.md", {.id = "Y", .document = "~Y"});
  EXPECT_EQ(now(note), note) << "another file is not the one that was deleted";
  list("a (copy).md", {.id = "X", .document = "~X"});
  home("X", {"a (copy).md", "~X", {}});
  EXPECT_EQ(now(note).document, "~X") << "somebody had edited it: it lives on";
}

TEST_F(OpenNotes, AreKnownOnceTheyAreListed) {
  const OpenNote note = at("a.md");
  list("a.md", {.id = "Y", .document = "~Y"});
  EXPECT_EQ(now(note), note) << "what is typed here is not in that file";
  list("a.md", {.id = "X"});
  const OpenNote known = now(note);
  EXPECT_EQ(known.file_id, "X");
  rename("X", "a.md", "b.md");
  EXPECT_EQ(now(known).document, "b.md");
  EXPECT_EQ(now(note).document, "b.md") << "of an old peer, which gives files no ids: whoever renamed it gave it one";
}

TEST_F(OpenNotes, AreOfTheFilesThatTheirDocumentsName) {
  BodyDoc text{ClientId{9}, "a.md"};
  text.set_text("", "text\n");
  const OpenNote note{"a.md", "a.md", "Y"};
  EXPECT_EQ(owned(note, text.doc().encode_update_v1()), note);
  EXPECT_TRUE(may_be_of(note, text.doc().encode_update_v1()));
  text.claim("X");
  EXPECT_EQ(owned(note, text.doc().encode_update_v1()), (OpenNote{"a.md", "a.md", "X"}));
  EXPECT_FALSE(may_be_of(note, text.doc().encode_update_v1()));
  EXPECT_TRUE(may_be_of({"a.md", "a.md", "X"}, text.doc().encode_update_v1()));
  EXPECT_EQ(owned(note, Bytes{1, 2, 3}), note) << "what cannot be read says nothing";
}

TEST_F(OpenNotes, OfWhoHoldsAnEarlierTextAreItsFiles) {
  list("a.md", {.id = "X"});
  rename("X", "a.md", "b.md");
  list("a.md", {.id = "Y", .document = "~Y"});
  BodyDoc text{ClientId{9}, "a.md"};
  text.set_text("", "text\n");
  text.claim("X");
  EXPECT_EQ(now(owned({"a.md", "a.md"}, text.doc().encode_update_v1())), (OpenNote{"a.md", "b.md", "X"}));
}

}  // namespace
}  // namespace diaryx::sync::relay
