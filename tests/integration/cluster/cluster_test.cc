// Three servers on one Redis, all real processes: servers are killed and paused, Redis is killed,
// and every acknowledged change is in the log once, nothing that was refused is, no seat has two
// holders, and every refusal was justified when it was made. CheckHistory and CheckRefusals judge;
// their own tests feed them forged histories.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "tests/integration/test_server.h"
#include "tests/testing/crash_load.h"
#include "tests/testing/history_checker.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

constexpr int kServers = 3;
constexpr int kWorkers = 12;
constexpr int kAcksPerRound = 100;
// A server that is paused must not hold its callers for long: they ask the next one.
constexpr std::chrono::milliseconds kDeadline{2'000};
constexpr std::chrono::milliseconds kPauseMs{2'500};

class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto init = Process::Start(
        {.binary = SEATLOCKD_BINARY, .args = {"store", "init", "--store=" + store()}});
    ASSERT_THAT(init, IsOk());
    ASSERT_EQ((*init)->Wait(kStartTimeout)->code, 0);
    std::vector<std::string> addresses;
    for (int i = 0; i < kServers; ++i) {
      servers_.push_back(std::make_unique<TestServer>(std::vector<std::string>{}, store()));
      ASSERT_THAT(servers_.back()->Start(), IsOk());
      addresses.push_back(servers_.back()->address());
    }
    progress_.Restarted();
    for (int i = 0; i < kWorkers; ++i) {
      std::rotate(addresses.begin(), addresses.begin() + 1, addresses.end());
      workers_.push_back(std::make_unique<Worker>(
          i, addresses, progress_, seed_ * kWorkers + static_cast<uint64_t>(i), kDeadline));
    }
    for (auto& worker : workers_) {
      threads_.emplace_back([this, &worker] { worker->Run(stop_); });
    }
  }
  void TearDown() override { StopLoad(); }

  std::string store() const { return "redis://127.0.0.1:" + std::to_string(redis_.port()); }

  void StopLoad() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // One server is killed and started again, or stands still for a while.
  void HitAServer() {
    TestServer& server = *servers_[random_() % kServers];
    if (random_() % 2 == 0) {
      server.Kill();
      ASSERT_THAT(server.Start(), IsOk());
    } else {
      server.process().Signal(SIGSTOP);
      std::this_thread::sleep_for(kPauseMs);  // the fault itself, not a wait for something
      server.process().Signal(SIGCONT);
    }
    progress_.Restarted();
  }

  // All changes of `showtime` as a new watcher on `server` is shown them, once nothing moves.
  std::vector<v1::Change> HistoryOf(const std::string& showtime, TestServer& server) {
    SeatLockClient client(server.address());
    v1::ShowtimeSnapshot snapshot;
    EXPECT_TRUE(WaitUntil([&] {
      const auto answer = client.Get(showtime);
      snapshot = answer.response.snapshot();
      return answer.ok() && snapshot.seats_size() == 0;
    })) << snapshot.ShortDebugString();
    ShowtimeView view;
    WatchStream watch(client.stub(), showtime, v1::Position());
    EXPECT_THAT(watch.FollowTo(view, snapshot.revision()), IsOk());
    EXPECT_EQ(view.snapshots(), 0);
    EXPECT_EQ(view.DifferencesFrom(snapshot), "");
    return view.changes();
  }

  void Judge() {
    StopLoad();
    std::vector<Operation> operations;
    int retried = 0;
    for (const auto& worker : workers_) {
      EXPECT_EQ(worker->problem(), "");
      retried += worker->retried();
      operations.insert(operations.end(), worker->operations().begin(), worker->operations().end());
    }
    for (int i = 0; i < kShowtimes; ++i) {
      const std::vector<v1::Change> changes = HistoryOf(ShowtimeOf(i), *servers_[i % kServers]);
      EXPECT_THAT(CheckHistory(ShowtimeOf(i), changes, operations), IsOk());
      EXPECT_THAT(CheckRefusals(ShowtimeOf(i), changes, operations), IsOk());
    }
    EXPECT_GT(retried, 0);
    std::cout << operations.size() << " operations, " << retried << " retries\n";
  }

  const uint64_t seed_ = std::random_device()();
  std::mt19937_64 random_{seed_};
  RedisServer redis_;
  std::vector<std::unique_ptr<TestServer>> servers_;
  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

TEST_F(ClusterTest, NothingIsSoldTwiceOrLostWhileServersAreKilledAndPaused) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  const int rounds = Rounds(8);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(progress_.WaitForAcks(kAcksPerRound)) << "round " << round;
    ASSERT_NO_FATAL_FAILURE(HitAServer());
  }
  ASSERT_TRUE(progress_.WaitForAcks(kAcksPerRound));
  Judge();
}

TEST_F(ClusterTest, NothingAcknowledgedIsLostWhileRedisIsKilled) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  const int rounds = Rounds(3);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(progress_.WaitForAcks(kAcksPerRound)) << "round " << round;
    redis_.Kill();
    redis_.Start();
    progress_.Restarted();
  }
  ASSERT_TRUE(progress_.WaitForAcks(kAcksPerRound));
  Judge();
}

}  // namespace
}  // namespace seatlock::testing
