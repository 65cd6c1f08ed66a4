#include "common/base/ticker.h"

#include <gtest/gtest.h>

namespace seatlock::base {
namespace {

TEST(TickerTest, TicksAgainAndAgainUntilItIsGone) {
  Mutex mu;
  CondVar ticked;
  int ticks = 0;
  {
    Ticker ticker(std::chrono::milliseconds(1), [&] {
      MutexLock lock(mu);
      ++ticks;
      ticked.NotifyOne();
    });
    MutexLock lock(mu);
    while (ticks < 3) ticked.Wait(mu);
  }
  EXPECT_GE(ticks, 3);
}

}  // namespace
}  // namespace seatlock::base
