#include "config.h"

#include <gtest/gtest.h>

namespace diaryx::plugin {
namespace {

TEST(Config, NormalisesAServerHoweverItWasWritten) {
  for (const std::string_view url :
       {"https://sync.diaryx.org", " https://sync.diaryx.org/ ", "https://sync.diaryx.org/sync2/",
        "https://sync.diaryx.org/sync/", "https://sync.diaryx.org/sync2/sync/"}) {
    EXPECT_EQ(normalised_server(url), "https://sync.diaryx.org") << url;
  }
  EXPECT_EQ(normalised_server("https://h/async"), "https://h/async");
  EXPECT_EQ(normalised_server("///"), "");
}

TEST(Config, MakesASocketAddress) {
  EXPECT_EQ(socket_server("http://h:1"), "ws://h:1");
  EXPECT_EQ(socket_server("https://h"), "wss://h");
  EXPECT_EQ(socket_server("wss://h"), "wss://h");
}

TEST(Config, PatchKeepsClearsAndTrims) {
  Config config{"https://old", "token", "old"};
  config.patch(*Json::parse(R"({"server_url":null,"auth_token":"  ","workspace_id":" new-workspace ","else":1})"));
  EXPECT_EQ(config, (Config{"", "", "new-workspace"}));
  config.patch(*Json::parse(R"({"workspace_id":5})"));
  EXPECT_EQ(config.workspace_id, "new-workspace");
}

TEST(Config, NeverShowsTheToken) {
  const Config config{"https://h", "secret", "w"};
  EXPECT_EQ(config.to_public_json().dump(), R"({"server_url":"https://h","workspace_id":"w"})");
  EXPECT_EQ(Config::from_json(config.to_json()), config);
}

TEST(Config, EncodesWhatStandsInAUrl) { EXPECT_EQ(percent_encoded("a b/é~"), "a%20b%2F%C3%A9~"); }

TEST(Endpoint, TakesTheParameterThenTheStoredValueThenTheContext) {
  const Json context = *Json::parse(R"({"server_url":"https://c","auth_token":"ct"})");
  const Config config{"https://s/", "", ""};
  const Endpoint stored = Endpoint::resolve(Json::object(), config, context);
  EXPECT_EQ(stored.server_url, "https://s");
  EXPECT_EQ(stored.auth_token, "ct");
  // A blank parameter does not hide what is stored (A22).
  const Json blank = Json{}.set("server_url", " ").set("auth_token", "p");
  EXPECT_EQ(Endpoint::resolve(blank, config, context).server_url, "https://s");
  EXPECT_EQ(Endpoint::resolve(blank, config, context).auth_token, "p");
}

}  // namespace
}  // namespace diaryx::plugin
