#include "disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "diaryx/sync/path.h"
#include "temp_folder.h"

namespace diaryx::client {
namespace {

using native::DiskChange;
using Words = std::vector<std::string>;

/// Real files, a real replica that knows some of them, and the events written down as words.
class DiskTest : public testing::Test {
 protected:
  DiskTest() : root_(std::move(*native::RootFolder::open(folder_.path()))), disk_(root_, replica_, output_) {}

  /// Writes a file and lets the replica know it, as if it had been synced before.
  void sync_before(std::string_view path, std::string_view content) {
    folder_.write(path, content);
    know(path, content);
  }

  /// The replica's own record of a file: its kind and its digest.
  void know(std::string_view path, std::string_view content) {
    const std::string value = (sync::is_markdown(path) ? "t" : "b") + sha256(content).hex();
    ASSERT_TRUE(replica_.restore_record("file:" + std::string(path), value));
  }

  static std::string word(const sync::Event& event) {
    if (const auto* e = std::get_if<sync::TextFileSeen>(&event))
      return "text " + std::string(e->path) + "=" + std::string(e->bytes);
    if (const auto* e = std::get_if<sync::BlobFileSeen>(&event))
      return "blob " + std::string(e->path) + ":" + std::to_string(e->size_bytes);
    if (const auto* e = std::get_if<sync::FileGone>(&event)) return "gone " + std::string(e->path);
    if (const auto* e = std::get_if<sync::FileMoved>(&event))
      return "moved " + std::string(e->from) + ">" + std::string(e->to);
    if (const auto* e = std::get_if<sync::FileWritten>(&event)) return "written " + std::string(e->path);
    if (const auto* e = std::get_if<sync::FileRemoved>(&event)) return "removed " + std::string(e->path);
    if (const auto* e = std::get_if<sync::FileRefused>(&event)) return "refused " + std::string(e->path);
    return std::holds_alternative<sync::FilesSettled>(event) ? "settled" : "unexpected";
  }

  Words everything() {
    disk_.report_everything(now_, tell_);
    return std::exchange(told_, {});
  }
  Words changes(const std::vector<DiskChange>& seen) {
    disk_.report_changes(seen, now_, tell_);
    return std::exchange(told_, {});
  }
  /// All that is told of an action bears its ticket.
  template <typename Action>
  Words performed(Action action) {
    action.ticket = expected_ = sync::Ticket{expected_.value() + 1};
    if constexpr (requires { disk_.queue(action); }) {
      disk_.queue(action);
      disk_.flush(now_, tell_);
    } else {
      disk_.perform(action, now_, tell_);
    }
    expected_ = {};
    return std::exchange(told_, {});
  }

  static sync::Ticket ticket_of(const sync::Event& event) {
    return std::visit(
        [](const auto& e) {
          if constexpr (requires { e.ticket; }) return e.ticket;
          return sync::Ticket{};
        },
        event);
  }
  void take(const sync::Event& event) {
    if (!std::holds_alternative<sync::FilesSettled>(event)) EXPECT_EQ(ticket_of(event), expected_) << word(event);
    told_.push_back(word(event));
  }

  native::TempFolder folder_;
  native::RootFolder root_;
  sync::Replica replica_{{.workspace_id = "ws", .client = ClientId{1}}};
  Output output_{OutputStyle::Quiet};
  Disk disk_;
  Words told_;
  sync::Ticket expected_;
  Disk::Tell tell_ = [this](const sync::Event& event) { take(event); };
  TimestampMs now_{1'700'000'000'000};
};

TEST_F(DiskTest, TellsWhatIsNewGoneAndChangedInOneBatch) {
  sync_before("same.md", "same");
  sync_before("edited.md", "before");
  folder_.write("edited.md", "after");
  know("gone.md", "was here");
  folder_.write("new.md", "new");
  folder_.write("image.png", "12345");
  folder_.write(".diaryx/token", "secret");
  folder_.write(".git/config", "x");
  EXPECT_EQ(everything(),
            (Words{"gone gone.md", "text edited.md=after", "blob image.png:5", "text new.md=new", "settled"}));
}

TEST_F(DiskTest, TellsThatAFileWentWhichTheReplicaHasNoRecordOfYet) {
  // As an attachment on its way to the server, or a note that was written before there was a connection.
  folder_.write("image.png", "12345");
  folder_.write("new.md", "new");
  folder_.write("out/image.png", "123");
  folder_.write("away/new.md", "another");
  everything();
  std::filesystem::remove(folder_ / "image.png");
  std::filesystem::rename(folder_ / "new.md", folder_ / "renamed.md");
  EXPECT_EQ(changes({{DiskChange::Kind::Touched, "image.png", {}}, {DiskChange::Kind::Moved, "renamed.md", "new.md"}}),
            (Words{"gone image.png", "gone new.md", "text renamed.md=new", "settled"}));
  std::filesystem::remove_all(folder_ / "out");
  std::filesystem::rename(folder_ / "away", folder_ / "there");
  EXPECT_EQ(changes({{DiskChange::Kind::FolderGone, "out", {}}, {DiskChange::Kind::FolderMoved, "there", "away"}}),
            (Words{"gone away/new.md", "gone out/image.png", "text there/new.md=another", "settled"}));
  std::filesystem::remove(folder_ / "there/new.md");
  EXPECT_EQ(everything(), (Words{"gone there/new.md", "text renamed.md=new", "settled"}));
}

TEST_F(DiskTest, TellsNothingOfAFileThatCameAndWentUnseen) {
  EXPECT_EQ(changes({{DiskChange::Kind::Touched, "a.md", {}}}), Words{});
}

TEST_F(DiskTest, TellsNothingWhenNothingDiffers) {
  sync_before("a.md", "a");
  sync_before("b.png", "b");
  EXPECT_EQ(everything(), Words{});
}

TEST_F(DiskTest, SeesAFileThatWasWrittenInPlaceAndGivenItsTimeBack) {  // as programs that tag music or pictures do
  sync_before("song.mp3", "one");
  const timespec old_times[] = {{.tv_sec = 1'600'000'000, .tv_nsec = 0}, {.tv_sec = 1'600'000'000, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ / "song.mp3").c_str(), old_times, 0), 0);
  EXPECT_EQ(everything(), Words{});
  folder_.write("song.mp3", "two");
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ / "song.mp3").c_str(), old_times, 0), 0);
  EXPECT_EQ(everything(), (Words{"blob song.mp3:3", "settled"}));
}

TEST_F(DiskTest, TakesARenameForOneOnlyFromAKnownToAnUnknownPath) {
  sync_before("a.md", "a");
  sync_before("b.md", "b");
  std::filesystem::rename(folder_ / "a.md", folder_ / "c.md");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "c.md", "a.md"}}).front(), "moved a.md>c.md");
  std::filesystem::rename(folder_ / "c.md", folder_ / "b.md");  // over a known file
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "b.md", "c.md"}}), (Words{"gone c.md", "text b.md=a", "settled"}));
}

TEST_F(DiskTest, TellsNoRenameOfAFileThatCameIntoThePlaceOfTheOneThatWent) {
  // The replica moved the file of a.md to the place that a new one had just left.
  folder_.write("c.md", "new");
  sync_before("b.md", "a");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "c.md", "b.md"}, {DiskChange::Kind::Moved, "b.md", "a.md"}}),
            (Words{"text c.md=new", "settled"}));
  folder_.write("b.md", "another");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "c.md", "b.md"}, {DiskChange::Kind::Touched, "b.md", {}}}),
            (Words{"moved b.md>c.md", "text b.md=another", "text c.md=new", "settled"}));
}

TEST_F(DiskTest, TellsSeveralRenamesOfOneFileAsOne) {
  sync_before("a.md", "a");
  sync_before("x/b.md", "b");
  std::filesystem::rename(folder_ / "a.md", folder_ / "c.md");
  std::filesystem::rename(folder_ / "x", folder_ / "z");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "b.md", "a.md"},
                     {DiskChange::Kind::Moved, "c.md", "b.md"},
                     {DiskChange::Kind::FolderMoved, "y", "x"},
                     {DiskChange::Kind::FolderMoved, "z", "y"}}),
            (Words{"moved a.md>c.md", "moved x/b.md>z/b.md", "text c.md=a", "text z/b.md=b", "settled"}));
}

TEST_F(DiskTest, TellsASwapThatEndsWhileItLooks) {
  sync_before("a.md", "a");
  sync_before("b.md", "b");
  std::filesystem::rename(folder_ / "a.md", folder_ / "t.md");
  folder_.write("a.md", "b");
  // What was at t.md is at b.md before that is read.
  tell_ = [this](const sync::Event& event) {
    told_.push_back(word(event));
    if (told_.back() == "moved a.md>t.md") know("t.md", "a");
    if (told_.back() == "text a.md=b") std::filesystem::rename(folder_ / "t.md", folder_ / "b.md");
  };
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "t.md", "a.md"}, {DiskChange::Kind::Moved, "a.md", "b.md"}}),
            (Words{"moved a.md>t.md", "text a.md=b", "text b.md=a", "gone t.md", "settled"}));
}

TEST_F(DiskTest, LooksAtAFileWhoseNewNameWentToAnother) {
  sync_before("a.md", "a");
  sync_before("b.md", "b");
  std::filesystem::rename(folder_ / "a.md", folder_ / "c.md");
  std::filesystem::rename(folder_ / "b.md", folder_ / "c.md");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "c.md", "a.md"}, {DiskChange::Kind::Moved, "c.md", "b.md"}}),
            (Words{"moved b.md>c.md", "gone a.md", "text c.md=b", "settled"}));
}

TEST_F(DiskTest, ExpandsAFolderRenameIntoItsFiles) {
  sync_before("old/a.md", "a");
  sync_before("old/sub/b.png", "b");
  folder_.write("old/unknown.md", "u");
  std::filesystem::rename(folder_ / "old", folder_ / "new");
  const Words words = changes({{DiskChange::Kind::FolderMoved, "new", "old"}});
  EXPECT_EQ(words[0], "moved old/a.md>new/a.md");
  EXPECT_EQ(words[1], "moved old/sub/b.png>new/sub/b.png");
  EXPECT_NE(std::find(words.begin(), words.end(), "text new/unknown.md=u"), words.end());
  EXPECT_EQ(words.back(), "settled");
}

TEST_F(DiskTest, TellsAFileThatLeftItsFolderOnceThoughAnotherHasItsName) {
  sync_before("old/a.md", "a");
  std::filesystem::rename(folder_ / "old/a.md", folder_ / "z.md");
  std::filesystem::rename(folder_ / "old", folder_ / "new");
  folder_.write("new/a.md", "another");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "z.md", "old/a.md"}, {DiskChange::Kind::FolderMoved, "new", "old"}}),
            (Words{"moved old/a.md>z.md", "text new/a.md=another", "text z.md=a", "settled"}));
}

TEST_F(DiskTest, TellsTheRenameOfAFileThatWasSavedOverABackupSince) {
  sync_before("a.md", "a");
  sync_before("old/b.md", "b");
  std::filesystem::rename(folder_ / "old", folder_ / "new");
  std::filesystem::remove(folder_ / "a.md");
  folder_.write("c.md", "a, edited");
  folder_.write("new/b.md", "b, edited");
  EXPECT_EQ(changes({{DiskChange::Kind::Moved, "c.md", "a.md"},
                     {DiskChange::Kind::FolderMoved, "new", "old"},
                     {DiskChange::Kind::Touched, "c.md", {}},
                     {DiskChange::Kind::Touched, "new/b.md", {}}}),
            (Words{"moved a.md>c.md", "moved old/b.md>new/b.md", "text c.md=a, edited", "text new/b.md=b, edited",
                   "settled"}));
}

TEST_F(DiskTest, TellsEveryKnownFileOfAFolderThatLeft) {
  know("x/a.md", "a");
  know("x/y/b.md", "b");
  know("xy.md", "elsewhere");
  EXPECT_EQ(changes({{DiskChange::Kind::FolderGone, "x", {}}}), (Words{"gone x/a.md", "gone x/y/b.md", "settled"}));
}

TEST_F(DiskTest, DoesNotTakeALinkForADeletion) {
  know("a.md", "a");
  std::filesystem::create_symlink("/etc/hostname", folder_ / "a.md");
  EXPECT_EQ(everything(), Words{});
  EXPECT_EQ(disk_.unreadable(), 1u);
}

TEST_F(DiskTest, DoesNotTakeALinkedFolderForADeletion) {
  const native::TempFolder elsewhere;
  know("notes/a.md", "a");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder_ / "notes");
  EXPECT_EQ(everything(), Words{});
}

TEST_F(DiskTest, WritesAndTellsThatItDid) {
  EXPECT_EQ(performed(sync::WriteText{"notes/a.md", "hello", std::nullopt}), Words{"written notes/a.md"});
  EXPECT_EQ(folder_.read("notes/a.md"), "hello");
}

TEST_F(DiskTest, CarriesOutWhatIsQueuedInItsOrder) {
  folder_.write("taken.md", "mine");
  disk_.queue(sync::WriteText{"a.md", "first", std::nullopt});
  disk_.queue(sync::WriteText{"a.md", "second", sha256("first")});
  disk_.queue(sync::WriteText{"taken.md", "theirs", std::nullopt});
  disk_.queue(sync::WriteText{"x/b.md", "b", std::nullopt});
  disk_.queue(sync::RemoveFile{"x/b.md", sha256("b")});
  EXPECT_FALSE(folder_.has("a.md"));
  disk_.flush(now_, tell_);
  EXPECT_EQ(told_, (Words{"written a.md", "written a.md", "refused taken.md", "text taken.md=mine", "settled",
                          "written x/b.md", "removed x/b.md"}));
  EXPECT_EQ(folder_.read("a.md"), "second");
  EXPECT_EQ(folder_.read("taken.md"), "mine");
  EXPECT_FALSE(folder_.has("x"));
}

TEST_F(DiskTest, LeavesAFileThatIsNotTheExpectedOneAndTellsIt) {
  folder_.write("a.md", "mine");
  EXPECT_EQ(performed(sync::WriteText{"a.md", "theirs", sha256("older")}),
            (Words{"refused a.md", "text a.md=mine", "settled"}));
  EXPECT_EQ(performed(sync::RemoveFile{"a.md", sha256("older")}), (Words{"refused a.md", "text a.md=mine", "settled"}));
  EXPECT_EQ(folder_.read("a.md"), "mine");
}

TEST_F(DiskTest, RefusesAPathThatLeavesTheFolder) {
  EXPECT_EQ(performed(sync::WriteText{"../outside.md", "x", std::nullopt}), Words{"refused ../outside.md"});
  EXPECT_EQ(performed(sync::MoveFile{"a.md", "../outside.md", {}}).front(), "refused ../outside.md");
}

TEST_F(DiskTest, MovesAFile) {
  folder_.write("a.md", "a");
  EXPECT_EQ(performed(sync::MoveFile{"a.md", "x/b.md", sha256("another")}),
            (Words{"refused x/b.md", "text a.md=a", "settled", "gone x/b.md", "settled"}));
  EXPECT_EQ(performed(sync::MoveFile{"a.md", "x/b.md", sha256("a")}), Words{"moved a.md>x/b.md"});
  EXPECT_EQ(folder_.read("x/b.md"), "a");
}

TEST_F(DiskTest, CountsTheFilesWhoseNamesAreRefused) {
  folder_.write("aux.md", "a");
  folder_.write("b.md", "b");
  EXPECT_EQ(everything(), (Words{"text aux.md=a", "text b.md=b", "settled"}));
  EXPECT_EQ(disk_.left_out(), 1u);
  std::filesystem::remove(folder_ / "aux.md");
  changes({{DiskChange::Kind::Touched, "aux.md", {}}});
  EXPECT_EQ(disk_.left_out(), 0u);
}

TEST_F(DiskTest, AnswersAReadWithWhatIsThere) {
  EXPECT_EQ(performed(sync::ReadFile{"missing.md"}), (Words{"gone missing.md", "settled"}));
  sync_before("a.md", "a");
  EXPECT_EQ(performed(sync::ReadFile{"a.md"}), (Words{"text a.md=a", "settled"}));
}

TEST_F(DiskTest, TriesAnUnreadableFileAgainAndLetsTheOthersGoOn) {
  std::filesystem::create_symlink("/etc/hostname", folder_ / "a.md");  // unreadable for root, too
  know("a.md", "a");
  folder_.write("b.md", "b");
  EXPECT_EQ(everything(), (Words{"text b.md=b", "settled"}));
  ASSERT_EQ(disk_.next_retry(), now_ + DurationMs{1'000});
  EXPECT_NE(output_.last_problem(), "");
  std::filesystem::remove(folder_ / "a.md");
  folder_.write("a.md", "again a file");
  now_ = now_ + DurationMs{1'000};
  disk_.retry_unreadable(now_, tell_);
  EXPECT_EQ(told_, (Words{"text a.md=again a file", "settled"}));
  EXPECT_EQ(disk_.unreadable(), 0u);
  EXPECT_FALSE(disk_.next_retry());
  EXPECT_EQ(output_.last_problem(), "");
}

TEST_F(DiskTest, ForgetsThatAFileCouldNotBeWrittenWhenItIs) {
  folder_.write("taken", "a file where a folder is wanted");
  const sync::WriteText write{.path = "taken/a.md", .bytes = "a"};
  EXPECT_EQ(performed(write), (Words{"refused taken/a.md"}));
  output_.problem("taken/a.md", "cannot write it");  // as the replica says it
  std::filesystem::remove(folder_ / "taken");
  EXPECT_EQ(performed(write), (Words{"written taken/a.md"}));
  EXPECT_EQ(output_.last_problem(), "");
}

TEST(TakesPart, EntersFoldersThatMayHoldCarriedFiles) {
  EXPECT_TRUE(takes_part("notes"));
  EXPECT_TRUE(takes_part("notes/a.md"));
  EXPECT_TRUE(takes_part(".obsidian"));
  EXPECT_FALSE(takes_part(".diaryx"));
  EXPECT_FALSE(takes_part(".git/objects"));
}

}  // namespace
}  // namespace diaryx::client
