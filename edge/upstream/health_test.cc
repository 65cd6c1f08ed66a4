#include "edge/upstream/health.h"

#include <gmock/gmock.h>

#include <vector>

#include "edge/limits.h"
#include "tests/testing/edge_fakes.h"

namespace seatlock::edge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Seen = Health::Seen;

class HealthTest : public ::testing::Test {
 protected:
  testing::FakeClock clock_;
  testing::FakeTimers timers_{clock_};
  std::vector<bool> told_;
  Health health_{clock_, timers_, [this](bool up) { told_.push_back(up); }};
};

TEST_F(HealthTest, OneShowtimesLostStreamIsNotTheServices) {
  health_.Changed(Seen::kNothing, Seen::kServed);
  health_.Changed(Seen::kNothing, Seen::kServed);
  health_.Changed(Seen::kServed, Seen::kLost);
  timers_.AdvanceMs(10 * kUpstreamNoticeEveryMs);
  EXPECT_THAT(told_, IsEmpty());
  health_.Changed(Seen::kServed, Seen::kLost);
  EXPECT_THAT(told_, ElementsAre(false)) << "control: the last one";
}

TEST_F(HealthTest, TheFirstThatIsServedAgainIsTheServicesReturn) {
  for (int i = 0; i < 3; ++i) health_.Changed(Seen::kNothing, Seen::kLost);
  timers_.AdvanceMs(kUpstreamNoticeEveryMs);
  health_.Changed(Seen::kLost, Seen::kServed);
  health_.Changed(Seen::kLost, Seen::kServed);
  EXPECT_THAT(told_, ElementsAre(false, true));
}

TEST_F(HealthTest, ARefusalSaysNothing) {
  health_.Changed(Seen::kNothing, Seen::kServed);
  health_.Changed(Seen::kServed, Seen::kNothing);
  timers_.AdvanceMs(10 * kUpstreamNoticeEveryMs);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(HealthTest, IfTheLastServedShowtimeIsFollowedNoMoreTheLostOnesCount) {
  health_.Changed(Seen::kNothing, Seen::kServed);
  health_.Changed(Seen::kNothing, Seen::kLost);
  health_.Changed(Seen::kServed, Seen::kNothing);
  EXPECT_THAT(told_, ElementsAre(false));
}

}  // namespace
}  // namespace seatlock::edge
