#include "common/runtime/watchdog.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/testing/eventually.h"
#include "tests/testing/fake_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/notify_socket.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::runtime {
namespace {

constexpr int64_t kWatchdogMs = 40'000;
constexpr int64_t kRestMs = kWatchdogMs / 4;

class WatchdogTest : public ::testing::Test {
 protected:
  WatchdogTest() {
    setenv("NOTIFY_SOCKET", socket_.path().c_str(), 1);
    setenv("WATCHDOG_USEC", std::to_string(kWatchdogMs * 1000).c_str(), 1);
    manager_ = std::make_unique<ServiceManager>();
  }
  ~WatchdogTest() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  int Pings() {
    int pings = 0;
    while (socket_.Next() == "WATCHDOG=1") ++pings;
    return pings;
  }

  testing::FakeClock clock_;
  testing::TempDir dir_;
  testing::NotifySocket socket_{dir_.File("notify")};
  std::unique_ptr<ServiceManager> manager_;
};

TEST_F(WatchdogTest, PingsOnceAllHaveGotOnAndThenAfterARest) {
  testing::ManualExecutor one;
  testing::ManualExecutor other;
  Watchdog watchdog(*manager_, clock_, {Watchdog::Of("one", one), Watchdog::Of("other", other)});
  for (int round = 0; round < 3; ++round) {
    clock_.AdvanceMs(kRestMs - 1);
    watchdog.Tick();
    one.RunAll();
    other.RunAll();
    watchdog.Tick();
    EXPECT_EQ(Pings(), 0) << "it rests";
    clock_.AdvanceMs(1);
    watchdog.Tick();
    one.RunAll();
    watchdog.Tick();
    EXPECT_EQ(Pings(), 0) << "the other has not run yet";
    other.RunAll();
    watchdog.Tick();
    EXPECT_EQ(Pings(), 1);
  }
}

// The control of all that is promised of the watchdog: real threads, one of which is held up.
TEST_F(WatchdogTest, AThreadThatStandsStillStopsThePingsUntilItGoesOn) {
  base::ThreadExecutor runs;
  base::ThreadExecutor stands;
  Watchdog watchdog(*manager_, clock_,
                    {Watchdog::Of("runs", runs), Watchdog::Of("stands", stands)});
  const auto ping_comes = [&] {
    clock_.AdvanceMs(kRestMs);
    return testing::Eventually([&] {
      watchdog.Tick();
      return Pings() > 0;
    });
  };
  ASSERT_TRUE(ping_comes());
  ASSERT_TRUE(ping_comes());
  std::promise<void> entered;
  std::promise<void> go_on;
  stands.Post([&] {
    entered.set_value();
    go_on.get_future().wait();
  });
  entered.get_future().wait();
  for (int64_t passed_ms = 0; passed_ms < 3 * kWatchdogMs; passed_ms += 100) {
    clock_.AdvanceMs(100);
    watchdog.Tick();
    // Gives the thread that runs every chance to answer.
    std::promise<void> ran;
    runs.Post([&ran] { ran.set_value(); });
    ran.get_future().wait();
  }
  EXPECT_EQ(Pings(), 0);
  go_on.set_value();
  EXPECT_TRUE(ping_comes());
}

TEST_F(WatchdogTest, ALongQueueIsNoStandstillAndNoQuestionIsDoubled) {
  testing::ManualExecutor queue;
  uint64_t finished = 0;
  Watchdog::Watched watched = Watchdog::Of("busy", queue);
  watched.finished = [&finished] { return finished; };
  Watchdog watchdog(*manager_, clock_, {std::move(watched)});
  for (int round = 0; round < 5; ++round) {
    clock_.AdvanceMs(kRestMs);
    watchdog.Tick();
    EXPECT_EQ(Pings(), 0) << "nothing was finished since";
    ++finished;
    watchdog.Tick();
    EXPECT_EQ(Pings(), 1);
  }
  int questions = 0;
  while (queue.RunOne()) ++questions;
  EXPECT_EQ(questions, 1);
}

TEST_F(WatchdogTest, AQuestionThatWasTurnedAwayIsAskedAgain) {
  int asked = 0;
  bool full = true;
  Watchdog watchdog(*manager_, clock_, {{"store", [&](Watchdog::Answer answer) {
                                           ++asked;
                                           std::move(answer)(!full);
                                         }}});
  clock_.AdvanceMs(kRestMs);
  for (int i = 0; i < 10; ++i) watchdog.Tick();
  EXPECT_EQ(asked, 10);
  EXPECT_EQ(Pings(), 0) << "nobody knows whether it gets on";
  full = false;
  watchdog.Tick();
  EXPECT_EQ(Pings(), 1);
}

TEST_F(WatchdogTest, AnAnswerMayComeAfterItIsGone) {
  testing::ManualExecutor late;
  {
    Watchdog watchdog(*manager_, clock_, {Watchdog::Of("late", late)});
    clock_.AdvanceMs(kRestMs);
    watchdog.Tick();
  }
  EXPECT_TRUE(late.RunOne());
}

TEST_F(WatchdogTest, NobodyIsAskedIfTheManagerDoesNotWatch) {
  unsetenv("WATCHDOG_USEC");
  ServiceManager careless;
  testing::ManualExecutor one;
  Watchdog watchdog(careless, clock_, {Watchdog::Of("one", one)});
  clock_.AdvanceMs(10 * kWatchdogMs);
  watchdog.Tick();
  EXPECT_FALSE(one.RunOne());
}

}  // namespace
}  // namespace seatlock::runtime
