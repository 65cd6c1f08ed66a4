#include "common/runtime/clock_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/fake_clock_source.h"

namespace seatlock::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kMinuteMs = 60'000;

class ClockWatchTest : public ::testing::Test {
 protected:
  void Pass(int64_t seconds) {
    for (int64_t i = 0; i < seconds * 10; ++i) {
      source_.AdvanceMs(100);
      watch_.Tick();
    }
  }

  testing::FakeClockSource source_;
  base::SlewedClock clock_{source_};
  std::vector<std::string> said_;
  ClockWatch watch_{
      clock_, [this](bool off, int64_t offset_ms) {
        said_.push_back((off ? "off by " : "well, by ") + std::to_string(offset_ms / 1000) + " s");
      }};
};

TEST_F(ClockWatchTest, AnOffsetThatLastsIsOneLineAndItsEndAnother) {
  for (const int64_t sign : {1, -1}) {
    said_.clear();
    source_.JumpMs(sign * 2 * kMinuteMs);
    Pass(300);
    EXPECT_THAT(said_, ElementsAre(sign > 0 ? "off by 119 s" : "off by -119 s"));
    // At 6 s a minute the second half of the offset begins after 10 minutes.
    Pass(320);
    EXPECT_THAT(said_, ElementsAre(sign > 0 ? "off by 119 s" : "off by -119 s",
                                   sign > 0 ? "well, by 59 s" : "well, by -59 s"));
    Pass(600);
  }
}

TEST_F(ClockWatchTest, AJumpThatIsUndoneOrSmallIsNotWorthALine) {
  source_.JumpMs(60 * kMinuteMs);
  Pass(9);
  source_.JumpMs(-60 * kMinuteMs);
  Pass(60);
  source_.JumpMs(kMinuteMs);
  Pass(60);
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ClockWatchTest, AClockThatJumpsToAndFroIsNoStreamOfLines) {
  for (int i = 0; i < 20; ++i) {
    source_.JumpMs(60 * kMinuteMs);
    Pass(8);
    source_.JumpMs(-60 * kMinuteMs);
    Pass(8);
  }
  EXPECT_THAT(said_, IsEmpty());
}

TEST(StoreSkewTest, AMachineThatIsMoreThanASecondFromItsStoreIsSaidOnceAndSoIsTheEnd) {
  for (const int64_t sign : {1, -1}) {
    testing::FakeClockSource machine;
    base::FollowedClockSource store(machine);
    const base::SlewedClock clock(store);
    std::vector<int64_t> said;
    ClockWatch watch(clock, MachineAwayFromStore(store, [&said](bool off, int64_t offset_ms) {
                       said.push_back(off ? offset_ms : 0);
                     }));
    const auto pass = [&](int64_t store_ahead_us) {
      for (int i = 0; i < 200; ++i) {
        machine.AdvanceMs(100);
        store.Heard(machine.WallUs() + store_ahead_us, machine.BootUs(), machine.BootUs());
        watch.Tick();
      }
    };
    for (int i = 0; i < 200; ++i, machine.AdvanceMs(100)) watch.Tick();
    pass(sign * 1'000'000);
    EXPECT_THAT(said, IsEmpty());
    pass(sign * 1'001'000);
    pass(sign * 1'001'000);
    EXPECT_THAT(said, ElementsAre(sign * -1'001));
    pass(0);
    EXPECT_THAT(said, ElementsAre(sign * -1'001, 0));
  }
}

}  // namespace
}  // namespace seatlock::runtime
