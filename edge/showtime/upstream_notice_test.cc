#include "edge/showtime/upstream_notice.h"

#include <gmock/gmock.h>

#include <vector>

#include "tests/testing/edge_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::FakeClock;
using ::seatlock::testing::FakeTimers;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UpstreamNoticeTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  FakeTimers timers_{clock_};
  std::vector<bool> told_;
  UpstreamNotice notice_{clock_, timers_, [this](bool up) { told_.push_back(up); }};
};

TEST_F(UpstreamNoticeTest, AServiceThatIsThereIsNoNews) {
  notice_.Saw(true);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(UpstreamNoticeTest, ManyStreamsLostAreOneLineAndTheFirstBackIsAnother) {
  for (int i = 0; i < 100; ++i) notice_.Saw(false);
  EXPECT_THAT(told_, ElementsAre(false));
  timers_.AdvanceMs(kUpstreamNoticeEveryMs);
  for (int i = 0; i < 100; ++i) notice_.Saw(true);
  EXPECT_THAT(told_, ElementsAre(false, true));
}

TEST_F(UpstreamNoticeTest, ALossRightAfterTheStartIsTold) {
  notice_.Saw(false);
  EXPECT_THAT(told_, ElementsAre(false));
}

TEST_F(UpstreamNoticeTest, FastTurnsAreAtMostOneLineASecondAndTheLastIsTold) {
  for (int i = 0; i < 50; ++i) {
    notice_.Saw(false);
    notice_.Saw(true);
  }
  EXPECT_THAT(told_, ElementsAre(false));
  timers_.AdvanceMs(kUpstreamNoticeEveryMs - 1);
  EXPECT_THAT(told_, ElementsAre(false));
  timers_.AdvanceMs(1);
  EXPECT_THAT(told_, ElementsAre(false, true));
}

TEST_F(UpstreamNoticeTest, ABlinkThatIsOverBeforeItsTurnIsNotTold) {
  notice_.Saw(false);
  notice_.Saw(true);
  notice_.Saw(false);
  timers_.AdvanceMs(10 * kUpstreamNoticeEveryMs);
  EXPECT_THAT(told_, ElementsAre(false));
}

}  // namespace
}  // namespace seatlock::edge
