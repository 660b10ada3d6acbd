#include "http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "diaryx/base/json.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "openapi.h"
#include "router.h"

namespace diaryx::server {
namespace {

struct RangeCase {
  const char* header;
  ByteRange::Kind kind;
  uint64_t offset;
  uint64_t length;
};

TEST(Http, ReadsRangesOfAFileOfTenBytes) {
  using Kind = ByteRange::Kind;
  const RangeCase cases[] = {
      {"", Kind::Whole, 0, 0},
      {"bytes=0-0", Kind::Part, 0, 1},
      {"bytes=2-5", Kind::Part, 2, 4},
      {"bytes=9-", Kind::Part, 9, 1},
      {"bytes=0-99", Kind::Part, 0, 10},
      {"bytes=-3", Kind::Part, 7, 3},
      {"bytes=-99", Kind::Part, 0, 10},
      {"bytes=10-", Kind::Unsatisfiable, 0, 0},
      {"bytes=-0", Kind::Unsatisfiable, 0, 0},
      {"bytes=5-2", Kind::Whole, 0, 0},
      {"bytes=20-12", Kind::Whole, 0, 0},  // of no file, so it is passed over, also behind the end
      {"bytes=0-1,3-4", Kind::Whole, 0, 0},
      {"bytes=a-b", Kind::Whole, 0, 0},
      {"lines=0-1", Kind::Whole, 0, 0},
      {"bytes=-", Kind::Whole, 0, 0},
      // More than 64 bits hold.
      {"bytes=99999999999999999999-", Kind::Unsatisfiable, 0, 0},
      {"bytes=0-99999999999999999999", Kind::Part, 0, 10},
      {"bytes=-99999999999999999999", Kind::Part, 0, 10},
  };
  for (const RangeCase& one : cases) {
    const ByteRange range = parse_range(one.header, 10);
    EXPECT_EQ(range.kind, one.kind) << one.header;
    EXPECT_EQ(range.offset, one.offset) << one.header;
    EXPECT_EQ(range.length, one.length) << one.header;
  }
}

TEST(Http, FindsATokenBehindItsSchemeInAnyCase) {
  EXPECT_EQ(bearer_token("Bearer abc"), "abc");
  EXPECT_EQ(bearer_token("bearer abc"), "abc");
  EXPECT_EQ(bearer_token("BEARER ABC"), "ABC");
  for (const char* other : {"", "Bearer", "Basic abc", "Bearer\tabc", "Bearerabc", " Bearer abc"})
    EXPECT_FALSE(bearer_token(other)) << other;
}

TEST(Http, CutsATargetAtItsQuery) {
  const auto target = parse_target("/sync2?token=a%2Bb&x=1+2&x=3&y");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/sync2");
  EXPECT_EQ(target->raw_token, "a%2Bb");  // as sent
  EXPECT_EQ(target->query.at("x"), "1 2");
  EXPECT_EQ(target->query.at("y"), "");
  EXPECT_FALSE(parse_target("/a?x=%zz"));
  EXPECT_FALSE(parse_target("/a?x=%ff"));
  EXPECT_FALSE(parse_target("*"));
  EXPECT_FALSE(parse_target(""));
}

TEST(Http, TakesATargetThatNamesItsHost) {
  const auto target = parse_target("http://notes.example.org:8080/api/user?x=1");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host, "notes.example.org:8080");
  EXPECT_EQ(target->path, "/api/user");
  EXPECT_EQ(target->query.at("x"), "1");
  EXPECT_EQ(parse_target("/api/user")->host, "");
  for (const char* const root : {"HTTPS://[::1]:8080", "https://a?x=1", "http://a/"}) {
    ASSERT_TRUE(parse_target(root)) << root;
    EXPECT_EQ(parse_target(root)->path, "/") << root;
  }
  for (const char* const wrong : {"http://", "http:///a", "http://me@a/", "ftp://a/", "http:/a", "a:80", "http"})
    EXPECT_FALSE(parse_target(wrong)) << wrong;
}

TEST(Http, FindsATagAmongThoseThatAreKnown) {
  for (const char* const known : {"*", "\"a\"", "W/\"a\"", "\"b\", \"a\"", " W/\"b\" ,W/\"a\" "})
    EXPECT_TRUE(names_tag(known, "\"a\"")) << known;
  for (const char* const known : {"", "a", "\"b\"", "\"a", ",", " , ", "\"a\"x", "**"})
    EXPECT_FALSE(names_tag(known, "\"a\"")) << known;
}

TEST(Router, FindsRoutesAndTellsMethodsApart) {
  const auto part = find_route(http::verb::put, "/api/workspaces/w%20s/attachments/uploads/u/parts/3");
  ASSERT_NE(part.route, nullptr);
  EXPECT_EQ(part.arguments, (std::vector<std::string>{"w s", "u", "3"}));
  EXPECT_EQ(find_route(http::verb::put, "/api/workspaces").allowed, "GET, HEAD, POST");
  EXPECT_EQ(find_route(http::verb::head, "/health").route, find_route(http::verb::get, "/health").route);
  EXPECT_EQ(find_route(http::verb::head, "/auth/verify").allowed, "GET, POST");
  EXPECT_EQ(find_route(http::verb::get, "/api/workspaces//snapshot").route, nullptr);
  EXPECT_EQ(find_route(http::verb::get, "/api/workspaces/a/").route, nullptr);
  EXPECT_EQ(find_route(http::verb::get, "/api/workspaces/%ff").route, nullptr);
  EXPECT_EQ(find_route(http::verb::get, "/health/").route, nullptr);
}

/// A path of the description as the router writes it: `/a/{id}` is `/a/{}`.
std::string without_names(std::string_view path) {
  std::string pattern;
  bool inside = false;
  for (const char c : path) {
    inside = inside && c != '}';
    if (!inside) pattern.push_back(c);
    inside = inside || c == '{';
  }
  return pattern;
}

/// Who may ask, in the words of the description's `security`.
std::string whom(const Json& operation) {
  std::string names;
  for (const Json& one : *operation.find("security")->as_array()) {
    for (const auto& [name, scopes] : *one.as_object()) names += (names.empty() ? "" : " or ") + name;
  }
  return names.empty() ? "anybody" : names;
}

std::string whom(Auth auth) {
  switch (auth) {
    case Auth::Public: return "anybody";
    case Auth::UserOrGuest: return "token or share";
    case Auth::User:
    case Auth::Owner: return "token";
  }
  return "";
}

// The matrix of tests/server asks every operation of the description: one that the description does not name would go unasked.
TEST(Router, AnswersExactlyWhatTheDescriptionNames) {
  const auto description = Json::parse(kOpenApi);
  ASSERT_TRUE(description.has_value());
  std::map<std::string, std::string> described;
  for (const auto& [path, operations] : *description->find("paths")->as_object()) {
    if (path == "/sync2" || path == "/hocuspocus" || path.starts_with("/yjs/")) continue;  // upgraded before the router
    for (const auto& [method, operation] : *operations.as_object())
      described[method + " " + without_names(path)] = whom(operation);
  }
  std::map<std::string, std::string> routed;
  for (const Route& route : all_routes()) {
    std::string method(http::to_string(route.method));
    for (char& c : method) c = static_cast<char>(c | 0x20);
    routed[method + " " + std::string(route.pattern)] = whom(route.auth);
  }
  EXPECT_THAT(routed, testing::ContainerEq(described));
}

// The matrix sends every message of the description: one that the description does not name would go unsent.
TEST(Sockets, HearExactlyTheMessagesThatTheDescriptionNames) {
  constexpr size_t kToldByServers = 14;  // and what nobody knows is `Ignored`
  const auto description = Json::parse(kOpenApi);
  ASSERT_TRUE(description.has_value());
  const Json& named = *description->find("paths")->find("/sync2")->find("get")->find("x-messages");
  size_t texts = 0;
  for (const Json& name : *named.as_array()) {
    const std::string& word = *name.as_string();
    if (word.front() >= 'A' && word.front() <= 'Z' && word != "FilesReady") continue;  // in binary frames
    ++texts;
    const bool is_action = word == "leave" || word == "save";
    Json message = Json::object();
    message.set(is_action ? "action" : "type", word).set("doc", "d").set("workspace", "w").set("files", Json::array());
    const auto control = sync::parse_control(message.dump());
    ASSERT_TRUE(control.has_value()) << word;
    EXPECT_FALSE(std::holds_alternative<sync::Ignored>(*control)) << word;
  }
  EXPECT_EQ(texts + kToldByServers + 1, std::variant_size_v<sync::ControlMessage>);
  EXPECT_EQ(named.as_array()->size() - texts, std::variant_size_v<sync::Message>);
}

}  // namespace
}  // namespace diaryx::server
