// How often, from where, and the small texts that let people in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "client_address.h"
#include "rate_limiter.h"
#include "service_limits.h"
#include "share_code.h"
#include "sign_in.h"

namespace diaryx::server {
namespace {

using boost::asio::ip::make_address;

TEST(DeviceName, IsWholeCharactersThatCanBeShown) {
  EXPECT_EQ(clean_device_name("Adam's laptop"), "Adam's laptop");
  EXPECT_EQ(clean_device_name("ä 😀"), "ä 😀");
  EXPECT_EQ(clean_device_name("a\x1b[31m\x7f\n\xc2\x9bz"), "a[31mz");
  EXPECT_EQ(clean_device_name("\xe4 latin\xff"), " latin");
  std::string long_name = "x";
  for (int i = 0; i < 100; ++i) long_name += "é";
  EXPECT_EQ(clean_device_name(long_name), long_name.substr(0, 199)) << "not half a character";
}

TEST(OpenConnections, CountsEachUntilItIsGoneWhereverItWasMoved) {
  const auto open = std::make_shared<OpenConnections>();
  auto first = open->enter("a", 2);
  auto second = open->enter("a", 2);
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(open->enter("a", 2));
  EXPECT_TRUE(open->enter("a", 0));  // no limit; and gone at once
  EXPECT_TRUE(open->enter("b", 2));
  EXPECT_EQ(open->count(), 2u);
  OpenConnections::Counted moved(std::move(first));
  EXPECT_EQ(open->count(), 2u);
  second = std::move(moved);  // what it counted before is gone
  EXPECT_EQ(open->count(), 1u);
  EXPECT_TRUE(open->enter("a", 2));
  second.release();
  second.release();
  EXPECT_EQ(open->count(), 0u);
}

TEST(OpenConnections, MayBeGoneBeforeTheLastConnection) {
  auto open = std::make_shared<OpenConnections>();
  auto last = open->enter("a", 1);
  open.reset();
  last.release();
}

TEST(RateLimiter, AllowsABurstThenTheSteadyRate) {
  RateLimiter limiter(3, DurationMs{60'000});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take("a", TimestampMs{0}));
  EXPECT_EQ(limiter.take("a", TimestampMs{0}), DurationMs{20'000});
  EXPECT_FALSE(limiter.take("b", TimestampMs{0}));
  EXPECT_EQ(limiter.take("a", TimestampMs{19'999}), DurationMs{1});
  EXPECT_FALSE(limiter.take("a", TimestampMs{20'000}));
  EXPECT_TRUE(limiter.take("a", TimestampMs{20'000}));
  // A minute of rest gives the whole burst back, and no more.
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.take("a", TimestampMs{500'000}));
  EXPECT_TRUE(limiter.take("a", TimestampMs{500'000}));
}

TEST(RateLimiter, ARefusalDoesNotCount) {
  RateLimiter limiter(1, DurationMs{1000});
  EXPECT_FALSE(limiter.would_refuse("a", TimestampMs{0}));
  EXPECT_FALSE(limiter.take("a", TimestampMs{0}));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limiter.take("a", TimestampMs{999}));
  EXPECT_FALSE(limiter.take("a", TimestampMs{1000}));
}

TEST(RateLimiter, WithoutALimitAllowsEverythingAndRemembersNothing) {
  RateLimiter limiter(0, DurationMs{1000});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limiter.take(std::to_string(i), TimestampMs{0}));
  EXPECT_EQ(limiter.keys(), 0u);
}

TEST(RateLimiter, StaysWithinItsRoomAndForgetsTheRestedFirst) {
  RateLimiter limiter(2, DurationMs{1000}, 100);
  for (int i = 0; i < 50; ++i) limiter.take("old" + std::to_string(i), TimestampMs{0});
  for (int i = 0; i < 50; ++i) limiter.take("new" + std::to_string(i), TimestampMs{900});
  EXPECT_FALSE(limiter.take("new0", TimestampMs{900}));
  limiter.take("one more", TimestampMs{900});
  EXPECT_TRUE(limiter.take("new0", TimestampMs{900})) << "a key that took something is not forgotten for a rested one";
  for (int i = 0; i < 10'000; ++i) limiter.take("flood" + std::to_string(i), TimestampMs{901});
  EXPECT_LE(limiter.keys(), 100u);
}

TEST(RetryAfter, IsWholeSecondsAndNeverZero) {
  EXPECT_EQ(retry_after_seconds(DurationMs{1}), 1);
  EXPECT_EQ(retry_after_seconds(DurationMs{1000}), 1);
  EXPECT_EQ(retry_after_seconds(DurationMs{1001}), 2);
}

struct AddressCase {
  const char* name;
  const char* peer;
  const char* forwarded;
  const char* expected;
};
struct ClientAddress : testing::TestWithParam<AddressCase> {};

TEST_P(ClientAddress, IsTheLastOneThatNoTrustedProxyVouchesFor) {
  const auto trusted = AddressList::parse({"127.0.0.1", "10.0.0.0/8", "fd00::/8"});
  ASSERT_TRUE(trusted);
  const AddressCase& one = GetParam();
  EXPECT_EQ(client_address(make_address(one.peer), one.forwarded, *trusted).to_string(), one.expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, ClientAddress,
                         testing::Values(AddressCase{"no_proxy", "203.0.113.1", "198.51.100.1", "203.0.113.1"},
                                         AddressCase{"no_header", "127.0.0.1", "", "127.0.0.1"},
                                         AddressCase{"one_proxy", "127.0.0.1", "203.0.113.1", "203.0.113.1"},
                                         AddressCase{"two_proxies", "10.9.8.7", "203.0.113.1, 10.1.1.1", "203.0.113.1"},
                                         AddressCase{"what_the_client_wrote_is_not_believed", "127.0.0.1",
                                                     "1.1.1.1,203.0.113.1", "203.0.113.1"},
                                         AddressCase{"no_address_ends_it", "127.0.0.1", "unknown", "127.0.0.1"},
                                         AddressCase{"mapped_address", "::ffff:127.0.0.1", "203.0.113.1",
                                                     "203.0.113.1"},
                                         AddressCase{"version_six", "fd12::1", "2001:db8::1", "2001:db8::1"},
                                         AddressCase{"another_version_six", "fe80::1", "2001:db8::1", "fe80::1"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(AddressList, RefusesWhatIsNoNetwork) {
  for (const char* entry : {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::1/129", "10.0.0.0/-1"}) {
    const auto list = AddressList::parse({entry});
    ASSERT_FALSE(list) << entry;
    EXPECT_THAT(list.error().sentence, testing::HasSubstr(std::string("\"") + entry + "\""));
  }
}

TEST(LimitKey, CountsAWholeVersionSixNetworkAsOne) {
  EXPECT_EQ(limit_key(make_address("2001:db8:1:2:3:4:5:6")), limit_key(make_address("2001:db8:1:2::9")));
  EXPECT_NE(limit_key(make_address("2001:db8:1:2::9")), limit_key(make_address("2001:db8:1:3::9")));
  EXPECT_EQ(limit_key(make_address("203.0.113.9")), "203.0.113.9");
}

TEST(ShareCode, IsReadInAnyCaseAndInNoOtherForm) {
  const std::string code = make_share_code();
  EXPECT_EQ(normal_share_code(code), code);
  std::string lower = code;
  for (char& c : lower) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(normal_share_code(lower), code);
  for (const std::string& bad : {std::string(), code.substr(1), code + "A", std::string(17, 'A'),
                                 "AAAAAAA--AAAAAAAA" + std::string(), "AAAAAAAA-AAAAAAA/" + std::string()}) {
    EXPECT_FALSE(normal_share_code(bad)) << bad;
  }
}

TEST(ShareCode, UsesEveryLetter) {
  std::set<char> seen;
  for (int i = 0; i < 200; ++i) {
    for (const char c : make_share_code()) seen.insert(c);
  }
  EXPECT_EQ(seen.size(), 37u);  // 36 and the dash
}

TEST(SignIn, MakesSecretsOfWhichOnlyHashesAreKept) {
  const SignInSecrets secrets = make_sign_in("me@x.y", TimestampMs{5}, DurationMs{10});
  EXPECT_EQ(secrets.token.size(), 43u);
  EXPECT_EQ(secrets.code.size(), 6u);
  EXPECT_EQ(secrets.stored.link_hash, sha256(secrets.token));
  EXPECT_EQ(secrets.stored.code_hash, hash_code(secrets.stored.salt, secrets.code));
  EXPECT_NE(secrets.stored.code_hash, sha256(secrets.code));
  EXPECT_EQ(secrets.stored.expires, TimestampMs{15});
}

TEST(SignIn, PutsTheTokenWhereBrowsersKeepItOrWhereTheAppExpectsIt) {
  EXPECT_EQ(sign_in_link("", "http://h:1", "T"), "http://h:1/sign-in#T");
  EXPECT_EQ(sign_in_link("https://app.example", "http://h:1", "T"), "https://app.example?token=T");
}

TEST(Email, IsTrimmedAndInLowerCaseOrRefused) {
  EXPECT_EQ(normal_email(" Me@Example.ORG\t"), "me@example.org");
  for (const char* bad : {"", "a@b", "nobody", "@b.cc", "abcd@", "a b@c.d", "a\n@b.cc", "\xff@b.cc"}) {
    EXPECT_FALSE(normal_email(bad)) << bad;
  }
}

}  // namespace
}  // namespace diaryx::server
