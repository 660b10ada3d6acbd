#include <gtest/gtest.h>

#include "diaryx/sync/metadata.h"

namespace diaryx::sync {
namespace {

TEST(Timestamp, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(TimestampMs{1'700'000'000'000}), "2023-11-14T22:13:20.000+00:00");
  EXPECT_EQ(format_rfc3339(TimestampMs{0}), "1970-01-01T00:00:00.000+00:00");
  EXPECT_EQ(format_rfc3339(TimestampMs{-1}), "1969-12-31T23:59:59.999+00:00");
  EXPECT_EQ(format_rfc3339(TimestampMs{951'782'400'123}), "2000-02-29T00:00:00.123+00:00");
  EXPECT_EQ(format_rfc3339(TimestampMs{INT64_MAX}), "9999-12-31T23:59:59.999+00:00");
  EXPECT_EQ(format_rfc3339(TimestampMs{INT64_MIN}), "0000-01-01T00:00:00.000+00:00");
}

TEST(Timestamp, ReadsWhatPeopleAndProgramsWrite) {
  const TimestampMs moment{1'700'000'000'000};
  for (const char* text : {"2023-11-14T22:13:20Z", "2023-11-14T22:13:20.000+00:00", "2023-11-14t22:13:20z",
                           "2023-11-14 22:13:20Z", "2023-11-14T23:43:20+01:30", "2023-11-14T14:13:20.0000000-08:00"})
    EXPECT_EQ(parse_rfc3339(text), moment) << text;
  EXPECT_EQ(parse_rfc3339("2023-11-14T22:13:20.12345Z"), TimestampMs{1'700'000'000'123});
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), TimestampMs{1'483'228'800'000});
}

TEST(Timestamp, RefusesWhatIsNoDate) {
  for (const char* text : {"", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-13-01T00:00:00Z",
                           "2023-02-29T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20.Z",
                           "2023-11-14T22:13:20Zx", "2023-11-14T22:13:20+0100", "20231-1-14T22:13:20Z"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

TEST(Timestamp, GoesBothWaysOverTheWholeRange) {
  for (int64_t ms = -62'167'219'200'000; ms < 253'402'300'800'000; ms += 86'400'000LL * 97 + 12'345'678) {
    ASSERT_EQ(parse_rfc3339(format_rfc3339(TimestampMs{ms})), TimestampMs{ms});
  }
}

}  // namespace
}  // namespace diaryx::sync
