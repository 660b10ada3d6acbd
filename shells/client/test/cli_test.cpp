// The command line without a server: what users type wrong, and what they are told.
#include <gtest/gtest.h>

#include <algorithm>

#include "process.h"

namespace diaryx::client {
namespace {

struct WrongCase {
  const char* name;
  std::vector<std::string> arguments;
  int exit_code;
  const char* sentence;
};

class WrongCommand : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongCommand, EndsWithItsCodeAndOneSentence) {
  const native::TempFolder folder;
  std::vector<std::string> arguments = GetParam().arguments;
  std::replace(arguments.begin(), arguments.end(), std::string("FOLDER"), folder.path());
  const Ended ended = run_client(arguments);
  EXPECT_EQ(ended.exit_code, GetParam().exit_code) << ended.err;
  EXPECT_NE(ended.err.find(GetParam().sentence), std::string::npos) << ended.err;
  EXPECT_TRUE(ended.err.starts_with("diaryx-sync: ")) << ended.err;
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 1) << ended.err;
  EXPECT_FALSE(folder.has(".diaryx"));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, WrongCommand,
    testing::Values(
        WrongCase{"nothing", {}, 2, "diaryx-sync: diaryx-sync needs a command"},
        WrongCase{"unknown", {"fly"}, 2, "has no command \"fly\" (see diaryx-sync --help)"},
        WrongCase{"misspelt", {"wacth", "FOLDER"}, 2, "has no command \"wacth\"; did you mean watch?"},
        WrongCase{"misspelt_beneath", {"snapshot", "crate", "x"}, 2, "did you mean create?"},
        WrongCase{"misspelt_option",
                  {"link", "FOLDER", "--server", "http://a", "--tokne", "t"},
                  2,
                  "diaryx-sync link has no option --tokne; did you mean --token?"},
        WrongCase{"unlike_any_option", {"sync", "FOLDER", "--everything"}, 2, "no option --everything (see diaryx"},
        WrongCase{"too_many", {"sync", "FOLDER", "more"}, 2, "was not expected: more"},
        WrongCase{
            "negative_limit", {"history", "FOLDER", "--limit", "-4"}, 2, "--limit takes a whole number, not \"-4\""},
        WrongCase{
            "limit_in_words", {"history", "FOLDER", "--limit", "ten"}, 2, "--limit takes a whole number, not \"ten\""},
        WrongCase{
            "link_without_server", {"link", "FOLDER", "--token", "t", "--workspace", "w"}, 2, "--server is required"},
        WrongCase{"bad_address",
                  {"link", "FOLDER", "--server", "example", "--token", "t", "--workspace", "w"},
                  2,
                  "is not a server address"},
        WrongCase{"bad_token",
                  {"link", "FOLDER", "--server", "http://127.0.0.1:1", "--token", "a\nb", "--workspace", "w"},
                  2,
                  "copy it again"},
        WrongCase{"bad_device_name",
                  {"link", "FOLDER", "--server", "http://127.0.0.1:1", "--token", "t", "--workspace", "w",
                   "--device-name", "\xff"},
                  2,
                  "give it another name"},
        WrongCase{"nobody_there",
                  {"link", "FOLDER", "--server", "http://127.0.0.1:1", "--token", "t", "--workspace", "w"},
                  6,
                  "is the server running?"},
        WrongCase{"no_such_folder",
                  {"link", "/nonexistent", "--server", "http://127.0.0.1:1", "--token", "t", "--workspace", "w"},
                  3,
                  "cannot open the folder /nonexistent"},
        WrongCase{"sync_not_linked", {"sync", "FOLDER"}, 3, "link it first: diaryx-sync link"},
        WrongCase{"watch_not_linked", {"watch", "FOLDER"}, 3, "link it first: diaryx-sync link"},
        WrongCase{"status_not_linked", {"status", "FOLDER", "--json"}, 3, "link it first: diaryx-sync link"},
        WrongCase{"unlink_not_linked", {"unlink", "FOLDER"}, 3, "nothing to unlink"},
        WrongCase{"bad_timeout", {"sync", "FOLDER", "--timeout", "0"}, 2, "--timeout"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Help, ListsEveryExitCode) {
  const Ended ended = run_client({"--help"});
  EXPECT_EQ(ended.exit_code, 0);
  for (int code = 0; code <= 9; ++code) {
    EXPECT_NE(ended.out.find("\n  " + std::to_string(code) + "  "), std::string::npos) << code;
  }
}

TEST(Help, IsACommandToo) {
  EXPECT_EQ(run_client({"help"}).out, run_client({"--help"}).out);
  const Ended ended = run_client({"help", "link"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, run_client({"link", "--help"}).out);
}

TEST(Version, IsThatOfTheServer) {
  const Ended ended = run_client({"--version"});
  EXPECT_EQ(ended.exit_code, 0);
  Process server({DIARYX_SYNCD, "--version"});
  EXPECT_EQ(server.wait(), 0);
  EXPECT_EQ(ended.out, server.out());
}

}  // namespace
}  // namespace diaryx::client
