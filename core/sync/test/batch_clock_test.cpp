// A time that goes on while the device's clock is set to and fro.
#include "replica/batch_clock.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

constexpr TimestampMs kNoon{43'200'000};
constexpr DurationMs kHour{3'600'000};
constexpr DurationMs kBack{-3'600'000};

TEST(BatchClock, IsTheDevicesClockAsLongAsThatGoesOn) {
  BatchClock clock;
  clock.show(kNoon);
  EXPECT_EQ(clock.now(), kNoon);
  clock.show(kNoon + kHour);
  EXPECT_EQ(clock.now(), kNoon + kHour);
  EXPECT_EQ(clock.wall(), kNoon + kHour);
  EXPECT_EQ(clock.on_wall(kNoon), kNoon);
}

TEST(BatchClock, StandsStillWhenTheClockIsSetBackAndGoesOnWithIt) {
  BatchClock clock;
  clock.show(kNoon);
  clock.show(kNoon + kBack);
  EXPECT_EQ(clock.now(), kNoon);
  EXPECT_EQ(clock.wall(), kNoon + kBack) << "people see what the device shows";
  clock.show(kNoon + kBack + DurationMs{5});
  EXPECT_EQ(clock.now(), kNoon + DurationMs{5});
}

TEST(BatchClock, SaysWhenTheDevicesClockWillShowAMoment) {
  BatchClock clock;
  clock.show(kNoon);
  const TimestampMs deadline = clock.now() + kHour;
  clock.show(kNoon + kBack);
  EXPECT_EQ(clock.on_wall(clock.now()), clock.wall());
  EXPECT_EQ(clock.on_wall(deadline), kNoon) << "an hour from what it shows";
  clock.show(kNoon);
  EXPECT_GE(clock.now(), deadline);
}

}  // namespace
}  // namespace diaryx::sync
