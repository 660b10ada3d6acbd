// Two folders and a real server, as users have them: every step goes through the programs.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <map>
#include <memory>

#include "diaryx/base/json.h"
#include "diaryx/native/unique_fd.h"
#include "process.h"

namespace diaryx::client {
namespace {

using Files = std::map<std::string, std::string>;

/// Every file of a folder but the program's own. Programs that work there may take a file or a folder away meanwhile.
Files files_of(const std::string& folder) {
  namespace fs = std::filesystem;
  Files files;
  std::error_code problem;
  fs::recursive_directory_iterator entry(folder, problem);
  while (!problem && entry != fs::recursive_directory_iterator()) {
    const std::string path = entry->path().lexically_relative(folder).string();
    std::error_code gone;
    if (path == ".diaryx") {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(gone)) {
      std::ostringstream text;
      text << std::ifstream(entry->path(), std::ios::binary).rdbuf();
      files.emplace(path, text.str());
    }
    entry.increment(problem);
  }
  return problem ? files_of(folder) : files;
}

class TwoFolders : public testing::Test {
 protected:
  TwoFolders() {
    Process token({DIARYX_SYNCD, "token", "create", "--data", data_.path(), "--user", "me@example.org"});
    EXPECT_EQ(token.wait(), 0) << token.err();
    token_ = token.out().substr(0, token.out().find('\n'));
    start_server("127.0.0.1:0");
  }

  void start_server(const std::string& address) {
    server_ =
        std::make_unique<Process>(std::vector<std::string>{DIARYX_SYNCD, "--data", data_.path(), "--listen", address});
    ASSERT_TRUE(wait_until([this] { return server_->out().find('\n') != std::string::npos; })) << server_->err();
    const std::string line = server_->out().substr(0, server_->out().find('\n'));
    url_ = line.substr(line.find("http://"));
  }

  Ended link(const native::TempFolder& folder, const std::string& workspace = "notes") {
    return run_client({"link", folder.path(), "--server", url_, "--token", token_, "--workspace", workspace});
  }

  void link_both() {
    for (const auto* folder : {&one_, &two_}) {
      const Ended ended = link(*folder);
      ASSERT_EQ(ended.exit_code, 0) << ended.err;
    }
  }

  void watch_both() {
    for (const auto* folder : {&one_, &two_}) {
      watchers_.push_back(
          std::make_unique<Process>(std::vector<std::string>{DIARYX_SYNC, "watch", folder->path(), "--json"}));
    }
  }

  /// The server's answer to a request, with its head.
  std::string ask(const std::string& method, const std::string& path, const std::string& json = {}) {
    const size_t colon = url_.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(url_.substr(colon + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const native::UniqueFd line(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const std::string text =
        method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token_ +
        "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(json.size()) +
        "\r\n\r\n" + json;
    std::string answer;
    if (::connect(line.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::send(line.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      return answer;
    }
    char piece[4096];
    for (ssize_t size = 0; (size = ::recv(line.get(), piece, sizeof piece, 0)) > 0;) {
      answer.append(piece, static_cast<size_t>(size));
    }
    return answer;
  }

  /// The id of the one workspace that the server has.
  std::string workspace_id() {
    const std::string list = ask("GET", "/api/workspaces");
    constexpr std::string_view kId = "\"id\":\"";
    const size_t at = list.find(kId);
    EXPECT_NE(at, std::string::npos) << list;
    return list.substr(at + kId.size(), list.find('"', at + kId.size()) - at - kId.size());
  }

  /// Both folders hold the same files, and `condition` holds for them.
  bool in_step(const std::function<bool(const Files&)>& condition) {
    return wait_until([&] {
      const Files one = files_of(one_.path());
      return one == files_of(two_.path()) && condition(one);
    });
  }

  std::string log() const {
    std::string text;
    for (const auto& watcher : watchers_) text += watcher->out() + watcher->err() + "\n";
    return text;
  }

  native::TempFolder data_;
  native::TempFolder one_;
  native::TempFolder two_;
  std::string token_;
  std::string url_;
  std::unique_ptr<Process> server_;
  std::vector<std::unique_ptr<Process>> watchers_;
};

TEST_F(TwoFolders, SyncCarriesEveryKindOfFile) {
  link_both();
  one_.write("README.md", "---\ntitle: Notes\n---\n\nhello \xf0\x9f\x98\x80\n");
  one_.write("deep/er/empty.md", "");
  one_.write("latin1.md", "caf\xe9\n");
  one_.write("broken.md", "---\ntitle: [\n---\ntext");
  one_.write("empty.bin", "");
  one_.write("image.png", std::string(9'000'000, '\x7f'));  // more than one part
  one_.write(".hidden/settings.json", "{}");
  two_.write("mine.md", "from the other side\n");
  for (const auto* folder : {&one_, &two_, &one_}) {
    const Ended ended = run_client({"sync", folder->path()});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  EXPECT_EQ(files_of(one_.path()), files_of(two_.path()));
  EXPECT_EQ(files_of(one_.path()).size(), 8u);
}

TEST_F(TwoFolders, AnotherSyncChangesNothing) {
  link_both();
  one_.write("a.md", "text\n");
  one_.write("b.png", "bytes");
  for (int round = 0; round < 2; ++round) {
    for (const auto* folder : {&one_, &two_}) ASSERT_EQ(run_client({"sync", folder->path()}).exit_code, 0);
  }
  EXPECT_EQ(files_of(two_.path()), (Files{{"a.md", "text\n"}, {"b.png", "bytes"}}));
}

TEST_F(TwoFolders, WatchCarriesEditsRenamesAndDeletions) {
  link_both();
  watch_both();
  one_.write("notes/a.md", "first\n");
  one_.write("photo.png", "picture");
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 2; })) << log();
  two_.write("notes/a.md", "first\nsecond\n");
  ASSERT_TRUE(in_step([](const Files& files) { return files.at("notes/a.md") == "first\nsecond\n"; })) << log();
  std::filesystem::rename(one_ / "notes", one_ / "journal");
  ASSERT_TRUE(in_step([](const Files& files) { return files.contains("journal/a.md") && files.size() == 2; })) << log();
  std::filesystem::rename(two_ / "photo.png", two_ / "journal/photo.png");
  ASSERT_TRUE(in_step([](const Files& files) { return files.contains("journal/photo.png") && files.size() == 2; }))
      << log();
  std::filesystem::remove_all(two_ / "journal");
  ASSERT_TRUE(in_step([](const Files& files) { return files.empty(); })) << log();
  for (const auto& watcher : watchers_) {
    watcher->signal(SIGTERM);
    EXPECT_EQ(watcher->wait(), 0) << watcher->err();
  }
}

TEST_F(TwoFolders, ATextThatIsShortForAMomentStaysWhole) {
  link_both();
  const std::string whole = "first\nsecond\nthird\n";
  one_.write("a.md", whole);
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  one_.write("a.md", "first\n");
  ASSERT_TRUE(wait_until([&] { return log().find(R"("changed","path":"a.md")") != std::string::npos; })) << log();
  one_.write("a.md", whole);
  std::this_thread::sleep_for(std::chrono::seconds(2));  // longer than a short text waits to be believed
  EXPECT_EQ(files_of(two_.path()), (Files{{"a.md", whole}})) << log();
}

TEST_F(TwoFolders, FilesThatComeBackAreNoLongerHeld) {
  link_both();
  for (int i = 0; i < 60; ++i) one_.write("notes/" + std::to_string(i) + ".md", "text\n");
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 60; })) << log();
  std::filesystem::rename(one_ / "notes", data_ / "notes");
  const auto status = [&] { return run_client({"status", one_.path(), "--json"}).out; };
  ASSERT_TRUE(wait_until([&] { return status().find("held") != std::string::npos; })) << log();
  std::filesystem::rename(data_ / "notes", one_ / "notes");
  EXPECT_TRUE(wait_until([&] { return status().find("held") == std::string::npos; }, std::chrono::seconds(5)))
      << status();
}

TEST_F(TwoFolders, EditsMadeOfflineMeet) {
  link_both();
  one_.write("a.md", "one\ntwo\nthree\n");
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  for (const auto& watcher : watchers_) watcher->signal(SIGUSR1);
  ASSERT_TRUE(wait_until([&] { return log().find("offline", log().find("offline") + 1) != std::string::npos; }))
      << log();
  one_.write("a.md", "ONE\ntwo\nthree\n");
  two_.write("a.md", "one\ntwo\nTHREE\n");
  for (const auto& watcher : watchers_) watcher->signal(SIGUSR2);
  EXPECT_TRUE(in_step([](const Files& files) { return files == Files{{"a.md", "ONE\ntwo\nTHREE\n"}}; })) << log();
}

TEST_F(TwoFolders, ADeviceThatIsOnlineIsNotConnectingWhenItIsToldToGoOnline) {
  link_both();
  watch_both();
  ASSERT_TRUE(wait_until([&] { return watchers_[0]->out().find("synced") != std::string::npos; })) << log();
  const size_t before = watchers_[0]->out().size();
  watchers_[0]->signal(SIGUSR2);
  one_.write("a.md", "said after it\n");
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  EXPECT_EQ(watchers_[0]->out().find("connecting", before), std::string::npos) << log();
}

TEST_F(TwoFolders, TheServerMayRestart) {
  link_both();
  one_.write("a.md", "before\n");
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  server_->signal(SIGTERM);
  ASSERT_EQ(server_->wait(), 0);
  one_.write("a.md", "before\nwhile it was away\n");
  start_server(url_.substr(url_.find("127")));
  EXPECT_TRUE(in_step([](const Files& files) { return files.at("a.md") == "before\nwhile it was away\n"; })) << log();
}

TEST_F(TwoFolders, AKilledWatcherGoesOnWhereItWas) {
  link_both();
  for (int file = 0; file < 60; ++file)
    one_.write("n" + std::to_string(file) + ".md", "text " + std::to_string(file) + "\n");
  for (int kill = 0; kill < 6; ++kill) {
    Process watcher({DIARYX_SYNC, "watch", one_.path()});
    std::this_thread::sleep_for(std::chrono::milliseconds(30 + 40 * kill));
    watcher.signal(SIGKILL);
    watcher.wait();
  }
  for (const auto* folder : {&one_, &two_}) {
    const Ended ended = run_client({"sync", folder->path()});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
  }
  const Files files = files_of(two_.path());
  EXPECT_EQ(files.size(), 60u);
  EXPECT_EQ(files, files_of(one_.path()));
  for (int file = 0; file < 60; ++file)
    EXPECT_EQ(files.at("n" + std::to_string(file) + ".md"), "text " + std::to_string(file) + "\n");
}

TEST_F(TwoFolders, StatusWorksWhileWatchRuns) {
  link_both();
  one_.write("a.md", "12345");
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  std::optional<Json> status;
  EXPECT_TRUE(wait_until([&] {
    const Ended ended = run_client({"status", one_.path(), "--json"});
    const auto json = Json::parse(ended.out);
    if (ended.exit_code != 0 || !json) return false;
    status = *json;
    return json->string_member("state") == "synced" && json->integer_member("files") == 1;
  })) << (status ? status->dump() : "no status");
  EXPECT_EQ(status->bool_member("running"), true);
  EXPECT_EQ(status->integer_member("bytes"), 5);
  EXPECT_EQ(status->find("workspace")->string_member("name"), "notes");
  EXPECT_EQ(run_client({"sync", one_.path()}).exit_code, 5);
}

TEST_F(TwoFolders, AFolderIsLinkedToOnePlace) {
  ASSERT_EQ(link(one_).exit_code, 0);
  EXPECT_EQ(link(one_).exit_code, 0);  // the same place again: a new token
  const Ended elsewhere = link(one_, "other");
  EXPECT_EQ(elsewhere.exit_code, 4);
  EXPECT_NE(elsewhere.err.find("already linked to the workspace \"notes\""), std::string::npos) << elsewhere.err;
  one_.write("a.md", "mine");
  EXPECT_EQ(run_client({"unlink", one_.path()}).exit_code, 0);
  EXPECT_EQ(link(one_, "other").exit_code, 0);
  EXPECT_EQ(one_.read("a.md"), "mine");
}

TEST_F(TwoFolders, NoFolderIsLinkedToTheWorkspaceOfOneAboveOrBelow) {
  one_.write("sub/deep/a.md", "text");
  const auto link_path = [&](const std::string& folder, const char* workspace) {
    return run_client({"link", folder, "--server", url_, "--token", token_, "--workspace", workspace});
  };
  ASSERT_EQ(link_path(one_ / "sub", "notes").exit_code, 0);
  for (const std::string& folder : {one_.path(), one_ / "sub/deep"}) {
    const Ended refused = link_path(folder, "notes");
    EXPECT_EQ(refused.exit_code, 4) << folder;
    EXPECT_NE(refused.err.find(one_ / "sub is linked to this workspace"), std::string::npos) << refused.err;
    EXPECT_EQ(link_path(folder, "other").exit_code, 0) << folder;
    EXPECT_EQ(run_client({"unlink", folder}).exit_code, 0);
  }
}

TEST_F(TwoFolders, LinkingAgainFollowsAServerThatMovedAndAWorkspaceThatWasRenamed) {
  ASSERT_EQ(link(one_).exit_code, 0);
  one_.write("a.md", "before\n");
  ASSERT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  const std::string old_url = url_;
  server_.reset();
  start_server("127.0.0.1:0");
  ASSERT_NE(url_, old_url);
  Ended followed = link(one_);
  EXPECT_EQ(followed.exit_code, 0) << followed.err;
  EXPECT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  EXPECT_NE(run_client({"history", one_ / "a.md"}).out.find("a.md"), std::string::npos);

  ASSERT_TRUE(ask("PATCH", "/api/workspaces/" + workspace_id(), R"({"name":"diary"})").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  for (const char* name : {"notes", "diary"}) {  // as the folder calls it, and as the server does
    followed = link(one_, name);
    EXPECT_EQ(followed.exit_code, 0) << followed.err;
    EXPECT_NE(followed.out.find("the workspace \"diary\" on " + url_), std::string::npos) << followed.out;
  }
  EXPECT_EQ(link(one_, "notes").exit_code, 4);  // what it was called once is another's name by now
  EXPECT_EQ(ask("GET", "/api/workspaces").find("\"notes\""), std::string::npos);
  EXPECT_NE(run_client({"status", one_.path()}).out.find("diary on " + url_), std::string::npos);
}

TEST_F(TwoFolders, LinkingAgainDoesNotFollowToAnotherServersWorkspaceOfThatName) {
  ASSERT_EQ(link(one_).exit_code, 0);
  ASSERT_TRUE(ask("DELETE", "/api/workspaces/" + workspace_id()).starts_with("HTTP/1.1 2"));
  Ended refused = link(one_);
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
  EXPECT_NE(refused.err.find("does not list the workspace \"notes\" that"), std::string::npos) << refused.err;
  EXPECT_EQ(ask("GET", "/api/workspaces").find("\"notes\""), std::string::npos);  // nothing was made for it
  ASSERT_EQ(link(two_).exit_code, 0);
  refused = link(one_);
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
}

TEST_F(TwoFolders, ATokenThatIsNotAcceptedEndsWithItsCode) {
  ASSERT_EQ(link(one_).exit_code, 0);
  one_.write(".diaryx/token", "not-a-token\n");
  for (const char* command : {"sync", "watch"}) {
    const Ended ended = run_client({command, one_.path()});
    EXPECT_EQ(ended.exit_code, 7) << ended.err;
    EXPECT_NE(ended.err.find("does not accept this device's token"), std::string::npos) << ended.err;
    const Ended status = run_client({"status", one_.path()});  // for whoever did not see it end
    EXPECT_NE(status.out.find("does not accept this device's token"), std::string::npos) << status.out;
  }
}

TEST_F(TwoFolders, AWorkspaceThatIsTakenAwayEndsTheWatcher) {
  ASSERT_EQ(link(one_).exit_code, 0);
  one_.write("a.md", "text\n");
  Process watcher({DIARYX_SYNC, "watch", one_.path()});
  ASSERT_TRUE(wait_until([&] { return watcher.out().find("synced") != std::string::npos; })) << watcher.out();
  const std::string id = workspace_id();
  ASSERT_TRUE(ask("DELETE", "/api/workspaces/" + id).starts_with("HTTP/1.1 2")) << id;
  EXPECT_EQ(watcher.wait(), 7) << watcher.out() << watcher.err();
  EXPECT_NE(watcher.err().find("does not give this device the workspace"), std::string::npos) << watcher.err();
  EXPECT_EQ(files_of(one_.path()).at("a.md"), "text\n");
  const Ended again = run_client({"sync", one_.path()});
  EXPECT_EQ(again.exit_code, 7) << again.out << again.err;
}

TEST_F(TwoFolders, WhatIsNoTokenIsNotSent) {
  ASSERT_EQ(link(one_).exit_code, 0);
  for (const char* text : {"", "\n", "a\nX-Other: b\n", "caf\xc3\xa9\n"}) {
    one_.write(".diaryx/token", text);
    const Ended ended = run_client({"sync", one_.path()});
    EXPECT_EQ(ended.exit_code, 7) << ended.err;
    EXPECT_NE(ended.err.find("is no token; link the folder again"), std::string::npos) << ended.err;
  }
  std::filesystem::remove(one_ / ".diaryx/token");
  const Ended ended = run_client({"sync", one_.path()});
  EXPECT_EQ(ended.exit_code, 7) << ended.err;
  EXPECT_NE(ended.err.find("No such file or directory; link the folder again"), std::string::npos) << ended.err;
}

TEST_F(TwoFolders, SyncSaysThatTheServerIsGone) {
  ASSERT_EQ(link(one_).exit_code, 0);
  server_->signal(SIGTERM);
  ASSERT_EQ(server_->wait(), 0);
  const Ended ended = run_client({"sync", one_.path()});
  EXPECT_EQ(ended.exit_code, 6);
  EXPECT_NE(ended.err.find("is the server running?"), std::string::npos) << ended.err;
}

TEST_F(TwoFolders, OneUnreadableFileHoldsNobodyUp) {
  link_both();
  one_.write("a.md", "text\n");
  ASSERT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  std::filesystem::remove(one_ / "a.md");
  std::filesystem::create_symlink("/etc/hostname", one_ / "a.md");
  one_.write("b.md", "other\n");
  const Ended ended = run_client({"sync", one_.path()});
  EXPECT_EQ(ended.exit_code, 9);
  EXPECT_NE(ended.err.find("a.md"), std::string::npos) << ended.err;
  ASSERT_EQ(run_client({"sync", two_.path()}).exit_code, 0);
  EXPECT_EQ(files_of(two_.path()), (Files{{"a.md", "text\n"}, {"b.md", "other\n"}}));
}

TEST_F(TwoFolders, SyncSaysWithItsExitCodeThatAFileWasLeftOut) {
  link_both();
  one_.write("aux.md", "text\n");  // what Windows takes for a device
  one_.write("b.md", "other\n");
  const Ended ended = run_client({"sync", one_.path()});
  EXPECT_EQ(ended.exit_code, 9);
  EXPECT_NE(ended.err.find("aux.md"), std::string::npos) << ended.err;
  ASSERT_EQ(run_client({"sync", two_.path()}).exit_code, 0);
  EXPECT_EQ(files_of(two_.path()), (Files{{"b.md", "other\n"}}));
  std::filesystem::rename(one_ / "aux.md", one_ / "aux notes.md");
  EXPECT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
}

TEST_F(TwoFolders, AFileWhoseNameIsNoUtf8IsNamedInJsonThatCanBeRead) {
  ASSERT_EQ(link(one_).exit_code, 0);
  one_.write("a.md", "text\n");
  one_.write("caf\xe9.md", "text\n");
  const Ended ended = run_client({"sync", one_.path(), "--json"});
  EXPECT_EQ(ended.exit_code, 9);
  std::istringstream lines(ended.out);
  for (std::string line; std::getline(lines, line);) {
    const auto event = Json::parse(line);
    ASSERT_TRUE(event) << line;
    // It was not taken in.
    if (event->string_member("event") == "local") EXPECT_EQ(event->string_member("path"), "a.md") << line;
  }
  const auto status = Json::parse(run_client({"status", one_.path(), "--json"}).out);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->integer_member("files"), 1);
  EXPECT_NE(status->string_member("last_problem").value_or("").find("caf\xef\xbf\xbd.md"), std::string::npos);
}

TEST_F(TwoFolders, AnAnswerThatDoesNotGetOutIsNotDone) {
  ASSERT_EQ(link(one_).exit_code, 0);
  for (const std::string command : {"status", "held", "sync"}) {
    Process full({"/bin/sh", "-c", "'" DIARYX_SYNC "' " + command + " '" + one_.path() + "' >/dev/full"});
    EXPECT_EQ(full.wait(), 1) << command;
    EXPECT_NE(full.err().find("standard output did not take all"), std::string::npos) << full.err();
    Process left({"/bin/sh", "-c", "'" DIARYX_SYNC "' " + command + " '" + one_.path() + "' | true"});
    EXPECT_EQ(left.err(), "");
  }
}

TEST_F(TwoFolders, SyncEndsWhenAFileCannotBeWritten) {
  link_both();
  one_.write("note.md", "hello\n");
  ASSERT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  // Where the file should be is an empty folder, however often it is tried.
  std::filesystem::create_directory(two_ / "note.md");
  two_.write("other.md", "goes on\n");
  const Ended ended = run_client({"sync", two_.path(), "--timeout", "2"});
  EXPECT_EQ(ended.exit_code, 8) << ended.err;
  EXPECT_NE(ended.err.find("note.md"), std::string::npos) << ended.err;
  ASSERT_EQ(run_client({"sync", one_.path()}).exit_code, 0);
  EXPECT_EQ(files_of(one_.path()).at("other.md"), "goes on\n");
}

/// What can happen to a folder while a watcher works on it.
struct LostFolder {
  const char* name;
  std::function<void(const std::filesystem::path&)> lose;
};

class ALostFolder : public TwoFolders, public testing::WithParamInterface<LostFolder> {};

TEST_P(ALostFolder, EndsTheWatcherAndDeletesNothingElsewhere) {
  // In a folder of its own, so that what is above it can be lost as well.
  const std::string folder = one_ / "above/notes";
  std::filesystem::create_directories(folder);
  ASSERT_EQ(run_client({"link", folder, "--server", url_, "--token", token_, "--workspace", "notes"}).exit_code, 0);
  ASSERT_EQ(link(two_).exit_code, 0);
  one_.write("above/notes/a.md", "text\n");
  one_.write("above/notes/deep/b.png", "bytes");
  Process watcher({DIARYX_SYNC, "watch", folder});
  ASSERT_TRUE(wait_until([&] { return watcher.out().find("synced") != std::string::npos; })) << watcher.err();

  GetParam().lose(folder);
  EXPECT_EQ(watcher.wait(), 3) << watcher.out() << watcher.err();
  EXPECT_NE(watcher.err().find("start again where it is now"), std::string::npos) << watcher.err();
  ASSERT_EQ(run_client({"sync", two_.path()}).exit_code, 0);
  EXPECT_EQ(files_of(two_.path()), (Files{{"a.md", "text\n"}, {"deep/b.png", "bytes"}}));
}

INSTANTIATE_TEST_SUITE_P(
    Lost, ALostFolder,
    testing::Values(LostFolder{"moved",
                               [](const auto& folder) { std::filesystem::rename(folder, folder.string() + "2"); }},
                    LostFolder{"removed", [](const auto& folder) { std::filesystem::remove_all(folder); }},
                    LostFolder{"removed_with_what_is_above",
                               [](const auto& folder) { std::filesystem::remove_all(folder.parent_path()); }},
                    LostFolder{"moved_with_what_is_above",
                               [](const auto& folder) {
                                 std::filesystem::rename(folder.parent_path(), folder.parent_path().string() + "2");
                                 std::ofstream(folder.parent_path().string() + "2/notes/new.md")
                                     << "seen by nobody yet";
                               }},
                    LostFolder{"unlinked_by_hand",
                               [](const auto& folder) {
                                 std::filesystem::remove_all(folder / ".diaryx");
                                 std::filesystem::remove(folder / "a.md");
                               }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(TwoFolders, AWatcherLeavesTheFolderToTheOneThatWasStartedAfterItWasLinkedAnew) {
  link_both();
  one_.write("a.md", "first\n");
  Process old_one({DIARYX_SYNC, "watch", one_.path()});
  ASSERT_TRUE(wait_until([&] { return old_one.out().find("synced") != std::string::npos; })) << old_one.err();
  std::filesystem::remove_all(one_ / ".diaryx");
  ASSERT_EQ(link(one_).exit_code, 0);
  watch_both();
  ASSERT_TRUE(in_step([](const Files& files) { return files.size() == 1; })) << log();
  one_.write("a.md", "first\nsecond\n");
  EXPECT_TRUE(in_step([](const Files& files) { return files.at("a.md") == "first\nsecond\n"; })) << log();
  EXPECT_EQ(old_one.wait(), 3) << old_one.out() << old_one.err();
  EXPECT_TRUE(in_step([](const Files& files) { return files == Files{{"a.md", "first\nsecond\n"}}; })) << log();
}

TEST_F(TwoFolders, AWatcherSaysWhenAFolderThatIsMadeLaterCannotBeWatched) {
  // A limit of its own for this watcher; not every system lets a user set one.
  const std::string limited =
      "echo 4 > /proc/sys/user/max_inotify_watches && exec '" DIARYX_SYNC "' watch '" + one_.path() + "'";
  Process allowed({"/usr/bin/unshare", "-U", "-r", "/bin/sh", "-c", "echo 4 > /proc/sys/user/max_inotify_watches"});
  if (allowed.wait() != 0) GTEST_SKIP() << allowed.err();
  ASSERT_EQ(link(one_).exit_code, 0);
  Process watcher({"/usr/bin/unshare", "-U", "-r", "/bin/sh", "-c", limited});
  ASSERT_TRUE(wait_until([&] { return watcher.out().find("synced") != std::string::npos; })) << watcher.err();
  EXPECT_EQ(watcher.err(), "");
  for (int folder = 0; folder < 8; ++folder) one_.write("f" + std::to_string(folder) + "/a.md", "text\n");
  EXPECT_TRUE(wait_until([&] { return watcher.err().find("limit of watched folders") != std::string::npos; }));
}

TEST_F(TwoFolders, AnAnswerDoesNotKillTheOneThatWorksOnTheFolder) {
  ASSERT_EQ(link(one_).exit_code, 0);
  one_.write("a.md", "text\n");
  server_->signal(SIGTERM);
  ASSERT_EQ(server_->wait(), 0);
  Process sync({DIARYX_SYNC, "sync", one_.path()});  // looks for the server for a while
  ASSERT_TRUE(wait_until([&] { return one_.has(".diaryx/state.db"); }));
  for (const char* word : {"release", "undo"}) {
    const Ended answered = run_client({word, one_.path(), "--json"});
    EXPECT_EQ(answered.exit_code, 0) << answered.err;
    const auto told = Json::parse(answered.out);
    EXPECT_TRUE(told && told->string_member("event") == "told") << answered.out;
  }
  EXPECT_EQ(sync.wait(), 6) << sync.err();
  EXPECT_FALSE(one_.has(".diaryx/request"));
}

TEST_F(TwoFolders, ATerminalThatClosesEndsTheWatcherAsATerminationDoes) {
  ASSERT_EQ(link(one_).exit_code, 0);
  Process watcher({DIARYX_SYNC, "watch", one_.path()});
  ASSERT_TRUE(wait_until([&] { return watcher.out().find("synced") != std::string::npos; })) << watcher.err();
  watcher.signal(SIGHUP);
  EXPECT_EQ(watcher.wait(), 0) << watcher.err();
  EXPECT_NE(watcher.out().find("stopped"), std::string::npos) << watcher.out();
}

TEST_F(TwoFolders, HoldsAWaveOfDeletionsUntilAPersonAnswers) {
  constexpr int kMany = 60;
  for (int i = 0; i < kMany; ++i) one_.write("note" + std::to_string(i) + ".md", "text " + std::to_string(i) + "\n");
  link_both();
  for (const auto* folder : {&one_, &two_}) ASSERT_EQ(run_client({"sync", folder->path()}).exit_code, 0);
  const Files all = files_of(one_.path());
  ASSERT_EQ(files_of(two_.path()), all);

  for (int i = 0; i < kMany; ++i) std::filesystem::remove(one_ / ("note" + std::to_string(i) + ".md"));
  const Ended held = run_client({"sync", one_.path()});
  EXPECT_EQ(held.exit_code, 9) << held.err;
  EXPECT_NE(held.err.find("60 of 60 files are missing from this folder"), std::string::npos) << held.err;
  EXPECT_NE(run_client({"held", one_.path()}).out.find("here      deleted    note0.md"), std::string::npos);
  ASSERT_EQ(run_client({"sync", two_.path()}).exit_code, 0);
  EXPECT_EQ(files_of(two_.path()), all);

  const Ended undone = run_client({"undo", one_.path()});
  EXPECT_EQ(undone.exit_code, 0) << undone.err;
  EXPECT_EQ(files_of(one_.path()), all);
  EXPECT_EQ(run_client({"held", one_.path()}).out, "nothing is held\n");

  // The same while a program runs, and this time it is meant.
  watch_both();
  ASSERT_TRUE(in_step([&](const Files& files) { return files == all; })) << log();
  for (int i = 0; i < kMany; ++i) std::filesystem::remove(one_ / ("note" + std::to_string(i) + ".md"));
  const auto holds = [&](const native::TempFolder& folder) {
    return run_client({"held", folder.path()}).out.find("diaryx-sync release") != std::string::npos;
  };
  ASSERT_TRUE(wait_until([&] { return holds(one_); })) << log();
  // How many went before there was a wave depends on how quickly the disk tells of them.
  EXPECT_FALSE(files_of(two_.path()).empty());
  EXPECT_EQ(run_client({"release", one_.path()}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return holds(two_); })) << log();
  EXPECT_EQ(run_client({"release", two_.path()}).exit_code, 0);
  EXPECT_TRUE(in_step([](const Files& files) { return files.empty(); })) << log();
  EXPECT_TRUE(wait_until([&] { return run_client({"status", one_.path()}).out.find("problem") == std::string::npos; }))
      << run_client({"status", one_.path()}).out;
}

}  // namespace
}  // namespace diaryx::client
