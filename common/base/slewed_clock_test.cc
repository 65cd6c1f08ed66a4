#include "common/base/slewed_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "tests/testing/fake_clock_source.h"

namespace seatlock::base {
namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kHourMs = 3600 * kSecondMs;

class SlewedClockTest : public ::testing::Test {
 protected:
  // Lets `ms` pass, with a reading each `every_ms`.
  void Pass(int64_t ms, int64_t every_ms = 100) {
    for (int64_t passed = 0; passed < ms; passed += every_ms) {
      source_.AdvanceMs(std::min(every_ms, ms - passed));
      clock_.NowMs();
    }
  }

  testing::FakeClockSource source_;
  SlewedClock clock_{source_};
  const int64_t start_ms_ = clock_.NowMs();
};

TEST_F(SlewedClockTest, StartsAtTheMachinesTimeAndKeepsItsPace) {
  EXPECT_EQ(start_ms_, source_.WallUs() / 1000);
  Pass(kHourMs);
  EXPECT_EQ(clock_.NowMs(), source_.WallUs() / 1000);
  EXPECT_EQ(clock_.OffsetUs(), 0);
}

TEST_F(SlewedClockTest, AJumpThatIsUndoneCostsATenthOfItsTime) {
  source_.JumpMs(kHourMs);
  Pass(30 * kSecondMs);
  EXPECT_NEAR(clock_.NowMs(), start_ms_ + 33 * kSecondMs, 20);
  EXPECT_NEAR(clock_.OffsetUs() / 1000, kHourMs - 3 * kSecondMs, 20);

  source_.JumpMs(-kHourMs);
  Pass(31 * kSecondMs);
  EXPECT_EQ(clock_.NowMs(), start_ms_ + 61 * kSecondMs);
  EXPECT_EQ(clock_.OffsetUs(), 0);
}

TEST_F(SlewedClockTest, AClockSetBackIsFollowedWithoutRunningBackwards) {
  source_.JumpMs(-kHourMs);
  Pass(5 * kHourMs);
  EXPECT_NEAR(clock_.NowMs(), start_ms_ + 9 * kHourMs / 2, 20);
  Pass(5 * kHourMs + kSecondMs);
  EXPECT_EQ(clock_.NowMs(), source_.WallUs() / 1000);
}

TEST_F(SlewedClockTest, AnHourTakesTenHoursHoweverOftenItIsAsked) {
  for (const int64_t every_ms : {1, 1000, 60'000}) {
    testing::FakeClockSource source;
    SlewedClock clock(source);
    source.JumpMs(kHourMs);
    clock.NowMs();
    for (int64_t passed = 0; passed < 9 * kHourMs; passed += every_ms) {
      source.AdvanceMs(every_ms);
      clock.NowMs();
    }
    EXPECT_EQ(clock.OffsetUs() / 1000, kHourMs / 10) << every_ms;
  }
}

// Of so short a time a tenth would be rounded to nothing.
TEST_F(SlewedClockTest, FollowsAlsoIfAskedEachMicrosecond) {
  source_.JumpMs(1);
  clock_.NowMs();
  for (int i = 0; i < 9'000; ++i) {
    source_.AdvanceUs(1);
    clock_.NowMs();
  }
  EXPECT_EQ(clock_.OffsetUs(), 100);
}

// Such as the first reading after a night's suspension, with a clock that is wrong just then.
TEST_F(SlewedClockTest, AJumpMovesNothingOfTheTimeBeforeItWasSeen) {
  source_.AdvanceMs(8 * kHourMs);
  source_.JumpMs(kHourMs);
  EXPECT_EQ(clock_.NowMs(), start_ms_ + 8 * kHourMs);
}

TEST_F(SlewedClockTest, AdoptTakesTheSourcesTimeOnceInEitherDirection) {
  for (const int64_t sign : {1, -1}) {
    testing::FakeClockSource source;
    SlewedClock clock(source);
    source.JumpMs(sign * kHourMs);
    clock.Adopt();
    EXPECT_EQ(clock.NowMs(), source.WallUs() / 1000);
    EXPECT_EQ(clock.OffsetUs(), 0);
    const int64_t adopted_ms = clock.NowMs();
    source.JumpMs(-sign * kHourMs);
    clock.Adopt();
    EXPECT_EQ(clock.NowMs(), adopted_ms);
  }
}

TEST_F(SlewedClockTest, MeasuresOnTheTimeSinceBoot) {
  const int64_t before_us = clock_.MonotonicUs();
  source_.JumpMs(-kHourMs);
  source_.AdvanceUs(2'500);
  EXPECT_EQ(clock_.MonotonicUs() - before_us, 2'500);
  EXPECT_EQ(clock_.MonotonicMs(), clock_.MonotonicUs() / 1000);
}

TEST(SlewedClockRandomTest, KeepsItsPaceNeverRunsBackwardsAndArrives) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&random](int64_t bound) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(bound));
  };
  testing::FakeClockSource source;
  SlewedClock clock(source);
  int64_t now_ms = clock.NowMs();
  int64_t sum_us = 0;
  const int64_t start_ms = now_ms;
  for (int i = 0; i < 100'000; ++i) {
    // From a microsecond to a quarter of an hour; seldom somebody sets the clock, by up to 2 h.
    const int64_t us = 1 + below(int64_t{1} << (1 + below(30)));
    source.AdvanceUs(us);
    sum_us += us;
    if (below(20) == 0) source.JumpMs(below(4 * kHourMs) - 2 * kHourMs);
    const int64_t next_ms = clock.NowMs();
    const double step_ms = static_cast<double>(us) / 1000;
    ASSERT_GE(next_ms, now_ms);
    ASSERT_GE(static_cast<double>(next_ms - now_ms), 0.9 * step_ms - 1);
    ASSERT_LE(static_cast<double>(next_ms - now_ms), 1.1 * step_ms + 1);
    now_ms = next_ms;
  }
  const double passed_ms = static_cast<double>(sum_us) / 1000;
  EXPECT_GE(static_cast<double>(now_ms - start_ms), 0.9 * passed_ms - 1);
  EXPECT_LE(static_cast<double>(now_ms - start_ms), 1.1 * passed_ms + 1);

  // Left alone it arrives, in ten times what is left.
  const int64_t left_us = std::abs(clock.OffsetUs());
  source.AdvanceUs(10 * left_us + 10);
  EXPECT_EQ(clock.OffsetUs(), 0);
  EXPECT_EQ(clock.NowMs(), source.WallUs() / 1000);
}

TEST(SlewedClockThreadsTest, NoThreadSeesItRunBackwards) {
  testing::FakeClockSource source;
  SlewedClock clock(source);
  std::atomic<int> backwards{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      int64_t last_ms = 0;
      for (int i = 0; i < 20'000; ++i) {
        source.AdvanceUs(700);
        if (i % 1000 == 0) source.JumpMs(t % 2 == 0 ? kHourMs : -kHourMs);
        const int64_t now_ms = clock.NowMs();
        if (now_ms < last_ms) ++backwards;
        last_ms = now_ms;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(backwards, 0);
}

TEST(SlewedClockRealTest, AgreesWithTheMachine) {
  const SlewedClock clock;
  EXPECT_NEAR(clock.NowMs(), SystemClock().NowMs(), 60'000);
}

}  // namespace
}  // namespace seatlock::base
