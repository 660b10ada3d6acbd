#include "device_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "temp_folder.h"

namespace diaryx::client {
namespace {

DeviceConfig some_config() {
  return {.server = *native::ServerUrl::parse("https://sync.example.org"),
          .workspace_id = "ws-1",
          .workspace_name = "notes \"and\" more",
          .device_id = "device-1",
          .linked_at_ms = 1'700'000'000'000};
}

TEST(DeviceFolder, KeepsWhatItWasLinkedTo) {
  const native::TempFolder temp;
  const auto folder = DeviceFolder::open(temp.path());
  ASSERT_TRUE(folder);
  EXPECT_FALSE(folder->config()->has_value());
  ASSERT_TRUE(folder->link(some_config(), "secret"));
  const auto config = folder->linked_config();
  ASSERT_TRUE(config) << config.error().sentence;
  EXPECT_EQ(config->server, some_config().server);
  EXPECT_EQ(config->workspace_id, "ws-1");
  EXPECT_EQ(config->workspace_name, "notes \"and\" more");
  EXPECT_EQ(config->device_id, "device-1");
  EXPECT_EQ(config->linked_at_ms, 1'700'000'000'000);
  EXPECT_EQ(*folder->token(), "secret");
}

TEST(DeviceFolder, ShowsTheTokenToItsOwnerOnly) {
  const native::TempFolder temp;
  const auto folder = DeviceFolder::open(temp.path());
  temp.write(".diaryx/token.new", "left by a crash, readable by all");
  ASSERT_TRUE(folder->link(some_config(), "secret"));
  struct stat info{};
  ASSERT_EQ(::stat((temp / ".diaryx/token").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  EXPECT_EQ(temp.read(".diaryx/config.json").find("secret"), std::string::npos);
  EXPECT_EQ(temp.read(".diaryx/.gitignore"), "*\n");
}

TEST(DeviceFolder, SaysHowToLinkAFolderThatIsNot) {
  const native::TempFolder temp;
  const auto config = DeviceFolder::open(temp.path())->linked_config();
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ExitCode::NotLinked);
  EXPECT_NE(config.error().sentence.find("diaryx-sync link "), std::string::npos);
}

TEST(DeviceFolder, RefusesSettingsItDoesNotUnderstand) {
  for (const char* text :
       {"", "{", "[]", R"({"version":99,"server":"https://a.org","workspace_id":"w"})",
        R"({"version":1,"server":"nonsense","workspace_id":"w"})", R"({"version":1,"server":"https://a.org"})"}) {
    const native::TempFolder temp;
    temp.write(".diaryx/config.json", text);
    const auto config = DeviceFolder::open(temp.path())->config();
    ASSERT_FALSE(config) << text;
    EXPECT_EQ(config.error().code, ExitCode::Failed);
  }
}

TEST(DeviceFolder, ForgetsEverythingButTheUsersFiles) {
  const native::TempFolder temp;
  temp.write("notes/a.md", "mine");
  const auto folder = DeviceFolder::open(temp.path());
  ASSERT_TRUE(folder->link(some_config(), "secret"));
  ASSERT_TRUE(folder->unlink());
  EXPECT_FALSE(temp.has(".diaryx"));
  EXPECT_EQ(temp.read("notes/a.md"), "mine");
}

TEST(DeviceFolder, UnlinkingLeavesWhatIsNotItsOwn) {
  const native::TempFolder temp;
  const auto folder = DeviceFolder::open(temp.path());
  ASSERT_TRUE(folder->link(some_config(), "secret"));
  temp.write(".diaryx/state.db", "state");
  temp.write(".diaryx/tmp/1.tmp", "half a file");
  temp.write(".diaryx/tmp/2.tmp.kept", "a text that could not be put back");
  temp.write(".diaryx/plugins/other/plugin.wasm", "of the app that opens this folder too");
  ASSERT_TRUE(folder->unlink());
  for (const char* ours : {"config.json", "token", "state.db", "lock", "tmp/1.tmp"}) {
    EXPECT_FALSE(temp.has(std::string(".diaryx/") + ours)) << ours;
  }
  EXPECT_EQ(temp.read(".diaryx/tmp/2.tmp.kept"), "a text that could not be put back");
  EXPECT_EQ(temp.read(".diaryx/plugins/other/plugin.wasm"), "of the app that opens this folder too");
  EXPECT_TRUE(temp.has(".diaryx/.gitignore"));
}

TEST(FolderLock, IsHeldByOneAtATime) {
  const native::TempFolder temp;
  const auto folder = DeviceFolder::open(temp.path());
  ASSERT_TRUE(folder->link(some_config(), "secret"));
  EXPECT_FALSE(FolderLock::holder(folder->root()));
  {
    const auto lock = FolderLock::acquire(folder->root());
    ASSERT_TRUE(lock);
    EXPECT_EQ(FolderLock::holder(folder->root()), ::getpid());
    const auto second = FolderLock::acquire(folder->root());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ExitCode::Busy);
    EXPECT_NE(second.error().sentence.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_FALSE(FolderLock::holder(folder->root()));
  EXPECT_TRUE(FolderLock::acquire(folder->root()));
}

}  // namespace
}  // namespace diaryx::client
