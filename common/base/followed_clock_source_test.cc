#include "common/base/followed_clock_source.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "common/base/slewed_clock.h"
#include "tests/testing/fake_clock_source.h"

namespace seatlock::base {
namespace {

constexpr int64_t kMsUs = 1000;
constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kHourUs = 3600 * kSecondUs;

// A store whose clock is `ahead_us` of the machine's, which itself is right.
class FollowedClockSourceTest : public ::testing::Test {
 protected:
  // A question that takes `there_us` to the store and `back_us` from it.
  void Ask(int64_t there_us, int64_t back_us) {
    const int64_t sent_us = machine_.BootUs();
    machine_.AdvanceUs(there_us);
    const int64_t store_us = machine_.WallUs() + ahead_us_;
    machine_.AdvanceUs(back_us);
    source_.Heard(store_us, sent_us, machine_.BootUs());
  }
  // The source minus the store's clock.
  int64_t ErrorUs() const { return source_.WallUs() - machine_.WallUs() - ahead_us_; }

  testing::FakeClockSource machine_;
  int64_t ahead_us_ = kHourUs;
  FollowedClockSource source_{machine_};
};

TEST_F(FollowedClockSourceTest, IsTheMachinesTimeUntilTheFirstAnswer) {
  EXPECT_FALSE(source_.HasHeard());
  EXPECT_EQ(source_.WallUs(), machine_.WallUs());
  EXPECT_EQ(source_.BootUs(), machine_.BootUs());
  EXPECT_EQ(source_.SkewUs(), 0);
  Ask(kMsUs, kMsUs);
  EXPECT_TRUE(source_.HasHeard());
  EXPECT_EQ(ErrorUs(), 0);
  EXPECT_EQ(source_.SkewUs(), -kHourUs);
}

TEST_F(FollowedClockSourceTest, GoesOnByTheTimeSinceBootWhereverTheMachinesClockIsSet) {
  Ask(kMsUs, kMsUs);
  const int64_t before_us = source_.WallUs();
  machine_.JumpMs(-7200 * 1000);
  machine_.AdvanceMs(500);
  EXPECT_EQ(source_.WallUs(), before_us + 500 * kMsUs);
  EXPECT_EQ(source_.SkewUs(), -3 * kHourUs);
}

// Redis reads its time before it writes to the disk, so all of a slow answer lies behind it.
TEST_F(FollowedClockSourceTest, OneSidedRoundTripsOfASteadyClockDoNotMoveIt) {
  Ask(kMsUs, kMsUs);
  for (int i = 0; i < 100; ++i) {
    Ask(kMsUs, (i % 80 + 1) * kMsUs);
    EXPECT_EQ(ErrorUs(), 0);
  }
}

TEST_F(FollowedClockSourceTest, IsWithinTheRoundTripOfTheClockThatIsFollowed) {
  Ask(0, 90 * kMsUs);
  EXPECT_EQ(ErrorUs(), -45 * kMsUs);
  Ask(0, 10 * kMsUs);
  EXPECT_LE(std::abs(ErrorUs()), 10 * kMsUs);
  ahead_us_ -= 2 * kHourUs;  // a failover to a host whose clock is another
  Ask(5 * kMsUs, 5 * kMsUs);
  EXPECT_LE(std::abs(ErrorUs()), 10 * kMsUs);
}

TEST_F(FollowedClockSourceTest, ALongRoundTripCountsOnlyIfNoBetterOneIsRecent) {
  Ask(kMsUs, kMsUs);
  ahead_us_ += kHourUs;
  Ask(50 * kMsUs, 51 * kMsUs);
  EXPECT_EQ(ErrorUs(), -kHourUs);
  Ask(50 * kMsUs, 50 * kMsUs);
  EXPECT_LE(std::abs(ErrorUs()), 100 * kMsUs);

  ahead_us_ += kHourUs;
  machine_.AdvanceMs(9'500);
  Ask(200 * kMsUs, 200 * kMsUs);
  EXPECT_LE(ErrorUs(), -kHourUs);
  machine_.AdvanceMs(100);
  Ask(200 * kMsUs, 200 * kMsUs);
  EXPECT_LE(std::abs(ErrorUs()), 400 * kMsUs);
  ahead_us_ += kHourUs;
  Ask(kSecondUs, kSecondUs);  // worse than the one before
  EXPECT_LE(ErrorUs(), -kHourUs / 2);
  Ask(150 * kMsUs, 150 * kMsUs);  // better than it
  EXPECT_LE(std::abs(ErrorUs()), 300 * kMsUs);
}

TEST_F(FollowedClockSourceTest, AnAnswerBeforeItsQuestionIsPassedOver) {
  source_.Heard(machine_.WallUs(), machine_.BootUs(), machine_.BootUs() - 1);
  EXPECT_FALSE(source_.HasHeard());
}

TEST_F(FollowedClockSourceTest, ASlewedClockOverItTakesAFailoversClockSlowly) {
  SlewedClock clock(source_);
  Ask(kMsUs, kMsUs);
  clock.Adopt();
  EXPECT_EQ(clock.NowMs(), (machine_.WallUs() + ahead_us_) / 1000);
  const int64_t start_ms = clock.NowMs();
  ahead_us_ = -kHourUs;
  for (int i = 0; i < 100; ++i) {
    machine_.AdvanceMs(100);
    Ask(0, 0);
    clock.Adopt();  // does nothing any more
    clock.NowMs();
  }
  EXPECT_NEAR(clock.NowMs(), start_ms + 9'000, 20);
}

TEST(FollowedClockSourceThreadsTest, AnswersOfManyThreadsLeaveItAtTheClockThatIsFollowed) {
  testing::FakeClockSource machine;
  FollowedClockSource source(machine);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const int64_t sent_us = machine.BootUs();
        const int64_t store_us = machine.BootUs() + kHourUs;
        source.Heard(store_us, sent_us, machine.BootUs());
        EXPECT_GT(source.WallUs(), kHourUs);
        machine.AdvanceUs(7);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  source.Heard(machine.BootUs() + kHourUs, machine.BootUs(), machine.BootUs());
  EXPECT_EQ(source.WallUs(), machine.BootUs() + kHourUs);
}

}  // namespace
}  // namespace seatlock::base
