#include "diaryx/native/server_url.h"

#include <gtest/gtest.h>

namespace diaryx::native {
namespace {

struct UrlCase {
  const char* name;
  const char* text;
  const char* display;  // null: refused
};

class ServerUrlTest : public testing::TestWithParam<UrlCase> {};

TEST_P(ServerUrlTest, IsReadAsAUserTypesIt) {
  const auto url = ServerUrl::parse(GetParam().text);
  ASSERT_EQ(url.has_value(), GetParam().display != nullptr) << (url ? url->display() : url.error().sentence);
  if (url) EXPECT_EQ(url->display(), GetParam().display);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, ServerUrlTest,
    testing::Values(UrlCase{"plain", "http://127.0.0.1:3030", "http://127.0.0.1:3030"},
                    UrlCase{"slash", "https://sync.example.org/", "https://sync.example.org"},
                    UrlCase{"sync2", "https://Sync.Example.org/sync2", "https://sync.example.org"},
                    UrlCase{"repeated_suffixes", "https://a.org/sync2/sync//", "https://a.org"},
                    UrlCase{"websocket", "wss://a.org:444", "https://a.org:444"},
                    UrlCase{"own_port_left_out", "https://a.org:443", "https://a.org"},
                    UrlCase{"base_path", "http://a.org/diaryx/sync2", "http://a.org/diaryx"},
                    UrlCase{"ipv6", "http://[::1]:8080", "http://[::1]:8080"},
                    UrlCase{"no_scheme", "a.org:3030", nullptr}, UrlCase{"other_scheme", "ftp://a.org", nullptr},
                    UrlCase{"no_host", "http://", nullptr}, UrlCase{"bad_port", "http://a.org:99999", nullptr},
                    UrlCase{"port_zero", "http://a.org:0", nullptr},
                    UrlCase{"line_break", "http://a.org\r\nX: y", nullptr},
                    UrlCase{"user_part", "http://me@a.org", nullptr},
                    UrlCase{"query", "http://a.org/?token=x", nullptr}, UrlCase{"bare_ipv6", "http://::1", nullptr}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PercentEncoded, LeavesOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encoded("a-Z_0.~"), "a-Z_0.~");
  EXPECT_EQ(percent_encoded("a b/\xc3\xa9?"), "a%20b%2F%C3%A9%3F");
}

}  // namespace
}  // namespace diaryx::native
