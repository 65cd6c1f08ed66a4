// What the log on Redis does beyond the conformance suite: refusals at start, markers, rights,
// memory, damage. Each test has a Redis of its own.
#include "services/seatlock/log/redis/redis_log.h"

#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/ascii.h"
#include "services/seatlock/log/redis/functions.h"
#include "services/seatlock/log/redis/keys.h"
#include "tests/testing/log_calls.h"
#include "tests/testing/redis_log_fixture.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

using testing::Append;
using testing::AppendOf;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::RedisLogFixture;
using testing::RedisServer;
using testing::StatusIs;
using Outcome = AppendResult::Outcome;

class RedisLogTest : public RedisLogFixture {};

TEST_F(RedisLogTest, ARedisThatIsNotThereIsWaitedFor) {
  server().Kill();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  EXPECT_FALSE(log->Healthy());
  const AppendResult refused = Append(*log, AppendOf("s", Head{}, {"x"}));
  EXPECT_EQ(refused.outcome, Outcome::kNotAppended);
  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(testing::Read(*log, "s", 1), StatusIs(absl::StatusCode::kUnavailable));
  server().Start();
  Install();
  EXPECT_TRUE(AwaitHealthy(*log));
  EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kAppended);
  EXPECT_EQ(log->Returns(), 1u);
}

TEST_F(RedisLogTest, WithoutAMarkerNothingIsServedAndOneLineSaysSo) {
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  EXPECT_FALSE(log->Healthy());
  EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {})).outcome, Outcome::kNotAppended);
  EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kNotAppended);
  EXPECT_EQ(server().Run({"EXISTS", ShowtimeKey("sl", domain::ShowtimeId("s"), "log")}), "0");
  ASSERT_EQ(Errors().size(), 1u);
  EXPECT_THAT(Errors()[0], HasSubstr("seatlockd store init"));
  Install();
  EXPECT_TRUE(AwaitHealthy(*log));
}

TEST_F(RedisLogTest, RelaxedMarksAnEmptyStoreByItselfAndNoOther) {
  RedisOptions options = Options();
  options.profile = RedisProfile::kRelaxed;
  {
    std::unique_ptr<RedisLog> log = MustOpen(options);
    EXPECT_TRUE(log->Healthy());
    EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kAppended);
  }
  server().Run({"DEL", InstallationKey("sl")});
  EXPECT_FALSE(MustOpen(options)->Healthy());
}

// Whether `log` is served again within `ms`.
bool Returns(const RedisLog& log, int64_t ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (!log.Healthy() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return log.Healthy();
}

TEST_F(RedisLogTest, AStoreThatIsEmptiedIsNotANewStore) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const std::string generation = log->Generation();
  const Head head = Append(*log, AppendOf("s", Head{}, {"x"})).head;
  server().Run({"FLUSHALL"});
  EXPECT_NE(Append(*log, AppendOf("s", head, {"y"})).outcome, Outcome::kAppended);
  EXPECT_NE(Append(*log, AppendOf("t", Head{}, {"y"})).outcome, Outcome::kAppended);
  EXPECT_FALSE(log->Healthy());
  // An operator accepts what is there: another history.
  Install();
  EXPECT_TRUE(AwaitHealthy(*log));
  EXPECT_NE(log->Generation(), generation);
  EXPECT_TRUE(Append(*log, AppendOf("s", head, {})).rewritten);
}

TEST_F(RedisLogTest, ACounterBelowAConfirmedOneStopsStrictUntilAnOperatorAccepts) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const std::string generation = log->Generation();
  server().Run({"HSET", InstallationKey("sl"), "counter", "0"});
  EXPECT_NE(Append(*log, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kAppended);
  EXPECT_FALSE(log->Healthy());
  EXPECT_THAT(Errors().back(), HasSubstr("lost what was confirmed"));
  Install();
  EXPECT_TRUE(AwaitHealthy(*log));
  EXPECT_NE(log->Generation(), generation);
}

// A server's own probes write, too: they must not make up for what was lost.
TEST_F(RedisLogTest, ACounterThatIsOnlyALittleBelowStopsStrictAsWell) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Head head;
  for (int i = 0; i < 5; ++i) head = Append(*log, AppendOf("s", head, {"x"})).head;
  server().Run({"HINCRBY", InstallationKey("sl"), "counter", "-3"});
  EXPECT_NE(Append(*log, AppendOf("s", head, {"y"})).outcome, Outcome::kAppended);
  EXPECT_FALSE(Returns(*log, 1'500)) << "served again though what was confirmed is lost";
  // Nor must another server's, which knows of no loss.
  std::unique_ptr<RedisLog> other = MustOpen(Options());
  for (int i = 0; i < 5; ++i) head = Append(*other, AppendOf("s", head, {"z"})).head;
  EXPECT_TRUE(other->Healthy());
  EXPECT_FALSE(Returns(*log, 500));
  EXPECT_EQ(Errors().size(), 1U) << "one reason, told once";
  Install();
  EXPECT_TRUE(AwaitHealthy(*log));
}

// Somebody has written into the stream and taken it out again: Redis then refuses our next id.
TEST_F(RedisLogTest, ARecordThatRedisRefusesIsDamageOfItsShowtimeAlone) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const Head head = Append(*log, AppendOf("s", Head{}, {"x"})).head;
  const std::string stream = ShowtimeKey("sl", domain::ShowtimeId("s"), "log");
  server().Run({"XADD", stream, "9-0", "b", ""});
  server().Run({"XDEL", stream, "9-0"});
  const uint64_t returns = log->Returns();
  const AppendResult refused = Append(*log, AppendOf("s", head, {"y"}));
  EXPECT_EQ(refused.outcome, Outcome::kNotAppended);
  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Append(*log, AppendOf("t", Head{}, {"x"})).outcome, Outcome::kAppended);
  EXPECT_EQ(log->Returns(), returns) << "others were not served meanwhile";
}

TEST_F(RedisLogTest, AnotherPrefixTakesNoCountAway) {
  Install();
  Install("other");
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Append(*log, AppendOf("s", Head{}, {"x"}));
  log = nullptr;
  // A change of "sl", whose barrier comes only after one of "other".
  const domain::ShowtimeId showtime("s");
  std::vector<std::string> change = {"FCALL", kFnDelete, "7", ShowtimeKey("sl", showtime, "head"),
                                     ShowtimeKey("sl", showtime, "log")};
  for (const char* name : {"wake", "changed", "counter", "ids"}) {
    change.push_back(PartitionKey("sl", PartitionOf(showtime), name));
  }
  change.insert(change.end(), {ShowtimeKey("sl", showtime, "snap"), "s", "channel"});
  server().Run(change);
  const auto raised_by_barrier_of = [&](const std::string& prefix) {
    const std::string marker = InstallationKey(prefix);
    const std::string before = server().Run({"HGET", marker, "counter"});
    server().Run({"FCALL", kFnBarrier, "1", marker, "if_changed"});
    return server().Run({"HGET", marker, "counter"}) != before;
  };
  EXPECT_FALSE(raised_by_barrier_of("other"));
  EXPECT_TRUE(raised_by_barrier_of("sl"));
  EXPECT_FALSE(raised_by_barrier_of("sl"));
}

// Where servers contend for a showtime most appends are too late: those cost no write, and no
// fsync.
TEST_F(RedisLogTest, OnlyAnAppendThatWentInRaisesTheCounterOfTheBarrier) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const auto raised_by = [&](const std::function<void()>& append) {
    const auto counter = [&] {
      return std::stoi(server().Run({"HGET", InstallationKey("sl"), "counter"}));
    };
    int raised = 0;
    for (int i = 0; i < 10; ++i) {
      const int before = counter();
      append();
      raised += counter() - before;
    }
    return raised;
  };
  Head head;
  EXPECT_EQ(raised_by([&] { head = Append(*log, AppendOf("s", head, {"x"})).head; }), 10);
  // Once a second a server writes all the same, to see that it can.
  EXPECT_LT(raised_by([&] {
              EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"y"})).outcome, Outcome::kConflict);
            }),
            10);
}

TEST_F(RedisLogTest, AServerWhoseAppendsAreAllTooLateWritesOnceASecondAllTheSame) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Append(*log, AppendOf("s", Head{}, {"x"}));
  const auto counter = [&] { return server().Run({"HGET", InstallationKey("sl"), "counter"}); };
  const std::string before = counter();
  EXPECT_TRUE(Comes([&] {
    EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"y"})).outcome, Outcome::kConflict);
    return counter() != before;
  }));
}

TEST_F(RedisLogTest, AStoreOfANewerLayoutIsRefused) {
  Install();
  server().Run({"HSET", InstallationKey("sl"), "layout", "2"});
  EXPECT_THAT(RedisLog::Open(Options()), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(RedisLogTest, SettingsThatStrictDoesNotBearAreRefusedAtStartAndNotServedLater) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  ASSERT_TRUE(log->Healthy());
  server().Run({"CONFIG", "SET", "appendfsync", "everysec"});
  EXPECT_THAT(RedisLog::Open(Options()), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(AwaitUnhealthy(*log));
  EXPECT_THAT(Errors().back(), HasSubstr("appendfsync"));
  server().Run({"CONFIG", "SET", "appendfsync", "always"});
  EXPECT_TRUE(AwaitHealthy(*log));
}

TEST_F(RedisLogTest, AWrongPasswordIsOneLine) {
  Install();
  server().Run({"ACL", "SETUSER", "app", "on", ">right", "~{sl:*", "&sl:*", "+@all"});
  RedisOptions options = Options();
  options.user = "app";
  options.password = "wrong";
  absl::StatusOr<std::unique_ptr<RedisLog>> log = RedisLog::Open(options);
  ASSERT_THAT(log, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("WRONGPASS"));
  EXPECT_THAT(std::string(log.status().message()), ::testing::Not(HasSubstr("wrong ")));
  options.password = "right";
  EXPECT_TRUE(MustOpen(options)->Healthy());
}

// What operating.md tells operators to grant is enough, and each right is missed at start.
TEST_F(RedisLogTest, TheRightsOfTheUserAreProbedAtStart) {
  Install();
  const std::vector<std::string> rights = {
      "+select", "+info",    "+config|get", "+fcall",         "+fcall_ro",    "+function|load",
      "+role",   "+wait",    "+subscribe",  "+publish",       "+time",        "+exists",
      "+get",    "+incr",    "+hset",       "+hget",          "+hgetall",     "+hdel",
      "+hmget",  "+hincrby", "+unlink",     "+xadd",          "+xrange",      "+xrevrange",
      "+xtrim",  "+zadd",    "+zrem",       "+zrangebyscore", "+zrangebylex", "+zscore"};
  RedisOptions options = Options();
  options.user = "app";
  options.password = "right";
  std::vector<std::string> grant = {"ACL", "SETUSER", "app", "on", ">right", "~{sl:*", "&sl:*"};
  grant.insert(grant.end(), rights.begin(), rights.end());
  ASSERT_EQ(server().Run(grant), "OK");
  {
    std::unique_ptr<RedisLog> log = MustOpen(options);
    ASSERT_TRUE(log->Healthy());
    EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"x"}, 5)).outcome, Outcome::kAppended);
    EXPECT_EQ(testing::Due(*log, 10, 10)->size(), 1u);
    EXPECT_EQ(testing::ClaimDue(*log, 10, 10, 5)->size(), 1u);
    EXPECT_EQ(testing::List(*log, "", 10)->size(), 1u);
    EXPECT_THAT(testing::ChangedSince(*log, {}), IsOk());
    EXPECT_THAT(testing::Load(*log, "s"), IsOk());
    EXPECT_THAT(testing::Delete(*log, "s"), IsOk());
  }
  for (const std::string& right : rights) {
    if (right == "+function|load") continue;  // the functions are there
    const std::string command = right.substr(1);
    ASSERT_EQ(server().Run({"ACL", "SETUSER", "app", "-" + command}), "OK");
    absl::StatusOr<std::unique_ptr<RedisLog>> log = RedisLog::Open(options);
    ASSERT_THAT(log, StatusIs(absl::StatusCode::kFailedPrecondition)) << command;
    EXPECT_THAT(absl::AsciiStrToLower(log.status().message()), HasSubstr(command));
    ASSERT_EQ(server().Run({"ACL", "SETUSER", "app", right}), "OK");
  }
}

TEST_F(RedisLogTest, KeysAndChannelsThatTheUserMayNotTouchAreNamedAtStart) {
  Install();
  RedisOptions options = Options();
  options.user = "app";
  options.password = "right";
  const struct {
    std::vector<std::string> patterns;
    std::string named;
  } cases[] = {{{"&sl:*"}, "keys ~{sl:*"},
               {{"~{sl:0*", "~{sl:meta*", "&sl:*"}, "keys ~{sl:*"},
               {{"%R~{sl:*", "%W~{sl:0*", "&sl:*"}, "keys ~{sl:*"},
               {{"~{sl:*"}, "PUBLISH to the channel sl:00"},
               {{"~{sl:*", "&sl:0*"}, "PUBLISH to the channel sl:10"}};
  for (const auto& each : cases) {
    std::vector<std::string> user = {"ACL", "SETUSER", "app", "reset", "on", ">right", "+@all"};
    user.insert(user.end(), each.patterns.begin(), each.patterns.end());
    ASSERT_EQ(server().Run(user), "OK");
    const absl::Status refused = RedisLog::Open(options).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition)) << each.named;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(each.named));
  }
  ASSERT_EQ(server().Run({"ACL", "SETUSER", "app", "~{sl:*", "&sl:*"}), "OK");
  EXPECT_TRUE(MustOpen(options)->Healthy());
}

TEST_F(RedisLogTest, AKeyOfAWrongTypeIsDamageAndNothingIsWritten) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const domain::ShowtimeId showtime("s");
  const Head head = Append(*log, AppendOf("s", Head{}, {"r1"}, 5)).head;
  const int partition = PartitionOf(showtime);
  for (const std::string& key :
       {ShowtimeKey("sl", showtime, "head"), ShowtimeKey("sl", showtime, "log"),
        PartitionKey("sl", partition, "wake"), PartitionKey("sl", partition, "changed"),
        PartitionKey("sl", partition, "counter")}) {
    server().Run({"RENAME", key, "{kept}"});
    server().Run({"SET", key, "not a number"});
    const std::string before = server().Run({"XLEN", ShowtimeKey("sl", showtime, "log")});
    const AppendResult result = Append(*log, AppendOf("s", head, {"r2"}, 6));
    EXPECT_EQ(result.outcome, Outcome::kNotAppended) << key;
    EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDataLoss)) << key;
    EXPECT_EQ(server().Run({"XLEN", ShowtimeKey("sl", showtime, "log")}), before) << key;
    server().Run({"RENAME", "{kept}", key});
  }
  // With all of them as they were nothing has changed.
  EXPECT_EQ(Append(*log, AppendOf("s", head, {})).outcome, Outcome::kAppended);
  EXPECT_EQ(Append(*log, AppendOf("s", head, {"r2"}, 6)).outcome, Outcome::kAppended);
}

TEST_F(RedisLogTest, WhereMemoryEndsWhatTakesSeatsIsRefusedAndTheRestGoesThrough) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  const Head head = Append(*log, AppendOf("s", Head{}, {"r1"})).head;
  server().Run({"CONFIG", "SET", "maxmemory", "1"});
  AppendRequest takes = AppendOf("s", head, {"lock"});
  takes.takes_room = true;
  const AppendResult refused = Append(*log, takes);
  EXPECT_EQ(refused.outcome, Outcome::kNoRoom);
  EXPECT_EQ(Append(*log, AppendOf("s", head, {})).outcome, Outcome::kAppended);
  const AppendResult sold = Append(*log, AppendOf("s", head, {"book"}));
  EXPECT_EQ(sold.outcome, Outcome::kAppended) << sold.status;
  EXPECT_THAT(testing::SaveSnapshot(*log, "s", {sold.head, "all"}), IsOk());
  EXPECT_TRUE(log->Healthy());
  server().Run({"CONFIG", "SET", "maxmemory", "0"});
  takes = AppendOf("s", sold.head, {"lock"});
  takes.takes_room = true;
  EXPECT_EQ(Append(*log, takes).outcome, Outcome::kAppended);
}

TEST_F(RedisLogTest, FunctionsThatWereFlushedAreLoadedAgain) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  server().Run({"FUNCTION", "FLUSH"});
  EXPECT_EQ(Append(*log, AppendOf("s", Head{}, {"x"})).outcome, Outcome::kNotAppended);
  EXPECT_TRUE(AwaitAppended(*log, AppendOf("s", Head{}, {"x"})));
}

TEST_F(RedisLogTest, InstallationsOfOtherPrefixesKeepApart) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Append(*log, AppendOf("s", Head{}, {"x"}));
  RedisOptions options = Options();
  options.prefix = "other";
  EXPECT_FALSE(MustOpen(options)->Healthy());
  Install("other");
  EXPECT_EQ(Append(*MustOpen(options), AppendOf("s", Head{}, {})).outcome, Outcome::kAppended);
}

TEST_F(RedisLogTest, TooMuchThatWaitsIsTurnedAwayAndTheStoreStaysWell) {
  Install();
  RedisOptions options = Options();
  options.queue_bytes_max = 1000;
  std::unique_ptr<RedisLog> log = MustOpen(options);
  const AppendResult result = Append(*log, AppendOf("s", Head{}, {std::string(2000, 'x')}));
  EXPECT_EQ(result.outcome, Outcome::kNotAppended);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_TRUE(log->Healthy());
}

TEST_F(RedisLogTest, APipelineThatCountsIsACommitAndAQuestionIsNone) {
  Install();
  std::atomic<size_t> appends{0};
  std::atomic<int> odd{0};
  RedisOptions options = Options();
  options.on_commit = [&](size_t count, int64_t us) {
    appends += count;
    if (count == 0 || us <= 0) ++odd;
  };
  std::unique_ptr<RedisLog> log = MustOpen(options);
  const Head head = Append(*log, AppendOf("s", Head{}, {"x"})).head;
  Append(*log, AppendOf("s", head, {}));
  Append(*log, AppendOf("t", Head{}, {"x"}));
  EXPECT_EQ(appends.load(), 2u);
  EXPECT_EQ(odd.load(), 0);
}

TEST_F(RedisLogTest, AScoreThatIsNoTimeKeepsNobodyElseFromBeingDue) {
  Install();
  std::unique_ptr<RedisLog> log = MustOpen(Options());
  Append(*log, AppendOf("s", Head{}, {"x"}, 5));
  const int partition = PartitionOf(domain::ShowtimeId("s"));
  server().Run({"ZADD", PartitionKey("sl", partition, "wake"), "-inf", "odd"});
  const auto due = testing::Due(*log, 10, 10);
  ASSERT_THAT(due, IsOk());
  EXPECT_EQ(due->size(), 2u);
}

TEST_F(RedisLogTest, TellsTheStoresTime) {
  Install();
  std::atomic<int64_t> skew_ms{INT64_MAX};
  RedisOptions options = Options();
  options.on_time = [&](const RedisTime& time) {
    EXPECT_LE(time.sent_us, time.received_us);
    skew_ms = (time.store_us / 1000) - base::SystemClock().NowMs();
  };
  std::unique_ptr<RedisLog> log = MustOpen(options);
  Append(*log, AppendOf("s", Head{}, {"x"}));
  EXPECT_LT(std::abs(skew_ms.load()), 60'000);
}

}  // namespace
}  // namespace seatlock::log
