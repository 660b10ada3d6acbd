#include "output.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace diaryx::client {
namespace {

std::vector<Json> said_as_json(const std::function<void(Output&)>& work) {
  testing::internal::CaptureStdout();
  Output output(OutputStyle::Json);
  work(output);
  std::istringstream lines(testing::internal::GetCapturedStdout());
  std::vector<Json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(*Json::parse(line));
  return events;
}

TEST(Output, SaysAStateOnlyWhenItChanges) {
  const auto events = said_as_json([](Output& output) {
    output.state("syncing");
    output.state("synced");
    output.state("synced");
  });
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].string_member("event"), "status");
  EXPECT_EQ(events[1].string_member("state"), "synced");
  EXPECT_GT(events[1].integer_member("time_ms"), 1'600'000'000'000);
}

TEST(Output, NamesPathsAsTheyAre) {
  const auto events = said_as_json([](Output& output) {
    output.received({"a \"b\"\n.md", sync::FileChange::Moved, "old.md"});
    output.problem("c.md", "cannot read it");
  });
  EXPECT_EQ(events[0].string_member("path"), "a \"b\"\n.md");
  EXPECT_EQ(events[0].string_member("change"), "moved");
  EXPECT_EQ(events[0].string_member("from"), "old.md");
  EXPECT_EQ(events[1].string_member("message"), "cannot read it");
}

TEST(Output, IsJsonForAFileWhoseNameIsNoUtf8) {
  const auto events = said_as_json([](Output& output) { output.seen("caf\xe9.md", "created"); });
  EXPECT_EQ(events.at(0).string_member("path"), "caf\xef\xbf\xbd.md");
}

TEST(Output, DoesNotLetAFileNameSpeakToTheTerminal) {
  testing::internal::CaptureStdout();
  Output(OutputStyle::Human).seen("a\x1b[2Jb.md", "created");
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("a?[2Jb.md"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Output, SparesPeopleTheStepsOfEveryEdit) {
  testing::internal::CaptureStdout();
  Output output(OutputStyle::Human);
  for (const char* state : {"connecting", "syncing", "synced", "syncing", "synced", "offline", "syncing", "synced"})
    output.state(state);
  std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(Output, ForgetsAProblemThatIsSolvedAndNoOther) {
  testing::internal::CaptureStderr();
  Output output(OutputStyle::Quiet);
  output.problem("a.md", "cannot read it");
  output.solved("b.md");
  output.withdraw("a wave is held");
  EXPECT_EQ(output.last_problem(), "a.md: cannot read it");
  output.transferred(Direction::Upload, "a.md", 1);
  EXPECT_EQ(output.last_problem(), "");
  output.problem({}, "a wave is held");
  output.solved({});
  EXPECT_EQ(output.last_problem(), "a wave is held");
  output.withdraw("a wave is held");
  EXPECT_EQ(output.last_problem(), "");
  testing::internal::GetCapturedStderr();
}

TEST(HumanSize, HasOneDecimalFromAThousandOn) {
  EXPECT_EQ(human_size(0), "0 bytes");
  EXPECT_EQ(human_size(999), "999 bytes");
  EXPECT_EQ(human_size(1'200'000), "1.2 MB");
}

}  // namespace
}  // namespace diaryx::client
