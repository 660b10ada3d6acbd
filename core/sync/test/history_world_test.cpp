// History and restoring on devices that run the production core, over a pretended network.
#include <gtest/gtest.h>

#include <map>

#include "diaryx/sync/history_restore.h"
#include "diaryx/sync/history_timeline.h"
#include "diaryx/testing/world.h"

namespace diaryx::sync {
namespace {

using diaryx::testing::World;

class Restoring : public ::testing::Test {
 protected:
  void settle() {
    ASSERT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
    ASSERT_EQ(world.first_difference(), "");
  }
  void write(size_t device, std::string_view path, std::string_view bytes) {
    world.device(device).user_writes(path, bytes);
    settle();
  }
  HistoryPoint point(size_t device) { return world.device(device).history().last(); }
  std::string text(size_t device, std::string_view path) {
    return world.device(device).disk().read(path).value_or("nothing");
  }
  RestorePlan plan(size_t device, RestoreChoice choice) { return plan_restore(world.device(device).history(), choice); }
  void restore(size_t device, RestorePlan made, std::string id = "r1") {
    world.device(device).restore({.files = std::move(made.files), .id = std::move(id)});
  }

  World world{7, {.devices = 3, .history = true}};
};

TEST_F(Restoring, EveryDeviceKnowsWhoWroteWhat) {
  write(0, "a.md", "---\ntitle: A\n---\nfrom zero\n");
  write(1, "a.md", "---\ntitle: A\n---\nfrom zero\nfrom one\n");
  for (size_t device = 0; device < 3; ++device) {
    const History history = world.device(device).history();
    const auto spans = history.attribution("a.md", kHistoryNow);
    ASSERT_TRUE(spans);
    std::string all;
    for (const AttributedSpan& span : *spans) {
      all += span.text;
      const bool is_second = span.text.find("from one") != std::string::npos;
      EXPECT_EQ(span.device.name, is_second ? "Device 1" : "Device 0") << "device " << device << ": " << span.text;
    }
    EXPECT_EQ(all, text(0, "a.md"));
    EXPECT_EQ(file_timeline(history, "a.md").front().device.id, "id-1") << "device " << device;
  }
}

TEST_F(Restoring, BringsAFileBackAndKeepsWhatOthersTypeMeanwhile) {  // T20, A14
  write(0, "a.md", "one\ntwo\nthree\n");
  const HistoryPoint then = point(0);
  write(1, "a.md", "one\nTWO\nthree\nfour\n");
  RestorePlan made = plan(0, {.point = then, .paths = {"a.md"}});
  ASSERT_EQ(made.files.size(), 1u);
  EXPECT_EQ(made.files[0].after, "one\ntwo\nthree\n");
  // Two devices go on typing: one before the restore is carried out, one without knowing of it.
  world.device(2).go_offline();
  world.device(2).user_writes("a.md", "one\nTWO\nthree\nfour\nfive\n");
  world.device(0).user_writes("a.md", "zero\none\nTWO\nthree\nfour\n");
  world.device(0).watcher_looks();
  restore(0, std::move(made));
  settle();
  EXPECT_EQ(text(1, "a.md"), "zero\none\ntwo\nthree\nfive\n");
  EXPECT_EQ(file_timeline(world.device(0).history(), "a.md")[1].origin, HistoryOrigin::Restore);
}

TEST_F(Restoring, BringsBackOneHunk) {
  write(0, "a.md", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
  const HistoryPoint then = point(0);
  write(0, "a.md", "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\nTWELVE\n");
  restore(0, plan(0, {.point = then, .paths = {"a.md"}, .hunks = {1}}));
  settle();
  EXPECT_EQ(text(1, "a.md"), "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
}

TEST_F(Restoring, BringsADeletedFileBack) {
  write(0, "notes/a.md", "words\n");
  const HistoryPoint then = point(1);
  world.device(0).user_deletes("notes/a.md");
  settle();
  EXPECT_EQ(text(1, "notes/a.md"), "nothing");
  restore(1, plan(1, {.point = then, .paths = {"notes/a.md"}}));
  settle();
  EXPECT_EQ(text(2, "notes/a.md"), "words\n");
  const std::vector<DoneRestore> done = done_restores(world.device(1).history());
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].paths, std::vector<std::string>{"notes/a.md"});
}

TEST_F(Restoring, BringsTheWholeWorkspaceBackAndForthAgain) {
  write(0, "a.md", "a\n");
  write(0, "folder/b.md", "b\n");
  write(1, "c.md", "c, a longer text of its own\n");
  world.device(0).user_writes("p.png", "picture");
  settle();
  const HistoryPoint then = point(2);
  const auto before = world.device(2).disk().files();

  write(1, "a.md", "a, changed\n");
  world.device(0).user_renames("c.md", "folder/renamed.md");
  settle();
  write(2, "folder/renamed.md", "c, a longer text of its own, changed\n");
  world.device(1).user_deletes("folder/b.md");
  world.device(1).user_writes("p.png", "another picture");
  world.device(2).user_writes("new.md", "new\n");
  settle();
  const auto after = world.device(2).disk().files();

  RestorePlan made = plan(2, {.point = then});
  std::map<std::string, RestoreStep> steps;
  for (const RestoreFile& file : made.files) steps.emplace(file.path, step_of(file));
  EXPECT_EQ(steps, (std::map<std::string, RestoreStep>{{"a.md", RestoreStep::Change},
                                                       {"c.md", RestoreStep::Rename},
                                                       {"folder/b.md", RestoreStep::BringBack},
                                                       {"new.md", RestoreStep::TakeAway},
                                                       {"p.png", RestoreStep::Change}}));
  EXPECT_TRUE(made.skipped.empty());
  restore(2, std::move(made));
  settle();
  EXPECT_EQ(world.device(2).disk().files(), before);
  EXPECT_EQ(world.device(0).disk().files(), before);

  // Undone, except what was typed since.
  write(1, "a.md", "first\na\n");
  const History history = world.device(2).history();
  const std::vector<DoneRestore> done = done_restores(history);
  ASSERT_EQ(done.size(), 1u);
  restore(2, plan_undo(history, done[0]), "r2");
  settle();
  auto expected = after;
  expected.find("a.md")->second = "first\na, changed\n";
  EXPECT_EQ(world.device(0).disk().files(), expected);
}

TEST_F(Restoring, RestoresAFolderAndLeavesTheRest) {
  write(0, "in/a.md", "a\n");
  write(0, "out.md", "out\n");
  write(0, "came.md", "came\n");
  const HistoryPoint then = point(0);
  write(0, "in/a.md", "changed\n");
  write(0, "out.md", "changed\n");
  world.device(0).user_renames("came.md", "in/came.md");
  settle();
  write(0, "in/late.md", "late\n");
  RestorePlan made = plan(0, {.point = then, .paths = {"in/"}});
  ASSERT_EQ(made.skipped.size(), 1u);
  EXPECT_EQ(made.skipped[0].path, "in/came.md");
  restore(0, std::move(made));
  settle();
  EXPECT_EQ(text(1, "in/a.md"), "a\n");
  EXPECT_EQ(text(1, "out.md"), "changed\n");
  EXPECT_EQ(text(1, "in/came.md"), "came\n");
  EXPECT_EQ(text(1, "in/late.md"), "nothing");
}

TEST_F(Restoring, DoesNotTakeAFileAwayThatWasEditedMeanwhile) {
  write(0, "a.md", "a\n");
  const HistoryPoint then = point(0);
  write(0, "late.md", "late\n");
  RestorePlan made = plan(0, {.point = then});
  write(1, "late.md", "late, and important\n");
  restore(0, made);
  settle();
  EXPECT_EQ(text(2, "late.md"), "late, and important\n");
  // Not even when the edit arrives after it.
  made = plan(0, {.point = then});
  world.device(1).go_offline();
  world.device(1).user_writes("late.md", "late, and important, more\n");
  restore(0, std::move(made));
  settle();
  EXPECT_EQ(text(2, "late.md"), "late, and important, more\n");
}

TEST_F(Restoring, DoesNotReplaceAFileThatIsThereAgain) {
  write(0, "a.md", "old words\n");
  const HistoryPoint then = point(0);
  world.device(1).user_deletes("a.md");
  settle();
  RestorePlan made = plan(0, {.point = then, .paths = {"a.md"}});
  write(1, "a.md", "another text\n");
  restore(0, std::move(made));
  settle();
  EXPECT_EQ(text(2, "a.md"), "another text\n");
  ASSERT_FALSE(world.device(0).problems().empty());
  EXPECT_NE(world.device(0).problems().back().find("one of that name again"), std::string::npos);
}

TEST_F(Restoring, DoesNotBringBackATextThatItDoesNotKnow) {
  write(0, "a.md", "words\n");
  write(0, "empty.md", "");
  const HistoryPoint then = point(0);
  world.device(0).user_deletes("a.md");
  world.device(0).user_deletes("empty.md");
  settle();
  // The file's document is lost, or was not loaded.
  const History whole = world.device(0).history();
  History history;
  const Bytes list = *encode_history_block(whole.document("workspace")->records());
  ASSERT_TRUE(history.add("workspace", list));
  const RestorePlan made = plan_restore(history, {.point = then});
  ASSERT_EQ(made.files.size(), 1u);
  EXPECT_EQ(made.files[0].path, "empty.md");
  ASSERT_EQ(made.skipped.size(), 1u);
  EXPECT_EQ(made.skipped[0].path, "a.md");
}

TEST_F(Restoring, SaysWhatItCannotDo) {
  write(0, "a.md", "a\n");
  const HistoryPoint then = point(0);
  write(0, "b.md", "b\n");
  const RestorePlan made = plan(0, {.point = then, .paths = {"b.md"}});
  EXPECT_TRUE(made.files.empty());
  ASSERT_EQ(made.skipped.size(), 1u);
  EXPECT_EQ(made.skipped[0].reason, "it did not exist then");
}

TEST_F(Restoring, TakesNothingAwayBeforeTheHistoryBegins) {
  write(0, "a.md", "words\n");
  const History history = world.device(1).history();
  ASSERT_GT(history.first(), kHistoryStart);
  for (const std::vector<std::string>& paths : {std::vector<std::string>{}, {"a.md"}}) {
    const RestorePlan made = plan_restore(history, {.point = history.first() - 1, .paths = paths});
    EXPECT_TRUE(made.files.empty());
    ASSERT_EQ(made.skipped.size(), 1u);
    EXPECT_EQ(made.skipped[0].reason, "the history here begins later");
  }
}

TEST_F(Restoring, DoesNotEmptyAFileWhoseTextCameLater) {
  world.device(2).go_offline();
  world.device(0).user_writes("a.md", "words\n");
  world.device(0).user_writes("typed.md", "");
  world.device(0).look_and_settle();
  world.device(0).user_writes("typed.md", "typed later, so its entry does not tell of it\n");
  settle();
  const History history = world.device(2).history();
  for (HistoryPoint point = history.first(); point <= history.last(); ++point) {
    for (const RestoreFile& file : plan_restore(history, {.point = point}).files)
      EXPECT_NE(file.after, "") << file.path << " at " << point << " of " << history.last();
  }
}

TEST_F(Restoring, GivesANameBackToTheFileThatHadItThen) {
  const std::string second = "the second file of that name, with a text of its own\n";
  write(0, "name.md", "the first file of that name, long gone on\n");
  world.device(0).user_renames("name.md", "a.md");
  settle();
  write(0, "name.md", second);
  const HistoryPoint then = point(0);
  world.device(0).user_renames("name.md", "b.md");
  settle();
  RestorePlan made = plan(0, {.point = then});
  ASSERT_EQ(made.files.size(), 1u);
  EXPECT_EQ(step_of(made.files[0]), RestoreStep::Rename);
  EXPECT_EQ(made.files[0].renamed_from, "b.md");
  world.device(1).go_offline();
  world.device(1).user_writes("b.md", second + "typed meanwhile\n");
  restore(0, std::move(made));
  settle();
  EXPECT_EQ(text(2, "name.md"), second + "typed meanwhile\n");
}

TEST_F(Restoring, ChoosesChangesOfAFileAndNotOfAFolder) {
  write(0, "in/a.md", "a\n");
  write(0, "gone.md", "gone\n");
  const HistoryPoint then = point(0);
  write(0, "in/a.md", "changed\n");
  world.device(0).user_deletes("gone.md");
  settle();
  for (const char* path : {"in", "gone.md"}) {
    const RestorePlan made = plan(0, {.point = then, .paths = {path}, .hunks = {0}});
    EXPECT_TRUE(made.files.empty()) << path;
    ASSERT_EQ(made.skipped.size(), 1u) << path;
    EXPECT_EQ(made.skipped[0].path, path);
  }
}

}  // namespace
}  // namespace diaryx::sync
