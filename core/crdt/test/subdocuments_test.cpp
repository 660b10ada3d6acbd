#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

std::string guids(const std::vector<Subdocument>& subdocuments) {
  std::string text;
  for (const Subdocument& one : subdocuments) text += one.guid + " ";
  return text;
}

/// added | removed | loaded
std::string changes_of(const Commit& commit) {
  const SubdocumentChanges changes = commit.subdocuments();
  return guids(changes.added) + "| " + guids(changes.removed) + "| " + guids(changes.loaded);
}

Commit put(Doc& doc, std::string_view key, NewSubdocument subdocument) {
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.map("m").set(txn, key, std::move(subdocument)).has_value());
  return std::move(txn).commit();
}

TEST(Subdocuments, AreListedWithTheirOptions) {
  Doc doc({.client = ClientId{1}});
  EXPECT_EQ(changes_of(put(doc, "a", {.guid = "plain"})), "plain | | plain ");
  const Any meta = Any::object({{"title", Any::string("T")}});
  EXPECT_EQ(changes_of(put(doc, "b", {.guid = "full", .meta = meta, .gc = false, .auto_load = true})),
            "full | | full ");
  EXPECT_EQ(guids(doc.subdocuments()), "plain full ");
  const Subdocument full = std::get<Subdocument>(*doc.map("m").at("b"));
  EXPECT_EQ(full.meta(), meta);
  EXPECT_TRUE(full.auto_load());
  EXPECT_FALSE(full.collects_garbage());
  const Subdocument plain = std::get<Subdocument>(*doc.map("m").at("a"));
  EXPECT_TRUE(plain.meta().is_null());
  EXPECT_FALSE(plain.auto_load());
  EXPECT_TRUE(plain.collects_garbage());
}

TEST(Subdocuments, AreLoadedElsewhereWhenAskedFor) {
  Doc doc({.client = ClientId{1}});
  (void)put(doc, "a", {.guid = "lazy"});
  (void)put(doc, "b", {.guid = "eager", .auto_load = true});
  Doc peer({.client = ClientId{2}});
  const auto commit = peer.apply_update_v1(doc.encode_update_v1());
  ASSERT_TRUE(commit.has_value());
  EXPECT_EQ(changes_of(*commit), "lazy eager | | eager ");
  ASSERT_FALSE(peer.subdocuments()[0].should_load);
  {
    Transaction txn = peer.transact();
    peer.load(txn, peer.subdocuments()[0]);
    peer.load(txn, peer.subdocuments()[0]);
    const Commit loaded = std::move(txn).commit();
    EXPECT_FALSE(loaded.changed());
    EXPECT_EQ(changes_of(loaded), "| | lazy ");
  }
  EXPECT_TRUE(peer.subdocuments()[0].should_load);
  Transaction txn = peer.transact();
  peer.unload(txn, peer.subdocuments()[0]);
  EXPECT_EQ(changes_of(std::move(txn).commit()), "lazy | lazy | ");
  EXPECT_FALSE(peer.subdocuments()[0].should_load);
}

TEST(Subdocuments, GoWithTheirItem) {
  Doc doc({.client = ClientId{1}});
  (void)put(doc, "a", {.guid = "one"});
  EXPECT_EQ(changes_of(put(doc, "a", {.guid = "two"})), "two | one | two ");
  {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.map("m").set(txn, "b", NewSubdocument{.guid = "short", .should_load = false}).has_value());
    EXPECT_TRUE(doc.map("m").erase(txn, "b"));
    EXPECT_EQ(changes_of(std::move(txn).commit()), "| | ");
  }
  UndoManager undo = doc.track_undo({.whole_document = true});
  {
    Transaction txn = doc.transact();
    doc.map("m").clear(txn);
    EXPECT_EQ(changes_of(std::move(txn).commit()), "| two | ");
  }
  EXPECT_TRUE(doc.subdocuments().empty());
  EXPECT_EQ(changes_of(undo.undo()), "two | | ");  // a copy, which nobody has asked for yet
  EXPECT_EQ(guids(doc.subdocuments()), "two ");
  doc.check_invariants();
}

// Other engines write options that are as they are by default, and some of their own. Bytes on the right: Yjs 13.6.33.
TEST(Subdocuments, AreWrittenWithTheOptionsThatYjsWrites) {
  struct Case {
    std::string_view name;
    std::string_view read;
    std::string_view written;
  };
  constexpr std::string_view kBegin = "010107002901016d01640167";
  for (const Case& one : {
           Case{"defaults_and_unknown_ones",
                "7605026763780a73686f756c644c6f616479086175746f4c6f61647808656e636f64696e677d01046d6574617e",
                "7601086175746f4c6f616478"},
           Case{"another_order", "7603046d657461760101617d0102676379037a7a7a7d02",
                "760202676379046d657461760101617d01"},
           Case{"no_object", "7d05", "7600"},
       }) {
    SCOPED_TRACE(one.name);
    const Bytes read = *from_hex(std::string(kBegin) + std::string(one.read) + "00");
    const std::string written = std::string(kBegin) + std::string(one.written) + "00";
    Doc doc({.client = ClientId{1}});
    ASSERT_TRUE(doc.apply_update_v1(read).has_value());
    EXPECT_EQ(to_hex(doc.encode_update_v1()), written);
    EXPECT_EQ(to_hex(*convert_v2_to_v1(*convert_v1_to_v2(read))), written);
    EXPECT_EQ(to_hex(*diff_update_v1(read, StateVector())), written);
  }
}

}  // namespace
}  // namespace diaryx::crdt
