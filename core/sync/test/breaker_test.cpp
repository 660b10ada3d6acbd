// Waves of deletions and truncations: held, released, undone.
#include <gtest/gtest.h>

#include "diaryx/testing/world.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using testing::Device;
using testing::World;

constexpr size_t kFiles = 40;

std::string name(size_t i) { return (i % 4 == 3 ? "p" + std::to_string(i) + ".png" : "n" + std::to_string(i) + ".md"); }
std::string text(size_t i) { return "the text of file number " + std::to_string(i) + "\n"; }

World many_files() {
  World world{31, {.devices = 3, .breaker = {.min_files = 10, .share_percent = 50}}};
  for (size_t i = 0; i < kFiles; ++i) world.device(0).user_writes(name(i), text(i));
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  return world;
}

void expect_all_there(World& world) {
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(world.first_difference(), "");
  for (size_t i = 0; i < kFiles; ++i) EXPECT_EQ(world.device(1).disk().read(name(i)), text(i)) << name(i);
}

size_t held(const Device& device) { return device.replica().held().size(); }

TEST(Breaker, HoldsAWaveOfDeletionsFoundHere) {
  World world = many_files();
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(held(world.device(0)), 30u);
  EXPECT_EQ(world.device(0).replica().status().held_outgoing, 30u);
  EXPECT_EQ(world.device(0).last_held().deletions, 30u);
  EXPECT_EQ(world.device(0).last_held().files, kFiles);
  EXPECT_EQ(world.device(1).disk().files().size(), kFiles);

  world.device(0).crash_and_restart();
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(held(world.device(0)), 30u) << "a restart lets nothing through";
  EXPECT_EQ(world.device(1).disk().files().size(), kFiles);
}

TEST(Breaker, ReleasesADeletionThatWasMeant) {
  World world = many_files();
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  ASSERT_TRUE(world.run_until_quiet());
  world.device(0).tell(ReleaseHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(held(world.device(0)), 0u);
  EXPECT_EQ(world.device(0).disk().files().size(), kFiles - 30);
  // The others are asked, too: they cannot know that somebody was.
  EXPECT_EQ(held(world.device(1)), 30u);
  world.device(1).tell(ReleaseHeld{});
  world.device(2).tell(ReleaseHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(2).disk().files().size(), kFiles - 30);
}

TEST(Breaker, UndoesADeletionFoundHere) {
  World world = many_files();
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  ASSERT_TRUE(world.run_until_quiet());
  world.device(0).tell(UndoHeld{});
  expect_all_there(world);
  EXPECT_EQ(held(world.device(0)), 0u);
}

TEST(Breaker, UndoesADeletionMadeElsewhere) {
  World world = many_files();
  world.device(1).go_offline();
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  world.step();
  world.device(0).tell(ReleaseHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(held(world.device(1)), 30u);
  EXPECT_EQ(world.device(1).last_held().direction, HeldChange::Direction::Incoming);
  world.device(1).crash_and_restart();
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(held(world.device(1)), 30u) << "a restart lets nothing through";
  world.device(1).tell(UndoHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  world.device(2).tell(UndoHeld{});
  expect_all_there(world);
}

TEST(Breaker, ARenamedFolderIsNoWave) {
  for (const bool is_away : {true, false}) {
    World world{32, {.devices = 2, .breaker = {.min_files = 10, .share_percent = 50}}};
    for (size_t i = 0; i < kFiles; ++i) world.device(0).user_writes("n/" + name(i), text(i));
    ASSERT_TRUE(world.run_until_quiet());
    if (is_away) world.device(1).go_offline();
    world.device(0).user_renames_folder("n", "m");
    if (is_away) {
      for (int step = 0; step < 300; ++step) world.step();
      world.device(1).crash_and_restart();
      world.device(1).go_online();
    }
    ASSERT_TRUE(world.run_until_quiet());
    EXPECT_EQ(world.first_difference(), "") << is_away;
    EXPECT_EQ(held(world.device(0)), 0u);
    EXPECT_EQ(held(world.device(1)), 0u) << is_away;
    EXPECT_EQ(world.device(1).last_held().deletions, 0u) << is_away;
  }
}

TEST(Breaker, ToSeeAgainWhatIsMissingOrShortenedIsNews) {
  World world = many_files();
  const Replica& replica = world.device(0).replica();
  const auto is_known = [&](size_t i) { return replica.known_hash(name(i)) == sha256(text(i)); };
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(held(world.device(0)), 30u);
  world.device(0).user_writes(name(36), text(36).substr(0, 5));
  ASSERT_TRUE(world.run_until_quiet());
  ASSERT_EQ(held(world.device(0)), 31u);
  for (const size_t i : {0, 36}) {
    EXPECT_FALSE(is_known(i)) << "a shell that compares would not tell that it is as it was";
    EXPECT_TRUE(replica.known_hash(name(i))) << "and it is known";
    world.device(0).user_writes(name(i), text(i));
  }
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_TRUE(is_known(0));
  EXPECT_TRUE(is_known(36));
  EXPECT_EQ(held(world.device(0)), 29u);
}

TEST(Breaker, CountsAWaveThatComesInPieces) {
  World world = many_files();
  for (size_t i = 0; i < 30; ++i) {
    world.device(0).user_deletes(name(i));
    world.step();
  }
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().files().size(), kFiles - 3)
      << "a fifth of half of 40 may be the beginning of a wave";
  EXPECT_EQ(held(world.device(0)), 27u);
  world.device(0).tell(UndoHeld{});
  expect_all_there(world);  // those that were let through as well
}

TEST(Breaker, WaitsForTheWaveAloneWhileMoreIsMissing) {
  World world = many_files();
  const auto lose = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) world.device(0).user_deletes(name(i));
    for (int step = 0; step < 200; ++step) world.step();
  };
  lose(20, 24);
  world.device(0).user_writes(name(0), "");  // waits for a moment of its own first
  for (size_t i = 24; i < 28; ++i) lose(i, i + 1);
  EXPECT_EQ(world.device(1).disk().read(name(0)), text(0)) << "more may be missing";
  EXPECT_EQ(world.figures().past_deadlines, 0u);
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(1).disk().read(name(0)), "");
}

TEST(Breaker, HoldsAWaveOfTruncations) {
  World world = many_files();
  for (size_t i = 0; i < kFiles; ++i) {
    if (name(i).ends_with(".md")) world.device(0).user_writes(name(i), i % 2 == 0 ? "" : text(i).substr(0, 5));
  }
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(held(world.device(0)), 30u);
  EXPECT_EQ(world.device(0).last_held().truncations, 30u);
  EXPECT_EQ(world.device(1).disk().read(name(0)), text(0));
  world.device(0).tell(UndoHeld{});
  expect_all_there(world);
}

TEST(Breaker, HoldsAWaveOfTruncationsFromElsewhere) {
  World world = many_files();
  for (size_t i = 0; i < kFiles; ++i) {
    if (name(i).ends_with(".md")) world.device(0).user_writes(name(i), "");
  }
  ASSERT_TRUE(world.run_until_quiet());
  world.device(0).tell(ReleaseHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(0).disk().read(name(0)), "");
  EXPECT_EQ(held(world.device(1)), 30u);
  EXPECT_EQ(world.device(1).last_held().truncations, 30u);
  world.device(1).tell(UndoHeld{});
  world.device(2).tell(UndoHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(0).disk().read(name(38)), text(38));
}

TEST(Breaker, WaitsForNoMomentBeforeItKnowsWhatIsThere) {
  const std::string before = "the first line\nthe second line\nthe last line\n";
  Talk talk;
  talk.list("a.md", before);
  talk.connect();
  talk.answer_all();
  ASSERT_EQ(talk.disk["a.md"], before);
  talk.restart();
  crdt::Doc& body = talk.doc("body:ws1/a.md");
  crdt::Transaction txn = body.transact();
  (void)body.text("body").erase(txn, Utf16Offset{}, Length{static_cast<uint32_t>(before.size())});
  const Bytes emptied = std::move(txn).commit().update_v1();
  talk.feed(UpdateMade{"body:a.md", emptied, HistoryOrigin::Local, ""});
  talk.pass(5'000);
  EXPECT_EQ(talk.replica.next_deadline(), std::nullopt);
  talk.feed(TextFileSeen{"a.md", before});
  talk.feed(FilesSettled{});
  talk.pass(1'000);
  EXPECT_EQ(talk.disk["a.md"], "");
}

TEST(Breaker, LetsEverydayWorkPass) {
  World world = many_files();
  for (size_t i = 0; i < 9; ++i) world.device(0).user_deletes(name(i));
  world.device(1).user_writes(name(20), "");  // meant
  for (size_t i = 24; i < kFiles; ++i) world.device(2).user_renames(name(i), "moved/" + name(i));
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(2).disk().files().size(), kFiles - 9);
  EXPECT_EQ(world.device(2).disk().read(name(20)), "");
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(held(world.device(i)), 0u);
}

TEST(Breaker, GoesOnWithOtherFilesMeanwhile) {
  World world = many_files();
  for (size_t i = 0; i < 30; ++i) world.device(0).user_deletes(name(i));
  ASSERT_TRUE(world.run_until_quiet());
  world.device(0).user_writes("new.md", "written meanwhile\n");
  world.device(1).user_writes(name(0), text(0) + "edited meanwhile\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(2).disk().read("new.md"), "written meanwhile\n");
  world.device(0).tell(ReleaseHeld{});
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().read(name(0)), text(0) + "edited meanwhile\n") << "the edit wins";
}

}  // namespace
}  // namespace diaryx::sync
