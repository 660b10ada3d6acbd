#include "diaryx/crdt/undo.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

void type(Doc& doc, uint32_t at, std::string_view text, std::string_view tag = {}) {
  Transaction txn = doc.transact(TransactionOrigin::Local, tag);
  EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{at}, text).has_value());
  (void)std::move(txn).commit();
}

TEST(UndoManager, TakesBackOwnWorkAndLeavesThatOfOthers) {
  Doc mine({.client = ClientId{1}});
  Doc theirs({.client = ClientId{2}});
  UndoManager undo = mine.track_undo({.roots = {"t"}});
  type(mine, 0, "mine ");
  type(theirs, 0, "theirs ");
  ASSERT_TRUE(mine.apply_update_v1(theirs.encode_update_v1()).has_value());
  EXPECT_EQ(mine.text("t").to_string(), "mine theirs ");
  EXPECT_TRUE(undo.undo().changed());
  EXPECT_EQ(mine.text("t").to_string(), "theirs ");
  EXPECT_FALSE(undo.undo().changed());
  EXPECT_TRUE(undo.redo().changed());
  EXPECT_EQ(mine.text("t").to_string(), "mine theirs ");
  mine.check_invariants();
}

TEST(UndoManager, TakesTogetherWhatWasDoneInOneGo) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}, .capture_timeout = DurationMs{500}});
  doc.set_now(TimestampMs{1000});
  type(doc, 0, "a");
  doc.set_now(TimestampMs{1400});
  type(doc, 1, "b");
  doc.set_now(TimestampMs{2000});
  type(doc, 2, "c");
  (void)undo.undo();
  EXPECT_EQ(doc.text("t").to_string(), "ab");
  (void)undo.undo();
  EXPECT_EQ(doc.text("t").to_string(), "");
  EXPECT_FALSE(undo.can_undo());
  EXPECT_TRUE(undo.can_redo());
}

TEST(UndoManager, IgnoresOtherTags) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}, .tags = {"editor"}});
  type(doc, 0, "imported", "import");
  EXPECT_FALSE(undo.can_undo());
  type(doc, 0, "typed ", "editor");
  (void)undo.undo();
  EXPECT_EQ(doc.text("t").to_string(), "imported");
}

TEST(UndoManager, BringsBackWhatWasDeleted) {
  Doc doc({.client = ClientId{1}});
  type(doc, 0, "keep this");
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  Transaction txn = doc.transact();
  ASSERT_TRUE(doc.text("t").erase(txn, Utf16Offset{4}, Length{5}).has_value());
  (void)std::move(txn).commit();
  EXPECT_EQ(doc.text("t").to_string(), "keep");
  (void)undo.undo();
  EXPECT_EQ(doc.text("t").to_string(), "keep this");
  doc.check_invariants();
}

}  // namespace
}  // namespace diaryx::crdt
