#include "said.h"

#include <gtest/gtest.h>

namespace diaryx::client {
namespace {

TEST(Said, LetsNoTextSpeakToTheTerminal) {
  EXPECT_EQ(safe_text("a\x1b[2J\x7f\r b\n\tc"), "a?[2J?? b\n\tc");
  EXPECT_EQ(safe_line("a\n\tb"), "a??b");
  EXPECT_EQ(safe_line("\xc2\x9b"
                      "31m"),
            "?31m");  // CSI in one character
  EXPECT_EQ(safe_line("caf\xe9 \xf0\x9f\x98"), "caf? ???");
  EXPECT_EQ(safe_line("caf\xc3\xa9 \xf0\x9f\x98\x80"), "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

TEST(Said, QuotesWhatAShellWouldTearApart) {
  EXPECT_EQ(as_argument("/home/me/caf\xc3\xa9-1.2"), "/home/me/caf\xc3\xa9-1.2");
  EXPECT_EQ(as_argument("/home/me/my notes"), "'/home/me/my notes'");
  EXPECT_EQ(as_argument("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(as_argument(""), "''");
}

TEST(Said, IsUtf8ForScriptsWhateverAFileIsCalled) {
  EXPECT_EQ(as_utf8("caf\xe9.md"), "caf\xef\xbf\xbd.md");
  EXPECT_EQ(as_utf8("\xf0\x9f\x98"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(as_utf8("caf\xc3\xa9\n"), "caf\xc3\xa9\n");
}

}  // namespace
}  // namespace diaryx::client
