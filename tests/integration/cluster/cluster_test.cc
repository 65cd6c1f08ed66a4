// Three servers on one Redis, all real processes: servers are killed and paused, Redis is killed,
// and every acknowledged change is in the log once, no seat has two holders, every refusal, no-op
// and read was so when it was asked for, and what watchers are shown is the log. JudgeByModel
// judges; its own tests feed it forged histories and answers.
//
// A round is one moment at which something fails: one server, or in the long form up to all three
// together. The long form (rounds.h) has more clients and longer pauses. It starts anew, on an
// empty Redis, after every few rounds, so that the history to judge stays short.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

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
constexpr int kRoundsPerRun = 10;

int Workers() {
  return IsLongForm() ? 64 : 16;
}
std::chrono::milliseconds PauseTime() {
  return std::chrono::milliseconds(IsLongForm() ? 10'000 : 2'500);
}

// A store, its servers and its callers, from an empty Redis to the judgement.
class ClusterRun {
 public:
  explicit ClusterRun(uint64_t seed) : seed_(seed), random_(seed) {}

  void Start() {
    ASSERT_NO_FATAL_FAILURE(InitStore(store_));
    ASSERT_NO_FATAL_FAILURE(servers_.Start());
    load_ = std::make_unique<ClusterLoad>(
        servers_.addresses(), ClusterLoad::Options{.workers = Workers(), .seed = seed_});
  }

  void AwaitProgress() { ASSERT_TRUE(load_->progress().WaitForAcks(kAcksPerRound)); }

  // Each server that is hit is killed, or stands still for a while; then all go on.
  void HitServers() {
    std::vector<size_t> killed;
    std::vector<size_t> paused;
    for (const size_t server : Victims()) {
      // The first one is killed, so that every run moves some callers and watchers.
      const bool kill = std::exchange(is_first_, false) || random_() % 2 == 0;
      (kill ? killed : paused).push_back(server);
    }
    for (const size_t server : paused) servers_[server].process().Signal(SIGSTOP);
    for (const size_t server : killed) servers_[server].Kill();
    // The fault itself, not a wait for something.
    if (!paused.empty()) std::this_thread::sleep_for(PauseTime());
    for (const size_t server : killed) ASSERT_THAT(servers_[server].Start(), IsOk());
    for (const size_t server : paused) servers_[server].process().Signal(SIGCONT);
    load_->progress().Restarted();
  }

  void KillRedis() {
    redis_.Kill();
    if (IsLongForm() && random_() % 2 == 0) {
      const size_t server = random_() % kServers;
      servers_[server].Kill();
      redis_.Start();
      ASSERT_THAT(servers_[server].Start(), IsOk());
    } else {
      redis_.Start();
    }
    load_->progress().Restarted();
  }

  const ClusterLoad& Judge() {
    load_->StopAndJudge(servers_[0].address());
    return *load_;
  }

 private:
  std::vector<size_t> Victims() {
    std::vector<size_t> servers = {0, 1, 2};
    std::shuffle(servers.begin(), servers.end(), random_);
    servers.resize(IsLongForm() ? 1 + random_() % kServers : 1);
    return servers;
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  RedisServer redis_;
  const std::string store_ = UrlOf(redis_);
  ServerGroup servers_{kServers, store_};
  std::unique_ptr<ClusterLoad> load_;
  bool is_first_ = true;
};

class ClusterTest : public ::testing::Test {
 protected:
  // Does `round` so often in runs of a few, and after each run `judge`s.
  template <typename Round, typename Judge>
  void DoRounds(int rounds, const Round& round, const Judge& judge) {
    for (int done = 0; done < rounds;) {
      const uint64_t seed = seed_ + static_cast<uint64_t>(done);
      SCOPED_TRACE("this run alone: SEATLOCK_SEED=" + std::to_string(seed));
      ClusterRun run(seed);
      ASSERT_NO_FATAL_FAILURE(run.Start());
      for (const int end = std::min(rounds, done + kRoundsPerRun); done < end; ++done) {
        ASSERT_NO_FATAL_FAILURE(run.AwaitProgress());
        ASSERT_NO_FATAL_FAILURE(round(run));
      }
      ASSERT_NO_FATAL_FAILURE(run.AwaitProgress());
      judge(run.Judge());
      ASSERT_FALSE(HasFailure());
      std::cout << done << " of " << rounds << " rounds passed" << std::endl;
    }
  }

  const uint64_t seed_ = TestSeed();
};

TEST_F(ClusterTest, NothingIsSoldTwiceOrLostWhileServersAreKilledAndPaused) {
  DoRounds(
      Rounds(8), [](ClusterRun& run) { run.HitServers(); },
      [](const ClusterLoad& load) {
        EXPECT_GT(load.retried(), 0);
        EXPECT_TRUE(load.judged().HasAll()) << Describe(load.judged());
        // A position is as good on one server as on another: nobody was shown a snapshot again.
        EXPECT_EQ(load.replaces(), 0);
        EXPECT_GT(load.streams(), kShowtimes);
      });
}

TEST_F(ClusterTest, NothingAcknowledgedIsLostWhileRedisIsKilled) {
  DoRounds(
      Rounds(3), [](ClusterRun& run) { run.KillRedis(); },
      [](const ClusterLoad& load) { EXPECT_GT(load.retried(), 0); });
}

// The control: what the tests above stand on must notice servers that know nothing of each other.
TEST_F(ClusterTest, ControlServersWithoutACommonStoreAreFoundOut) {
  ServerGroup servers(kServers, "memory:");
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  ClusterLoad load(servers.addresses(), {.followers_per_showtime = 0, .seed = seed_});

  ASSERT_TRUE(load.progress().WaitForAcks(kAcksPerRound));

  EXPECT_GE(load.StopAndFind(servers[0].address()).size(), size_t{kShowtimes});
}

}  // namespace
}  // namespace seatlock::testing
