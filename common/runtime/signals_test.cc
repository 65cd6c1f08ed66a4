#include "common/runtime/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

namespace seatlock::runtime {
namespace {

TEST(SignalsTest, WaitReturnsTheSignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    Signals signals;
    kill(getpid(), number);
    EXPECT_EQ(signals.Wait(), number);
  }
}

TEST(SignalsTest, AnotherThreadEndsTheWait) {
  Signals signals;
  std::thread other([&signals] { signals.Notify(); });
  EXPECT_EQ(signals.Wait(), 0);
  other.join();
}

TEST(SignalsTest, NotifyBeforeWaitIsNotLost) {
  Signals signals;
  signals.Notify();
  EXPECT_EQ(signals.Wait(), 0);
}

TEST(SignalsTest, SigpipeIsIgnored) {
  Signals signals;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

TEST(SignalsDeathTest, SignalThatComesTwiceAtOnceIsOne) {
  const auto twice = [] {
    {
      Signals signals;
      kill(getpid(), SIGTERM);
      signals.Wait();
      kill(getpid(), SIGTERM);
    }
    _exit(0);
  };
  EXPECT_EXIT(twice(), ::testing::ExitedWithCode(0), "");
}

TEST(SignalsDeathTest, SecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto twice = [] {
    Signals signals;
    kill(getpid(), SIGTERM);
    signals.Wait();
    while (true) kill(getpid(), SIGINT);  // the drain never ends, and somebody is impatient
  };
  EXPECT_EXIT(twice(), ::testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(SignalsTest, ADelayEndsByItself) {
  Signals signals;
  signals.Notify();
  signals.Wait();
  signals.Delay(std::chrono::milliseconds(0));
  signals.Delay(std::chrono::milliseconds(1));
}

TEST(SignalsDeathTest, ASignalDuringTheDelayEndsTheDelayAndTheNextTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto thrice = [] {
    Signals signals;
    kill(getpid(), SIGTERM);
    signals.Wait();
    std::atomic<bool> over{false};
    std::thread impatient([&over] {
      while (!over) kill(getpid(), SIGTERM);
    });
    signals.Delay(std::chrono::hours(1));
    over = true;
    impatient.join();
    std::fputs("over", stderr);
    while (true) kill(getpid(), SIGINT);
  };
  EXPECT_EXIT(thrice(), ::testing::ExitedWithCode(128 + SIGINT), "over");
}

}  // namespace
}  // namespace seatlock::runtime
