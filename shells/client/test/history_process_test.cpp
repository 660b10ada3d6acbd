// The history commands as people use them: two folders, a real server, and what is printed.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "diaryx/base/json.h"
#include "process.h"

namespace diaryx::client {
namespace {

class HistoryCommands : public testing::Test {
 protected:
  HistoryCommands() {
    Process token({DIARYX_SYNCD, "token", "create", "--data", data_.path(), "--user", "me@example.org"});
    EXPECT_EQ(token.wait(), 0) << token.err();
    secret_ = token.out().substr(0, token.out().find('\n'));
    server_ = std::make_unique<Process>(
        std::vector<std::string>{DIARYX_SYNCD, "--data", data_.path(), "--listen", "127.0.0.1:0"});
    EXPECT_TRUE(wait_until([this] { return server_->out().find('\n') != std::string::npos; })) << server_->err();
    const std::string line = server_->out().substr(0, server_->out().find('\n'));
    url_ = line.substr(line.find("http://"));
    link(one_, "Laptop");
    link(two_, "Tablet");
  }

  void link(const native::TempFolder& folder, const std::string& name) const {
    const Ended linked = run_client(
        {"link", folder.path(), "--server", url_, "--token", secret_, "--workspace", "notes", "--device-name", name});
    EXPECT_EQ(linked.exit_code, 0) << linked.err;
  }
  static std::string run(std::vector<std::string> arguments, int exit_code = 0) {
    const Ended ended = run_client(std::move(arguments));
    EXPECT_EQ(ended.exit_code, exit_code) << ended.out << ended.err;
    return ended.out + ended.err;
  }
  void sync_both() {
    for (const auto* folder : {&one_, &two_, &one_}) run({"sync", folder->path()});
  }
  static std::vector<Json> json_lines(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      auto json = Json::parse(line);
      EXPECT_TRUE(json) << line;
      if (json) lines.push_back(*std::move(json));
    }
    return lines;
  }
  /// The newest point of a file, by the timeline.
  std::string point(const std::string& file) {
    const auto lines = json_lines(run({"history", file, "--json"}));
    EXPECT_FALSE(lines.empty());
    return lines.empty() ? "" : std::to_string(lines.front().integer_member("last_id").value_or(0));
  }

  native::TempFolder data_;
  native::TempFolder one_;
  native::TempFolder two_;
  std::string secret_;
  std::string url_;
  std::unique_ptr<Process> server_;
};

TEST_F(HistoryCommands, SayWhatHappenedAndWhoWroteIt) {
  one_.write("garden.md", "---\ntitle: Garden\n---\n\nRoses in spring.\n");
  sync_both();
  two_.write("garden.md", "---\ntitle: My garden\n---\n\nRoses in late spring.\n");
  sync_both();

  const auto groups = json_lines(run({"history", one_ / "garden.md", "--json"}));
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_NE(run({"blame", one_.path()}, 2).find("is a folder; blame is of one file"), std::string::npos);
  EXPECT_EQ(groups[0].string_member("device_name"), "Tablet");
  EXPECT_EQ(groups[1].string_member("device_name"), "Laptop");
  EXPECT_EQ(groups[1].string_member("origin"), "import");
  const std::string said = run({"history", one_ / "garden.md"});
  EXPECT_NE(said.find("garden.md: 2 stretches of work, newest first."), std::string::npos) << said;
  EXPECT_NE(said.find("Laptop (this device): first taken in, "), std::string::npos) << said;
  EXPECT_NE(run({"history", one_.path()}).find("in garden.md."), std::string::npos);

  const std::string diff = run({"diff", one_ / "garden.md"});
  EXPECT_NE(diff.find("- title: Garden\n+ title: My garden\n"), std::string::npos) << diff;
  EXPECT_NE(run({"diff", one_ / "garden.md", "--words"}).find("Roses in {+late +}spring."), std::string::npos);
  const Json json = json_lines(run({"diff", one_ / "garden.md", "--json"})).front();
  EXPECT_EQ(json.find("metadata")->as_array()->front().string_member("field"), "title");
  EXPECT_EQ(run({"diff", one_.path(), "--from", "0"}).find("From point 0 to point "), 0u);

  for (const auto* folder : {&one_, &two_}) {
    std::string text;
    for (const Json& span : json_lines(run({"blame", *folder / "garden.md", "--json"}))) {
      const bool by_tablet = span.string_member("text") == "late ";
      if (by_tablet) EXPECT_EQ(span.string_member("device_name"), "Tablet");
      if (span.string_member("text")->contains("Roses")) EXPECT_EQ(span.string_member("device_name"), "Laptop");
      text += *span.string_member("text");
    }
    EXPECT_EQ(text, one_.read("garden.md"));
  }
  const std::string blame = run({"blame", two_ / "garden.md"});
  EXPECT_NE(blame.find("Tablet (this device), today at "), std::string::npos) << blame;
}

TEST_F(HistoryCommands, SayEachThingInALineOfItsOwnWhateverADeviceIsCalled) {
  link(two_, "Tablet\n9999: yesterday, deleted");
  two_.write("a.md", "a\n");
  for (const auto* folder : {&two_, &one_}) run({"sync", folder->path()});
  EXPECT_EQ(run({"history", one_.path()}).find("\n9999"), std::string::npos);
  EXPECT_EQ(run({"blame", one_ / "a.md"}).find("\n9999"), std::string::npos);
}

TEST_F(HistoryCommands, SayThatOtherBytesAreDifferent) {
  one_.write("picture.png", "\x89PNG one");
  sync_both();
  const std::string then = point(one_ / "picture.png");
  one_.write("picture.png", "\x89PNG another one");
  sync_both();
  const std::string diff = run({"diff", one_ / "picture.png", "--from", then});
  EXPECT_NE(diff.find("other bytes, 8 bytes before and 16 bytes after."), std::string::npos) << diff;
  two_.write("picture.png", "\x89PNG a third one");
  two_.write("new.md", "new\n");
  sync_both();
  const std::string said = run({"history", two_.path()});
  EXPECT_NE(said.find("Tablet (this device): taken in or changed, 4 characters, in new.md, picture.png."),
            std::string::npos)
      << said;
  const std::string of_picture = run({"history", two_ / "picture.png"});
  EXPECT_NE(of_picture.find("Tablet (this device): other bytes."), std::string::npos) << of_picture;
  EXPECT_NE(of_picture.find("Laptop: first taken in."), std::string::npos) << of_picture;
  const Json json = json_lines(run({"diff", one_ / "picture.png", "--from", then, "--json"})).front();
  EXPECT_NE(json.string_member("sha256_before"), json.string_member("sha256_after"));
}

TEST_F(HistoryCommands, TakeBackThatAFileWasCalledAgainWhatItWas) {
  one_.write("notes/old name.md", "a text that does not change\n");
  sync_both();
  const std::string then = point(one_ / "notes/old name.md");
  std::filesystem::rename(one_ / "notes/old name.md", one_ / "notes/new name.md");
  sync_both();
  run({"restore", one_ / "notes", "--to", then});
  EXPECT_EQ(one_.read("notes/old name.md"), "a text that does not change\n");
  const std::string undone = run({"restore", "--undo", one_.path()});
  EXPECT_NE(undone.find("is called notes/new name.md again"), std::string::npos) << undone;
  EXPECT_EQ(one_.read("notes/new name.md"), "a text that does not change\n");
}

TEST_F(HistoryCommands, BringAFileBackWhileNobodyWatches) {
  one_.write("a.md", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  sync_both();
  const std::string then = point(one_ / "a.md");
  one_.write("a.md", "ONE\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  sync_both();
  const std::string plan = run({"restore", one_ / "a.md", "--to", then, "--dry-run"});
  EXPECT_NE(plan.find("a.md changes back in 2 lines."), std::string::npos) << plan;
  EXPECT_EQ(one_.read("a.md"), "ONE\n2\n3\n4\n5\n6\n7\n8\nNINE\n");
  const std::string refused = run({"restore", one_ / "a.md", "--to", then, "--hunk", "3"}, 9);
  EXPECT_NE(refused.find("there is no change 3 in it: it has 2 since then"), std::string::npos) << refused;
  run({"restore", one_.path(), "--to", then, "--hunk", "1"}, 2);
  run({"restore", one_ / "a.md", "--to", then, "--hunk", "2"});
  EXPECT_EQ(one_.read("a.md"), "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  run({"restore", one_ / "a.md", "--to", then});
  EXPECT_EQ(one_.read("a.md"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  run({"restore", "--undo", one_.path()});
  EXPECT_EQ(one_.read("a.md"), "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
  sync_both();
  EXPECT_EQ(two_.read("a.md"), "ONE\n2\n3\n4\n5\n6\n7\n8\n9\n");
}

TEST_F(HistoryCommands, GoBackToASnapshotWhileBothFoldersAreWatched) {
  one_.write("a.md", "a\n");
  one_.write("notes/b.md", "b, with a text of its own\n");
  sync_both();
  EXPECT_NE(run({"snapshot", "create", "before the trip", "--folder", one_.path()}).find("with 2 files"),
            std::string::npos);
  run({"snapshot", "create", "before the trip", "--folder", one_.path()}, 1);
  run({"snapshot", "create", "17", "--folder", one_.path()}, 2);

  Process first({DIARYX_SYNC, "watch", one_.path()});
  Process second({DIARYX_SYNC, "watch", two_.path()});
  two_.write("a.md", "changed\n");
  two_.write("new.md", "new\n");
  std::filesystem::remove(two_ / "notes/b.md");
  ASSERT_TRUE(wait_until([&] {
    return one_.has("new.md") && !one_.has("notes/b.md") && one_.read("a.md") == "changed\n";
  })) << first.out()
      << first.err();

  const std::string since = run({"snapshot", "show", "before the trip", "--folder", one_.path()});
  EXPECT_NE(since.find("changed: a.md\ncreated: new.md\nremoved: notes/b.md\n"), std::string::npos) << since;
  run({"snapshot", "restore", "before the trip", "notes", "--folder", one_.path()});
  EXPECT_TRUE(wait_until([&] { return two_.has("notes/b.md"); })) << first.err();
  EXPECT_EQ(one_.read("a.md"), "changed\n");
  run({"snapshot", "restore", "before the trip", "--folder", one_.path()});
  EXPECT_TRUE(wait_until([&] { return two_.read("a.md") == "a\n" && !two_.has("new.md"); })) << first.err();
  run({"restore", "--undo", one_.path()});
  EXPECT_TRUE(wait_until([&] { return two_.has("new.md") && two_.read("a.md") == "changed\n"; })) << first.err();

  const auto marks = json_lines(run({"snapshot", "list", "--folder", one_.path(), "--json"}));
  ASSERT_EQ(marks.size(), 1u);
  EXPECT_EQ(marks[0].string_member("name"), "before the trip");
  const auto deleted = json_lines(run({"snapshot", "delete", "before the trip", "--folder", one_.path(), "--json"}));
  ASSERT_EQ(deleted.size(), 1u);
  EXPECT_EQ(deleted[0].string_member("name"), "before the trip");
  EXPECT_TRUE(json_lines(run({"snapshot", "list", "--folder", one_.path(), "--json"})).empty());
  for (Process* watcher : {&first, &second}) {
    watcher->signal(SIGTERM);
    EXPECT_EQ(watcher->wait(), 0) << watcher->err();
  }
}

TEST_F(HistoryCommands, SayWhatTheyDoNotUnderstand) {
  EXPECT_NE(run({"history", data_.path()}, 3).find("is not in a linked folder"), std::string::npos);
  EXPECT_NE(run({"history", one_.path()}, 3).find("has no history yet"), std::string::npos);
  one_.write("a.md", "a\n");
  sync_both();
  EXPECT_NE(run({"history", one_ / "nothing.md"}, 2).find("there is no file \"nothing.md\""), std::string::npos);
  EXPECT_NE(run({"diff", one_ / "a.md", "--from", "some time"}, 2).find("is no point in time and no snapshot"),
            std::string::npos);
  EXPECT_NE(run({"diff", one_ / "a.md", "--from", "9999"}, 2).find("there is no point 9999 yet"), std::string::npos);
  EXPECT_NE(run({"restore", one_.path()}, 2).find("say to which point"), std::string::npos);
  EXPECT_NE(run({"restore", "--undo", one_.path()}, 2).find("nothing to take back"), std::string::npos);
  EXPECT_NE(run({"snapshot", "show", "x", "--folder", one_.path()}, 2).find("no snapshot called"), std::string::npos);
}

TEST_F(HistoryCommands, TakeASlipOfTheHandForOne) {
  one_.write("notes/a.md", "text\n");
  sync_both();
  for (const char* time : {"now", "2h", "2026-11-25", "2026-11-25 14:30"}) {
    const std::string said = run({"snapshot", "create", time, "--folder", one_.path()}, 2);
    EXPECT_NE(said.find("no number and no time"), std::string::npos) << said;
  }
  run({"snapshot", "create", "first", "--folder", one_.path()});
  EXPECT_NE(run({"restore", one_ / "noets", "--to", "first"}, 2).find("no file or folder \"noets\""),
            std::string::npos);
  EXPECT_NE(run({"snapshot", "restore", "first", "a.md", "--folder", one_.path()}, 2).find("no file or folder"),
            std::string::npos);
  one_.write("notes/a.md", "other\n");
  sync_both();
  run({"snapshot", "restore", "first", "notes/", "--folder", one_.path()});
  EXPECT_EQ(one_.read("notes/a.md"), "text\n");
}

TEST_F(HistoryCommands, BringBackWhatWasDeletedAMomentAgo) {
  one_.write("a.md", "text\n");
  one_.write("b.md", "text of another\n");
  sync_both();
  const std::string then = point(one_ / "a.md");
  std::filesystem::remove(one_ / "a.md");  // and nothing has seen it yet
  run({"restore", one_ / "a.md", "--to", then});
  EXPECT_EQ(one_.read("a.md"), "text\n");
  sync_both();
  EXPECT_EQ(two_.read("a.md"), "text\n");

  for (int i = 0; i < 40; ++i) one_.write("notes/" + std::to_string(i) + ".md", "note " + std::to_string(i) + "\n");
  sync_both();
  const std::string many = point(one_.path());
  std::filesystem::remove_all(one_ / "notes");  // so many that others may be about to follow
  one_.write("b.md", "");
  run({"restore", one_.path(), "--to", many});
  EXPECT_EQ(one_.read("notes/39.md"), "note 39\n");
  EXPECT_EQ(one_.read("b.md"), "text of another\n");
  sync_both();
  EXPECT_EQ(two_.read("notes/39.md"), "note 39\n");

  Process watcher({DIARYX_SYNC, "watch", one_.path()});
  ASSERT_TRUE(wait_until([&] { return watcher.out().contains("synced"); })) << watcher.out();
  std::filesystem::remove(one_ / "a.md");
  run({"restore", one_ / "a.md", "--to", then});
  EXPECT_TRUE(wait_until([&] { return one_.has("a.md"); })) << watcher.err();
  watcher.signal(SIGTERM);
  EXPECT_EQ(watcher.wait(), 0) << watcher.err();
  sync_both();
  EXPECT_EQ(two_.read("a.md"), "text\n");
}

TEST_F(HistoryCommands, GoBackNoFurtherThanTheHistory) {
  one_.write("notes/a.md", "text\n");
  sync_both();
  const std::string said = run({"restore", two_.path(), "--to", "2w"}, 9);
  EXPECT_NE(said.find("everything stays as it is: the history here begins later."), std::string::npos) << said;
  EXPECT_EQ(two_.read("notes/a.md"), "text\n");
  run({"restore", two_.path(), "--to", "1"}, 9);  // the list was here, and no text yet
  EXPECT_EQ(two_.read("notes/a.md"), "text\n");
  one_.write("notes/a.md", "other\n");
  sync_both();
  EXPECT_NE(run({"restore", one_ / "notes", "--to", "2", "--hunk", "1"}, 9)
                .find("only a text that is there has single changes"),
            std::string::npos);
  EXPECT_EQ(one_.read("notes/a.md"), "other\n");
}

}  // namespace
}  // namespace diaryx::client
