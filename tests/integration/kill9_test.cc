// kill -9 of the server under load, again and again: every acknowledged change is there after the
// restart, nothing that was refused is, no seat has two holders, and watchers that resume by
// position miss and repeat nothing. JudgeByModel judges; its own tests feed it forged histories.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/load_follower.h"
#include "tests/testing/load_progress.h"
#include "tests/testing/load_worker.h"
#include "tests/testing/model_judge.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr int kWorkers = 8;
constexpr int kAcksPerCycle = 150;

class Kill9Test : public ::testing::Test {
 protected:
  explicit Kill9Test(const std::string& store = "") : server_({}, store) {}

  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    progress_.Restarted();
    for (int i = 0; i < kShowtimes; ++i) {
      followers_.push_back(
          std::make_unique<Follower>(ShowtimeOf(i), std::vector<std::string>{server_.address()}));
      follower_threads_.emplace_back([follower = followers_.back().get()] { follower->Run(); });
    }
    for (int i = 0; i < kWorkers; ++i) {
      workers_.push_back(std::make_unique<Worker>(i, std::vector<std::string>{server_.address()},
                                                  progress_, seed_ * kWorkers + i));
    }
  }
  void TearDown() override { StopAll(); }

  // Returns once every watcher has seen a first change. As they are there before it, they see the
  // whole history.
  void StartLoad() {
    for (auto& follower : followers_) ASSERT_TRUE(Eventually([&] { return follower->opened(); }));
    for (auto& worker : workers_) {
      worker_threads_.emplace_back([this, &worker] { worker->Run(stop_); });
    }
    for (auto& follower : followers_) {
      ASSERT_TRUE(Eventually([&] { return follower->revision() > 0; }));
    }
  }
  void StopLoad() {
    stop_ = true;
    for (std::thread& thread : worker_threads_) thread.join();
    worker_threads_.clear();
  }
  void StopAll() {
    StopLoad();
    for (auto& follower : followers_) follower->GiveUp();
    for (std::thread& thread : follower_threads_) thread.join();
    follower_threads_.clear();
  }

  std::vector<Call> Calls() const {
    std::vector<Call> all;
    for (const auto& worker : workers_) {
      all.insert(all.end(), worker->calls().begin(), worker->calls().end());
    }
    for (const auto& follower : followers_) {
      all.insert(all.end(), follower->calls().begin(), follower->calls().end());
    }
    return all;
  }

  // The showtime once every lock in it has gone: nothing moves any more.
  v1::ShowtimeSnapshot AtRest(SeatLockClient& client, const std::string& showtime) {
    v1::ShowtimeSnapshot snapshot;
    Eventually([&] {
      snapshot = client.Get(showtime).response.snapshot();
      return snapshot.seats_size() == 0;
    });
    return snapshot;
  }

  const uint64_t seed_ = TestSeed();
  TestServer server_;
  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Follower>> followers_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> follower_threads_;
  std::vector<std::thread> worker_threads_;
};

TEST_F(Kill9Test, LosesAndInventsNothing) {
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  const int cycles = Rounds(50);
  for (int cycle = 0; cycle < cycles; ++cycle) {
    ASSERT_TRUE(progress_.WaitForAcks(kAcksPerCycle + cycle * 7 % 50)) << "cycle " << cycle;
    server_.Kill();
    ASSERT_THAT(server_.Start(), IsOk()) << "cycle " << cycle;
    progress_.Restarted();
  }
  ASSERT_TRUE(progress_.WaitForAcks(kAcksPerCycle));
  StopLoad();

  SeatLockClient client(server_.address());
  std::vector<v1::ShowtimeSnapshot> ends;
  for (int i = 0; i < kShowtimes; ++i) {
    ends.push_back(AtRest(client, ShowtimeOf(i)));
    followers_[i]->FinishAt(ends.back().revision());
  }
  for (auto& follower : followers_) {
    EXPECT_TRUE(Eventually(
        [&] { return follower->revision() >= ends[&follower - &followers_[0]].revision(); }));
  }
  StopAll();
  const std::vector<Call> calls = Calls();
  int asked_again = 0;
  int retried = 0;
  for (const auto& worker : workers_) {
    EXPECT_EQ(worker->problem(), "");
    asked_again += worker->asked_again();
    retried += worker->retried();
  }
  Judged all_judged;
  for (int i = 0; i < kShowtimes; ++i) {
    const Follower& follower = *followers_[i];
    EXPECT_EQ(follower.problem(), "");
    EXPECT_EQ(follower.view().snapshots(), 0);
    EXPECT_GT(follower.streams(), cycles);
    EXPECT_EQ(follower.view().DifferencesFrom(ends[i]), "");
    const auto judged = JudgeByModel(ShowtimeOf(i), follower.view().changes(), calls);
    EXPECT_THAT(judged, IsOk());
    if (judged.ok()) all_judged.Add(*judged);
  }
  EXPECT_GT(asked_again, 0);
  EXPECT_GT(retried, 0);
  std::cout << cycles << " cycles, judged " << Describe(all_judged) << "; " << retried
            << " retries, " << asked_again << " asked again\n";
}

// The control: what the test above stands on must notice a server that keeps nothing.
class ForgetfulServerTest : public Kill9Test {
 protected:
  ForgetfulServerTest() : Kill9Test("memory:") {}
};

TEST_F(ForgetfulServerTest, IsFoundOut) {
  ASSERT_NO_FATAL_FAILURE(StartLoad());
  ASSERT_TRUE(progress_.WaitForAcks(10 * kAcksPerCycle));
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  progress_.Restarted();

  // Who asks again gets another answer than before.
  for (auto& worker : workers_) EXPECT_TRUE(Eventually([&] { return worker->objects(); }));
  StopAll();
  const std::vector<Call> calls = Calls();
  // Workers stop at their first objection, so not every showtime was asked anything again.
  int objections = 0;
  for (int i = 0; i < kShowtimes; ++i) {
    const auto& changes = followers_[i]->view().changes();
    if (!JudgeByModel(ShowtimeOf(i), changes, calls).ok()) ++objections;
  }
  EXPECT_GT(objections, 0);
}

}  // namespace
}  // namespace seatlock::testing
