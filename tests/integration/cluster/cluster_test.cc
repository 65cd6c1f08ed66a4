// Three servers on one Redis, all real processes: servers are killed and paused, Redis is killed,
// and every acknowledged change is in the log once, nothing that was refused is, no seat has two
// holders, and every refusal was justified when it was made. CheckHistory and CheckRefusals judge;
// their own tests feed them forged histories.
#include <gmock/gmock.h>
#include <signal.h>

#include <iostream>
#include <memory>
#include <random>
#include <thread>

#include "tests/integration/cluster/cluster_load.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kServers = 3;
constexpr int kAcksPerRound = 100;
constexpr std::chrono::milliseconds kPause{2'500};

class ClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
    load_ =
        std::make_unique<ClusterLoad>(servers_.addresses(), ClusterLoad::Options{.seed = seed_});
  }

  // One server is killed and started again, or stands still for a while.
  void HitAServer() {
    TestServer& server = servers_[random_() % kServers];
    if (random_() % 2 == 0) {
      server.Kill();
      ASSERT_THAT(server.Start(), IsOk());
    } else {
      server.process().Signal(SIGSTOP);
      std::this_thread::sleep_for(kPause);  // the fault itself, not a wait for something
      server.process().Signal(SIGCONT);
    }
    load_->progress().Restarted();
  }

  const uint64_t seed_ = TestSeed();
  std::mt19937_64 random_{seed_};
  RedisServer redis_;
  const std::string store_ = "redis://127.0.0.1:" + std::to_string(redis_.port());
  ServerGroup servers_{kServers, store_};
  std::unique_ptr<ClusterLoad> load_;
};

TEST_F(ClusterTest, NothingIsSoldTwiceOrLostWhileServersAreKilledAndPaused) {
  const int rounds = Rounds(8);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcksPerRound)) << "round " << round;
    ASSERT_NO_FATAL_FAILURE(HitAServer());
  }
  ASSERT_TRUE(load_->progress().WaitForAcks(kAcksPerRound));
  load_->StopAndJudge(servers_[0].address());
  EXPECT_GT(load_->retried(), 0);
  // A position is as good on one server as on another: nobody was shown a snapshot again.
  EXPECT_EQ(load_->replaces(), 0);
  EXPECT_GT(load_->streams(), kShowtimes);
}

TEST_F(ClusterTest, NothingAcknowledgedIsLostWhileRedisIsKilled) {
  const int rounds = Rounds(3);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(load_->progress().WaitForAcks(kAcksPerRound)) << "round " << round;
    redis_.Kill();
    redis_.Start();
    load_->progress().Restarted();
  }
  ASSERT_TRUE(load_->progress().WaitForAcks(kAcksPerRound));
  load_->StopAndJudge(servers_[0].address());
  EXPECT_GT(load_->retried(), 0);
}

}  // namespace
}  // namespace seatlock::testing
