#include "common/runtime/log_throttle.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/testing/fake_clock.h"

namespace seatlock::runtime {
namespace {

class LogThrottleTest : public ::testing::Test {
 protected:
  void Write(const std::string& line, uint64_t left_out) {
    written_.push_back(line + " +" + std::to_string(left_out));
  }

  seatlock::testing::FakeClock clock_;
  std::vector<std::string> written_;
  LogThrottle throttle_{clock_, [this](const std::string& line, uint64_t n) { Write(line, n); }};
};

using Lines = std::vector<std::string>;

TEST_F(LogThrottleTest, TheFirstLineIsWrittenAtOnceAndOthersWaitForTheSecondToPass) {
  throttle_.Log("a");
  EXPECT_EQ(written_, Lines{"a +0"});
  throttle_.Log("b");
  throttle_.Log("c");
  clock_.AdvanceMs(999);
  throttle_.Tick();
  EXPECT_EQ(written_, Lines{"a +0"});
  clock_.AdvanceMs(1);
  throttle_.Tick();
  EXPECT_EQ(written_, (Lines{"a +0", "c +1"}));
  throttle_.Tick();
  EXPECT_EQ(written_.size(), 2u);
}

TEST_F(LogThrottleTest, ALineThatComesBeforeTheTickCountsThoseThatWaited) {
  throttle_.Log("a");
  throttle_.Log("b");
  clock_.AdvanceMs(1000);
  throttle_.Log("c");
  EXPECT_EQ(written_, (Lines{"a +0", "c +1"}));
  clock_.AdvanceMs(5000);
  throttle_.Tick();
  EXPECT_EQ(written_.size(), 2u);
  throttle_.Log("d");
  EXPECT_EQ(written_.back(), "d +0");
}

TEST(LogThrottleEnd, ALineThatStillWaitsIsWritten) {
  seatlock::testing::FakeClock clock;
  Lines written;
  {
    LogThrottle throttle(clock, [&written](const std::string& line, uint64_t left_out) {
      written.push_back(line + " +" + std::to_string(left_out));
    });
    throttle.Log("a");
    throttle.Log("b");
    throttle.Log("c");
  }
  EXPECT_EQ(written, (Lines{"a +0", "c +1"}));
  {
    LogThrottle throttle(clock, [&written](const std::string&, uint64_t) { written.clear(); });
  }
  EXPECT_EQ(written.size(), 2u) << "nothing waited";
}

TEST(LogThrottleThreads, OfManyThreadsLinesEachIsWrittenOrCounted) {
  seatlock::testing::FakeClock clock;
  base::Mutex mu;
  uint64_t written = 0;
  LogThrottle throttle(clock, [&](const std::string&, uint64_t left_out) {
    base::MutexLock lock(mu);
    written += 1 + left_out;
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        throttle.Log("x");
        clock.AdvanceMs(7);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  clock.AdvanceMs(1000);
  throttle.Tick();
  EXPECT_EQ(written, 4000u);
}

}  // namespace
}  // namespace seatlock::runtime
