// What the log on Redis does when Redis or the network fails: nothing is acknowledged that is not
// there, unknown outcomes are settled by the same append, and callers are refused in time.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "services/seatlock/log/redis/redis_log.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/redis_log_fixture.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AnyOf;
using testing::Append;
using testing::AppendOf;
using testing::Await;
using ::testing::HasSubstr;
using testing::RedisServer;
using testing::StatusIs;
using Outcome = AppendResult::Outcome;

// What a server that is cut off is promised, with room for a busy machine.
constexpr milliseconds kRefusedMax{4000};

class RedisFailuresTest : public testing::RedisLogFixture {
 protected:
  std::future<AppendResult> Begin(ShowtimeLog& log, AppendRequest request) {
    auto promise = std::make_shared<std::promise<AppendResult>>();
    log.Append(std::move(request),
               [promise](AppendResult result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }

  // Whether `request` is in the history, told by the same append again.
  static void ExpectSettled(ShowtimeLog& log, const AppendRequest& request) {
    AppendResult again;
    ASSERT_TRUE(Comes([&] {
      again = Append(log, request);
      return again.outcome == Outcome::kAppended || again.outcome == Outcome::kConflict;
    }));
    if (again.outcome == Outcome::kConflict) {
      ASSERT_FALSE(again.missed.empty());
      EXPECT_EQ(again.missed[0], request.records[0]);
    }
    absl::StatusOr<Page> page = testing::Read(log, request.showtime.value(), 1);
    ASSERT_THAT(page, testing::IsOk());
    EXPECT_EQ(page->records, request.records) << "once, and nothing else";
  }
};

TEST_F(RedisFailuresTest, AnAppendThatRedisDoesNotAnswerIsUnknownInTimeAndSettledLater) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  server().Pause();
  const auto begin = steady_clock::now();
  const AppendRequest request = AppendOf("s", Head{}, {"x"});
  std::future<AppendResult> append = Begin(*log, request);
  std::future<AppendResult> confirmation = Begin(*log, AppendOf("t", Head{}, {}));
  EXPECT_EQ(Await(std::move(append)).outcome, Outcome::kUnknown);
  const AppendResult unconfirmed = Await(std::move(confirmation));
  EXPECT_EQ(unconfirmed.outcome, Outcome::kNotAppended);
  EXPECT_THAT(unconfirmed.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(steady_clock::now() - begin, kRefusedMax);
  EXPECT_FALSE(log->Healthy());
  // Not sent, so nothing was done; at once.
  EXPECT_EQ(Append(*log, AppendOf("u", Head{}, {"x"})).outcome, Outcome::kNotAppended);
  server().Continue();
  ExpectSettled(*log, request);
}

TEST_F(RedisFailuresTest, ALookThatGetsNoAnswerIsToldWithTheServerAndTheReason) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  // Nobody asks for anything: the store's own look at its server finds out.
  server().Pause();
  ASSERT_TRUE(Comes([&] { return !log->Healthy() && !Errors().empty(); }));
  EXPECT_THAT(Errors()[0], HasSubstr(absl::StrCat("127.0.0.1:", server().port(), ": ")));
  EXPECT_THAT(Errors()[0], HasSubstr("no answer"));
  server().Continue();
}

TEST_F(RedisFailuresTest, OfAppendsThatAreUnderWayWhenRedisIsKilledEachIsSettled) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  constexpr int kShowtimes = 200;
  std::vector<AppendRequest> requests;
  std::vector<std::future<AppendResult>> results;
  for (int i = 0; i < kShowtimes; ++i) {
    requests.push_back(AppendOf(std::to_string(i), Head{}, {"x"}));
    results.push_back(Begin(*log, requests.back()));
    if (i == kShowtimes / 2) server().Kill();
  }
  std::vector<Outcome> outcomes;
  for (auto& result : results) outcomes.push_back(Await(std::move(result)).outcome);
  const std::string generation = log->Generation();
  server().Start();
  ASSERT_TRUE(AwaitHealthy(*log));
  EXPECT_NE(log->Generation(), generation) << "a restart may have lost something";
  for (int i = 0; i < kShowtimes; ++i) {
    if (outcomes[i] == Outcome::kAppended) {
      const Head head{requests[i].epoch, domain::Revision(1), requests[i].records[0].chain};
      EXPECT_EQ(Append(*log, AppendOf(std::to_string(i), head, {})).outcome, Outcome::kAppended)
          << "acknowledged, and lost";
    } else {
      EXPECT_THAT(outcomes[i], AnyOf(Outcome::kUnknown, Outcome::kNotAppended));
      ExpectSettled(*log, requests[i]);
    }
  }
}

// Nothing on the connection fails: only what INFO says is another.
TEST_F(RedisFailuresTest, AReplicationIdThatChangesOnALivingConnectionVoidsThePipeline) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const std::string generation = log->Generation();
  const AppendRequest request = AppendOf("s", Head{}, {"x"});
  ASSERT_EQ(server().Run({"DEBUG", "CHANGE-REPL-ID"}), "OK");
  EXPECT_EQ(Append(*log, request).outcome, Outcome::kUnknown);
  ASSERT_TRUE(AwaitHealthy(*log));
  EXPECT_NE(log->Generation(), generation);
  ExpectSettled(*log, request);
}

TEST_F(RedisFailuresTest, APrimaryThatBecomesAReplicaIsNotBelieved) {
  Install();
  RedisServer other;
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Append(*log, AppendOf("s", Head{}, {"x"}));
  server().Run({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  EXPECT_NE(Append(*log, AppendOf("t", Head{}, {"x"})).outcome, Outcome::kAppended);
  EXPECT_EQ(Append(*log, AppendOf("t", Head{}, {})).outcome, Outcome::kNotAppended);
  EXPECT_TRUE(AwaitUnhealthy(*log));
}

// A writer of one showtime as an engine is one: what is unknown it sends again until that is told.
class Writer {
 public:
  Writer(std::string showtime, std::vector<ShowtimeLog*> logs)
      : showtime_(std::move(showtime)), logs_(std::move(logs)) {}

  void Run(const std::atomic<bool>& stop) {
    while (!stop) {
      const AppendRequest request =
          AppendOf(showtime_, head_, {showtime_ + " " + std::to_string(acknowledged_.size())});
      if (!Settle(request)) return;
      acknowledged_.push_back(request.records[0]);
      head_ = Head{request.epoch, request.records[0].revision, request.records[0].chain};
    }
  }

  const std::vector<StoredRecord>& acknowledged() const { return acknowledged_; }
  const std::string& showtime() const { return showtime_; }
  const Head& head() const { return head_; }

 private:
  // Sends it, to one server after the other, until it is in the history.
  bool Settle(const AppendRequest& request) {
    for (;;) {
      const AppendResult result = Append(*logs_[turn_++ % logs_.size()], request);
      if (result.outcome == Outcome::kAppended) return true;
      if (result.outcome != Outcome::kConflict) {
        std::this_thread::sleep_for(milliseconds(2));
        continue;
      }
      const bool ours = !result.missed.empty() && result.missed[0] == request.records[0];
      EXPECT_TRUE(ours) << showtime_ << " has lost or gained something at "
                        << result.head.revision.value();
      return ours;
    }
  }

  const std::string showtime_;
  const std::vector<ShowtimeLog*> logs_;
  size_t turn_ = 0;
  Head head_;
  std::vector<StoredRecord> acknowledged_;
};

TEST_F(RedisFailuresTest, KilledAndPausedUnderLoadRedisLosesAndDoublesNothingThatWasAcknowledged) {
  Install();
  std::unique_ptr<RedisLog> first = MustOpen(Options());
  std::unique_ptr<RedisLog> second = MustOpen(Options());
  std::vector<Writer> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back("show-" + std::to_string(i),
                         std::vector<ShowtimeLog*>{first.get(), second.get()});
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (Writer& writer : writers) threads.emplace_back([&] { writer.Run(stop); });
  for (int round = 0; round < 6; ++round) {
    ASSERT_TRUE(AwaitHealthy(*first));
    std::this_thread::sleep_for(milliseconds(200));
    if (round == 3) {
      server().Pause();
      ASSERT_TRUE(AwaitUnhealthy(*first));
      server().Continue();
    } else {
      server().Kill();
      server().Start();
    }
  }
  ASSERT_TRUE(AwaitHealthy(*first));
  std::this_thread::sleep_for(milliseconds(200));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const Writer& writer : writers) {
    std::vector<StoredRecord> stored;
    for (;;) {
      absl::StatusOr<Page> page = testing::Read(*second, writer.showtime(), stored.size() + 1);
      ASSERT_THAT(page, testing::IsOk());
      EXPECT_EQ(page->head, writer.head());
      if (page->records.empty()) break;
      stored.insert(stored.end(), page->records.begin(), page->records.end());
    }
    EXPECT_GT(stored.size(), 20u) << "too little load to tell";
    EXPECT_EQ(stored, writer.acknowledged());
  }
}

TEST_F(RedisFailuresTest, ASentinelWithAPasswordIsAsked) {
  Install();
  server().Run({"CONFIG", "SET", "requirepass", "secret"});
  testing::RedisSentinel sentinel(server().port(), 1, 500, "secret");
  RedisOptions options = Options();
  options.addresses = {{.host = "127.0.0.1", .port = sentinel.port()}};
  options.sentinel = "seats";
  options.password = "secret";
  std::unique_ptr<RedisLog> log = MustOpen(options);
  EXPECT_TRUE(AwaitHealthy(*log));
}

// One that was cut off, and is not told that there is another primary.
TEST_F(RedisFailuresTest, APrimaryThatCannotBeServedIsLeftForTheNextAddress) {
  RedisServer other;
  Install(other);
  RedisOptions options = Options();  // has no marker
  options.addresses.push_back({.host = "localhost", .port = other.port()});
  std::unique_ptr<RedisLog> log = MustOpen(options);
  EXPECT_TRUE(AwaitHealthy(*log));
}

// With replicas.

class RedisReplicasTest : public RedisFailuresTest {
 protected:
  static RedisServer::Options OfPrimary() {
    return {.settings = {{"min-replicas-to-write", "1"}, {"min-replicas-max-lag", "2"}}};
  }
  RedisOptions ReplicatedOptions() {
    RedisOptions options = Options();
    options.addresses = {{.host = "127.0.0.1", .port = primary_.port()}};
    options.replicas = 1;
    return options;
  }
  void SetUp() override {
    ASSERT_TRUE(
        Comes([&] { return primary_.Info("slave0").find("state=online") != std::string::npos; }));
    ASSERT_TRUE(replica_->AwaitInfo("master_link_status", "up"));
    ASSERT_TRUE(Comes([&] {
      return primary_.Run({"HSET", InstallationKey("sl"), "id", "0123456789abcdef", "layout", "1",
                           "counter", "0"})[0] != '-';
    }));
    log_ = MustOpen(ReplicatedOptions());
    ASSERT_TRUE(AwaitHealthy(*log_));
  }

  RedisServer primary_{OfPrimary()};
  std::unique_ptr<RedisServer> replica_ = std::make_unique<RedisServer>(
      RedisServer::Options{.settings = OfPrimary().settings, .replica_of = primary_.port()});
  std::unique_ptr<RedisLog> log_;
};

TEST_F(RedisReplicasTest, AStartThatFindsAllInOrderComplainsOfNothing) {
  // The rewrites of the replica's first synchronisation are over: the log of SetUp is served.
  const std::vector<std::string> before = Errors();
  std::unique_ptr<RedisLog> log = MustOpen(ReplicatedOptions());
  EXPECT_TRUE(log->Healthy());
  EXPECT_EQ(Errors(), before);
}

TEST_F(RedisReplicasTest, WhatIsAcknowledgedIsOnTheReplica) {
  ASSERT_EQ(Append(*log_, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kAppended);
  EXPECT_EQ(replica_->Run({"XLEN", ShowtimeKey("sl", domain::ShowtimeId("s"), "log")}), "1");
}

TEST_F(RedisReplicasTest, SaysHowManyReplicasThePrimaryHas) {
  EXPECT_TRUE(Comes([&] { return log_->Replicas() == 1; }));
  replica_->Run({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(Comes([&] { return log_->Replicas() == 0; }));
  replica_->Run({"REPLICAOF", "127.0.0.1", std::to_string(primary_.port())});
  EXPECT_TRUE(Comes([&] { return log_->Replicas() == 1; }));
}

TEST_F(RedisReplicasTest, WithoutItsReplicaNothingIsAcknowledged) {
  replica_->Pause();
  const AppendRequest request = AppendOf("s", Head{}, {"x"});
  EXPECT_EQ(Append(*log_, request).outcome, Outcome::kUnknown);
  EXPECT_FALSE(log_->Healthy());
  EXPECT_EQ(Append(*log_, AppendOf("t", Head{}, {})).outcome, Outcome::kNotAppended);
  EXPECT_THAT(Errors().back(), HasSubstr("0 of 1 replicas"));
  replica_->Continue();
  ASSERT_TRUE(AwaitHealthy(*log_));
  ExpectSettled(*log_, request);
}

TEST_F(RedisReplicasTest, AReplicaThatIsSetUpWronglyStopsTheStore) {
  replica_->Run({"CONFIG", "SET", "appendfsync", "everysec"});
  EXPECT_TRUE(AwaitUnhealthy(*log_));
  replica_->Run({"CONFIG", "SET", "appendfsync", "always"});
  EXPECT_TRUE(AwaitHealthy(*log_));
}

// Control: relaxed acknowledges what the replica lacks.
TEST_F(RedisReplicasTest, RelaxedDoesNotWaitForReplicas) {
  primary_.Run({"CONFIG", "SET", "min-replicas-to-write", "0"});
  RedisOptions options = ReplicatedOptions();
  options.profile = RedisProfile::kRelaxed;
  options.replicas = 0;
  std::unique_ptr<RedisLog> relaxed = MustOpen(options);
  replica_->Pause();
  EXPECT_EQ(Append(*relaxed, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kAppended);
  replica_->Continue();
}

TEST_F(RedisReplicasTest, AfterAFailoverSentinelsPrimaryIsServedWithAnotherGeneration) {
  testing::RedisSentinel sentinel(primary_.port(), 1, 500);
  RedisOptions options = ReplicatedOptions();
  options.addresses = {{.host = "127.0.0.1", .port = sentinel.port()}};
  options.sentinel = "seats";
  std::unique_ptr<RedisLog> log = MustOpen(options);
  ASSERT_TRUE(AwaitHealthy(*log));
  const std::string generation = log->Generation();
  const Head head = Append(*log, AppendOf("s", Head{}, {"x"})).head;
  ASSERT_EQ(head.revision, domain::Revision(1));
  primary_.Kill();
  ASSERT_TRUE(Comes([&] { return sentinel.Primary() == replica_->port(); }));
  // Strict: not before the old primary is back, as a replica.
  EXPECT_FALSE(log->Healthy());
  primary_.Start();
  ASSERT_TRUE(AwaitHealthy(*log));
  EXPECT_NE(log->Generation(), generation);
  EXPECT_EQ(Append(*log, AppendOf("s", head, {})).outcome, Outcome::kAppended);
  EXPECT_EQ(Append(*log, AppendOf("s", head, {"y"})).outcome, Outcome::kAppended);
}

}  // namespace
}  // namespace seatlock::log
