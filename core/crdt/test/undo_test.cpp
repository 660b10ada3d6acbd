#include "diaryx/crdt/undo.h"

#include <gtest/gtest.h>

#include <string_view>

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

TEST(UndoManager, TracksATypeInsideAnother) {
  Doc doc({.client = ClientId{1}});
  std::optional<Map> inner;
  {
    Transaction txn = doc.transact();
    inner = doc.map("m").set_map(txn, "inner");
  }
  UndoManager undo = doc.track_undo({.types = {*inner}});
  const auto set = [&](Map map, std::string_view key) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(map.set(txn, key, Any::number(1)).has_value());
  };
  set(doc.map("m"), "outside");
  EXPECT_FALSE(undo.can_undo());
  set(*inner, "inside");
  EXPECT_TRUE(undo.undo().changed());
  EXPECT_FALSE(inner->contains("inside"));
  undo.add_to_scope(doc.map("m"));
  set(doc.map("m"), "later");
  EXPECT_TRUE(undo.undo().changed());
  EXPECT_FALSE(doc.map("m").contains("later"));
  EXPECT_TRUE(doc.map("m").contains("outside"));
  doc.check_invariants();
}

TEST(UndoManager, TracksTheWholeDocument) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.whole_document = true});
  type(doc, 0, "a");
  (void)doc.transact();  // an empty transaction makes no step
  EXPECT_EQ(undo.steps(UndoManager::Stack::Undo).size(), 1u);
  (void)undo.undo();
  EXPECT_EQ(doc.text("t").to_string(), "");
}

TEST(UndoManager, TellsWhatBecameOfTheStacks) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  const auto told = [](const Commit& commit) {
    constexpr const char* kNames[] = {"added", "extended", "used", "cleared"};
    std::string text;
    for (const UndoEvent& event : commit.undo_events()) {
      text += event.stack == UndoManager::Stack::Undo ? "undo " : "redo ";
      text += std::string(kNames[static_cast<size_t>(event.kind)]) + " " + std::to_string(event.step) + ", ";
    }
    return text;
  };
  const auto edit = [&](std::string_view text) {
    Transaction txn = doc.transact();
    EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, text).has_value());
    return std::move(txn).commit();
  };
  EXPECT_EQ(told(edit("a")), "undo added 1, ");
  doc.set_now(TimestampMs{1000});
  EXPECT_EQ(told(edit("b")), "undo added 2, ");
  doc.set_now(TimestampMs{1001});
  EXPECT_EQ(told(edit("c")), "undo extended 2, ");
  EXPECT_EQ(told(undo.undo()), "redo added 3, undo used 2, ");
  EXPECT_EQ(told(undo.redo()), "undo added 4, redo used 3, ");
  EXPECT_EQ(told(undo.undo()), "redo added 5, undo used 4, ");
  EXPECT_EQ(told(edit("d")), "redo cleared 0, undo added 6, ");
  EXPECT_EQ(told(undo.clear()), "undo cleared 0, ");
  EXPECT_EQ(told(undo.undo()), "");
}

TEST(UndoManager, TakesNoStepsFromWhatAnotherOneUndoes) {
  Doc doc({.client = ClientId{1}});
  UndoManager first = doc.track_undo({.roots = {"t"}});
  UndoManager second = doc.track_undo({.roots = {"t"}});
  type(doc, 0, "a");
  EXPECT_TRUE(second.undo().changed());
  EXPECT_EQ(first.steps(UndoManager::Stack::Undo).size(), 1u);
  EXPECT_TRUE(second.redo().changed());
  EXPECT_EQ(first.steps(UndoManager::Stack::Undo).size(), 1u);
  EXPECT_TRUE(first.undo().changed());
  EXPECT_EQ(doc.text("t").to_string(), "");
}

TEST(UndoManager, KeepsWhatIsAttachedToAStep) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  type(doc, 0, "a");
  const uint64_t step = undo.steps(UndoManager::Stack::Undo).back();
  EXPECT_TRUE(undo.set_metadata(step, Any::string("cursor at 0")));
  EXPECT_EQ(undo.metadata(step), Any::string("cursor at 0"));
  const Commit commit = undo.undo();
  ASSERT_EQ(commit.undo_events().size(), 2u);
  EXPECT_EQ(commit.undo_events()[1].metadata, Any::string("cursor at 0"));
  EXPECT_FALSE(undo.set_metadata(step, Any::null()));
  EXPECT_TRUE(undo.metadata(step).is_undefined());
}

TEST(UndoManager, SparesWhatTheCallerWantsToKeep) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"m"}});
  {
    Transaction txn = doc.transact();
    (void)doc.map("m").set_text(txn, "note");
    ASSERT_TRUE(doc.map("m").set(txn, "plain", Any::number(1)).has_value());
  }
  size_t asked = 0;
  (void)undo.undo([&](const UndoDeletion& deletion) {
    ++asked;
    EXPECT_EQ(deletion.parent, Shared(doc.map("m")));
    return !deletion.type.has_value();
  });
  EXPECT_EQ(asked, 2u);
  EXPECT_TRUE(doc.map("m").contains("note"));
  EXPECT_FALSE(doc.map("m").contains("plain"));
}

TEST(UndoManager, LeavesOutWhatItIsToldTo) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  {
    Transaction txn = doc.transact();
    txn.leave_out_of_undo();
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, "silent").has_value());
  }
  EXPECT_FALSE(undo.can_undo());
  type(doc, 0, "a");  // only that one transaction was left out
  EXPECT_TRUE(undo.can_undo());
}

TEST(UndoManager, TracksUpdatesByTheirTag) {
  Doc doc({.client = ClientId{1}});
  Doc peer({.client = ClientId{2}});
  UndoManager undo = doc.track_undo({.roots = {"t"}, .tags = {"mine"}, .track_remote = true});
  type(peer, 0, "a");
  ASSERT_TRUE(doc.apply_update_v1(peer.encode_update_v1()).has_value());
  EXPECT_FALSE(undo.can_undo());
  type(peer, 1, "b");
  ASSERT_TRUE(doc.apply_update_v1(peer.encode_update_v1(), TransactionOrigin::Remote, "mine").has_value());
  EXPECT_TRUE(undo.undo().changed());
  EXPECT_EQ(doc.text("t").to_string(), "a");
}

TEST(UndoManager, LetsGoOfWhatItKeptWhenClearedOrStopped) {
  Doc doc({.client = ClientId{1}});
  type(doc, 0, "abc");
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  const auto erase = [&](uint32_t at) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.text("t").erase(txn, Utf16Offset{at}, Length{1}).has_value());
  };
  const auto keeps = [&](std::string_view content) {  // kept content is in the bytes, collected content is not
    const Bytes bytes = doc.encode_update_v1();
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).find(content) !=
           std::string_view::npos;
  };
  erase(1);
  EXPECT_TRUE(keeps("b"));
  undo.stop();
  erase(0);
  EXPECT_FALSE(undo.can_undo());
  EXPECT_FALSE(keeps("a"));
  EXPECT_FALSE(undo.undo().changed());
  EXPECT_EQ(doc.text("t").to_string(), "c");
}

TEST(UndoManager, IsReleasedWhenStopped) {
  Doc doc({.client = ClientId{1}});
  UndoManager first = doc.track_undo({.roots = {"t"}});
  UndoManager second = doc.track_undo({.roots = {"t"}});
  type(doc, 0, "a");
  const size_t bytes = doc.memory_bytes();
  for (int i = 0; i < 1'000; ++i) {
    doc.track_undo({.roots = {"t"}}).stop();
    doc.observe(doc.text("t")).stop();
  }
  EXPECT_EQ(doc.memory_bytes(), bytes);
  first.stop();
  EXPECT_LT(doc.memory_bytes(), bytes);
  // A handle that is left over does nothing; the other manager goes on under its number.
  first.add_to_scope(doc.text("t"));
  first.add_tag("x");
  first.remove_tag("x");
  first.stop_capturing();
  first.stop();
  EXPECT_FALSE(first.can_undo() || first.can_redo() || first.redo().changed() || first.clear().changed());
  EXPECT_TRUE(first.steps(UndoManager::Stack::Undo).empty());
  EXPECT_FALSE(first.set_metadata(1, Any::null()));
  EXPECT_TRUE(first.metadata(1).is_undefined());
  const Commit undone = second.undo();
  ASSERT_FALSE(undone.undo_events().empty());
  EXPECT_EQ(undone.undo_events().back().manager, second.number());
  EXPECT_EQ(doc.text("t").to_string(), "");
  UndoManager third = doc.track_undo({.roots = {"t"}});
  EXPECT_GT(third.number(), second.number());
}

TEST(UndoManager, BringsBackWhatNestsDeep) {
  Doc doc({.client = ClientId{1}});
  Map top = doc.map("m");
  UndoManager undo = doc.track_undo({.roots = {"m"}});
  constexpr int kDeep = 20'000;  // in time that grows with the depth, not with its square
  {
    Transaction txn = doc.transact();
    Map at = top;
    for (int i = 0; i < kDeep; ++i) at = at.set_map(txn, "in");
  }
  const size_t structs = doc.struct_count();
  {
    Transaction txn = doc.transact();
    EXPECT_TRUE(top.erase(txn, "in"));
  }
  EXPECT_TRUE(undo.undo().changed());
  int depth = 0;
  for (std::optional<Map> at = top.get_map("in"); at; at = at->get_map("in")) ++depth;
  EXPECT_EQ(depth, kDeep);
  EXPECT_GE(doc.struct_count(), structs);
  doc.check_invariants();
}

}  // namespace
}  // namespace diaryx::crdt
