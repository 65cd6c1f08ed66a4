// The schedules by which Redis, its operator or a dying server could have seats sold twice, with
// real processes: nothing acknowledged is sold again, and what cannot be served is said by the log,
// by /readyz and to whoever calls.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "services/seatlock/log/redis/keys.h"
#include "tests/integration/cluster/cluster_load.h"
#include "tests/integration/cluster/redis_set.h"
#include "tests/integration/cluster/server_group.h"
#include "tests/integration/looks.h"
#include "tests/testing/rounds.h"
#include "tests/testing/seed.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr char kShow[] = "show";
constexpr char kPrefix[] = "sl";
// A watch ends once its store has not been served for a second.
constexpr WatchStream::Milliseconds kEnds{30'000};

std::string InstallationKey() {
  return log::InstallationKey(kPrefix);
}

// The most that was sent to this port on one connection and is not read yet.
size_t UnreadBytes(uint16_t port) {
  const std::string local = absl::StrFormat("0100007F:%04X", port);
  std::ifstream sockets("/proc/net/tcp");
  size_t most = 0;
  for (std::string line; std::getline(sockets, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 5 || fields[1] != local) continue;
    const size_t unread = std::stoul(fields[4].substr(fields[4].find(':') + 1), nullptr, 16);
    most = std::max(most, unread);
  }
  return most;
}

// Nothing is served: /readyz is 503 for this reason, the log has it once, and callers are refused.
void ExpectStopped(TestServer& server, const std::string& why) {
  ASSERT_TRUE(Says(server, why)) << why;
  ASSERT_TRUE(SaysWhy(server, why));
  EXPECT_TRUE(Eventually([&] { return LinesWith(server, why) == 1; })) << why;
  SeatLockClient client(server.address());
  const Refusal refusal = client.Lock(kShow, "Z9", "somebody").refusal();
  EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE") << why;
  EXPECT_EQ(client.Get(kShow).refusal().reason, "STORE_UNAVAILABLE") << why;
}

// Sells a seat to `order`; whether that was acknowledged.
bool Sell(TestServer& server, const std::string& seat, const std::string& order,
          const std::string& showtime = kShow) {
  return SeatLockClient(server.address()).Book(showtime, {seat}, "s-" + order, order).ok();
}

std::string HolderOf(TestServer& server, const std::string& seat) {
  const auto answer = SeatLockClient(server.address()).Get(kShow);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  for (const v1::Seat& each : answer.response.snapshot().seats()) {
    if (each.seat_id() == seat) return each.order_id();
  }
  return "";
}

// WAIT does not say whose acknowledgement it counts.
TEST(SchedulesTest, AReplicaThatIsNeverPromotedStandsInForNone) {
  RedisSet redis({.replicas = 1});
  redis.AddServer(redis[0].port(), {{"replica-priority", "0"}});
  ASSERT_TRUE(redis.AwaitLinked(2));
  const std::string store = redis.Store("&replicas=1");
  ASSERT_NO_FATAL_FAILURE(InitStore(store));
  TestServer server({}, store);
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(Sell(server, "A1", "o1"));

  redis[1].Kill();
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "may be promoted"));
  redis[1].Start();
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_EQ(HolderOf(server, "A1"), "o1");
  EXPECT_TRUE(Sell(server, "A2", "o2"));
}

// Redis takes nothing back of a function that fails half-way. What it left is never served, and the
// first one is the last: the rights are probed again before another showtime is written.
TEST(SchedulesTest, WhatALostRightLeavesHalfDoneIsNotServedAndNothingElseIsWritten) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  redis.Run({"ACL", "SETUSER", "app", "on", ">hunter2", "~*", "&*", "+@all"});
  TestServer server({}, UrlOf(redis),
                    {{"SEATLOCK_REDIS_USER", "app"}, {"SEATLOCK_REDIS_PASSWORD", "hunter2"}});
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(Sell(server, "A1", "o1"));
  ASSERT_TRUE(Sell(server, "A1", "o2", "other"));
  SeatLockClient client(server.address());
  WatchStream watch(client.stub(), kShow);
  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 1), IsOk());

  redis.Run({"ACL", "SETUSER", "app", "-hset"});
  EXPECT_EQ(client.Book(kShow, {"A2"}, "s3", "o3").refusal().reason, "OUTCOME_UNKNOWN");
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "lacks a right"));
  EXPECT_FALSE(Sell(server, "A2", "o4", "other"));
  EXPECT_EQ(redis.Run({"XLEN", log::ShowtimeKey(kPrefix, domain::ShowtimeId("other"), "log")}),
            "1");

  redis.Run({"ACL", "SETUSER", "app", "+hset"});
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_TRUE(Sell(server, "A2", "o4", "other"));
  // Only a repair by hand could tell whether the half of it is meant.
  for (const Refusal& refusal :
       {client.Book(kShow, {"A3"}, "s5", "o5").refusal(), client.Get(kShow).refusal()}) {
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE");
    EXPECT_EQ(refusal.metadata.count("showtime"), 1u);
  }
  EXPECT_TRUE(Says(server, "DATA_LOSS: showtime show"));
  EXPECT_FALSE(watch.FollowTo(view, 2, kEnds).ok());
  EXPECT_EQ(view.revision(), 1u) << "it was shown";
}

// Somebody's key where one of ours belongs, in the partition of one showtime.
TEST(SchedulesTest, AKeyOfAWrongTypeStopsItsShowtimesAndNoOther) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  ServerGroup servers(2, UrlOf(redis));
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  ASSERT_TRUE(Sell(servers[0], "A1", "o1"));
  SeatLockClient client(servers[1].address());
  WatchStream watch(client.stub(), kShow);
  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 1), IsOk());

  const int partition = log::PartitionOf(domain::ShowtimeId(kShow));
  const std::string counter = log::PartitionKey(kPrefix, partition, "counter");
  redis.Run({"RENAME", counter, "kept"});
  redis.Run({"SET", counter, "not a number"});
  for (size_t i = 0; i < servers.size(); ++i) {
    SeatLockClient caller(servers[i].address());
    const Refusal refusal = caller.Book(kShow, {"A2"}, "s2", "o2").refusal();
    EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE");
    EXPECT_EQ(refusal.metadata.count("showtime"), 1u);
    EXPECT_TRUE(Says(servers[i], "the counter is no number"));
    EXPECT_TRUE(Sell(servers[i], absl::StrCat("B", i), absl::StrCat("b", i), "other"));
  }
  EXPECT_EQ(view.revision(), 1u);
  // Whoever has met the damage looks again a minute later.
  redis.Run({"RENAME", "kept", counter});
  TestServer newcomer({}, UrlOf(redis));
  ASSERT_THAT(newcomer.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(newcomer));
  EXPECT_EQ(HolderOf(newcomer, "A1"), "o1");
  EXPECT_EQ(HolderOf(newcomer, "A2"), "") << "it was refused";
  EXPECT_TRUE(Sell(newcomer, "A2", "o3"));
}

// The replica copies the emptiness, and Sentinel has noticed nothing.
TEST(SchedulesTest, APrimaryThatIsBackWithoutItsDataIsNotANewStore) {
  RedisSet redis({.replicas = 1});
  redis.SetSentinels("down-after-milliseconds", "600000");
  ASSERT_TRUE(redis.AwaitLinked(1));
  const std::string store = redis.Store("&replicas=1");
  ASSERT_NO_FATAL_FAILURE(InitStore(store));
  ServerGroup servers(2, store);
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  ASSERT_TRUE(Sell(servers[0], "A1", "o1"));
  SeatLockClient client(servers[1].address());
  WatchStream watch(client.stub(), kShow);
  ShowtimeView view;
  ASSERT_THAT(watch.FollowTo(view, 1), IsOk());

  redis[0].Kill();
  redis[0].WipeData();
  redis[0].Start();
  ASSERT_TRUE(redis.AwaitLinked(1));
  ASSERT_TRUE(Eventually([&] { return redis[1].Run({"EXISTS", InstallationKey()}) == "0"; }));
  for (size_t i = 0; i < servers.size(); ++i) {
    ASSERT_NO_FATAL_FAILURE(ExpectStopped(servers[i], "no installation marker"));
  }
  TestServer newcomer({}, store);
  ASSERT_THAT(newcomer.Start(), IsOk());
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(newcomer, "no installation marker"));
  // Who watched was told that it ended, and no empty house.
  EXPECT_THAT(watch.FollowTo(view, 2, kEnds), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(view.seats().count("A1"), 1u);
  EXPECT_EQ(view.snapshots(), 1);
}

class FirstRewriteTest : public ::testing::Test {
 protected:
  // So long that a test is done before it ends: Redis pauses before each key that it writes.
  static void RewriteSlowly(RedisServer& redis) {
    ASSERT_EQ(redis.Run({"CONFIG", "SET", "rdb-key-save-delay", "2000000"}), "OK");
  }
  static bool Rewrites(const RedisServer& redis) {
    return redis.Info("aof_rewrite_in_progress") == "1" ||
           redis.Info("aof_rewrite_scheduled") == "1";
  }
};

// AOF is turned on while it serves, and it dies in the rewrite that follows: it comes back empty.
TEST_F(FirstRewriteTest, NothingIsAcknowledgedWhileItRunsAndWhatIsLeftIsNotANewStore) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(Sell(server, "A1", "o1"));
  redis.Run({"CONFIG", "SET", "appendonly", "no"});
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "appendonly is no"));
  redis.RemoveData("appendonlydir");

  ASSERT_NO_FATAL_FAILURE(RewriteSlowly(redis));
  redis.Run({"CONFIG", "SET", "appendonly", "yes"});
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "for the first time (an AOF rewrite)"));
  EXPECT_FALSE(Sell(server, "A2", "o2"));
  ASSERT_TRUE(Rewrites(redis)) << "nothing was tested";
  redis.Kill();
  redis.Start();
  ASSERT_EQ(redis.Run({"DBSIZE"}), "0") << "nothing was tested";
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "no installation marker"));
}

// Control: one that ends is waited for, and then all is as it was.
TEST_F(FirstRewriteTest, OneThatEndsIsWaitedFor) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(Sell(server, "A1", "o1"));
  redis.Run({"CONFIG", "SET", "appendonly", "no"});
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "appendonly is no"));
  redis.Run({"CONFIG", "SET", "appendonly", "yes"});
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_EQ(HolderOf(server, "A1"), "o1");
  EXPECT_TRUE(Sell(server, "A2", "o2"));
}

// A replica that has copied everything has nothing on its disk before its first rewrite is over.
TEST_F(FirstRewriteTest, NothingIsAcknowledgedWhileAReplicaThatCopiedAllIsInIt) {
  RedisSet redis({.replicas = 1});
  ASSERT_TRUE(redis.AwaitLinked(1));
  const std::string store = redis.Store("&replicas=1");
  ASSERT_NO_FATAL_FAILURE(InitStore(store));
  TestServer server({}, store);
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(Sell(server, "A1", "o1"));
  redis[1].Kill();
  ASSERT_TRUE(BecomesReady(server, 503));
  redis[1].WipeData();
  redis[1].Start({{"rdb-key-save-delay", "2000000"}});
  ASSERT_TRUE(redis.AwaitLinked(1));
  ASSERT_NO_FATAL_FAILURE(ExpectStopped(server, "for the first time (an AOF rewrite)"));
  EXPECT_FALSE(Sell(server, "A2", "o2"));
  EXPECT_TRUE(Rewrites(redis[1])) << "nothing was tested";
}

TEST(SchedulesTest, AHistoryThatMayBeAnotherOnLivingConnectionsIsShownAnew) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  ServerGroup servers(2, UrlOf(redis));
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  ClusterLoad load(servers.addresses(), {.workers = 6, .seed = TestSeed()});
  const std::string connections = redis.Info("total_connections_received");
  const int rounds = Rounds(4);
  for (int round = 0; round < rounds; ++round) {
    ASSERT_TRUE(load.progress().WaitForAcks(100)) << "round " << round;
    ASSERT_EQ(redis.Run({"DEBUG", "CHANGE-REPL-ID"}), "OK");
    load.progress().Restarted();
  }
  ASSERT_TRUE(load.progress().WaitForAcks(100));
  load.StopAndJudge(servers[0].address());
  EXPECT_GE(load.replaces(), kShowtimes);
  for (size_t i = 0; i < servers.size(); ++i) {
    EXPECT_TRUE(Says(servers[i], "history counts as another one"));
    EXPECT_EQ(LinesWith(servers[i], "connection was lost"), 0) << "it was no living connection";
  }
}

TEST(SchedulesTest, WhereMemoryEndsLocksAreRefusedAndWhatSellsOrGivesBackGoesThrough) {
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  ServerGroup servers(2, UrlOf(redis));
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  SeatLockClient client(servers[0].address());
  SeatLockClient other(servers[1].address());
  ASSERT_TRUE(client.LockMany(kShow, {"A1", "A2"}, "s1").ok());
  ASSERT_TRUE(client.Lock(kShow, "A3", "s1", {.ttl_ms = 1'000}).ok());
  ASSERT_TRUE(Sell(servers[0], "B1", "o1"));
  redis.Run({"CONFIG", "SET", "maxmemory", "1"});

  for (SeatLockClient* each : {&client, &other}) {
    const Refusal refusal = each->Lock(kShow, "C1", "s2").refusal();
    EXPECT_EQ(refusal.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(refusal.reason, "OVERLOADED");
    EXPECT_TRUE(refusal.retry_after_ms.has_value());
  }
  EXPECT_TRUE(other.Book(kShow, {"A1"}, "s1", "o2", {.only_held = true}).ok());
  EXPECT_TRUE(client.Unlock(kShow, "A2", "s1").ok());
  EXPECT_TRUE(other.Cancel(kShow, {}, "o1").ok());
  // A lock ends as promised, though that is a change too.
  EXPECT_TRUE(Eventually([&] { return other.Get(kShow).response.snapshot().seats_size() == 1; }));
  EXPECT_EQ(HolderOf(servers[0], "A1"), "o2");
  EXPECT_EQ(HttpGet(servers[0].admin_address(), "/readyz")->status, 200);
  EXPECT_TRUE(Says(servers[0], "OOM"));

  redis.Run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(client.Lock(kShow, "C1", "s2").ok());
}

// Redis stands still, a server that has sent a sale dies, and Redis goes on: with what it was sent.
TEST(SchedulesTest, WhatADeadServerHadSentLandsOnce) {
  constexpr int kCalls = 8;
  RedisServer redis;
  ASSERT_NO_FATAL_FAILURE(InitStore(UrlOf(redis)));
  ServerGroup servers(2, UrlOf(redis));
  ASSERT_NO_FATAL_FAILURE(servers.Start());
  for (int i = 0; i < kCalls; ++i) ASSERT_TRUE(Sell(servers[0], "A1", "first", ShowtimeOf(i)));
  // Such a sale is larger than all that a server sends on one connection by itself: 64 short
  // questions, one for each partition, whether it has changed.
  std::vector<std::string> seats;
  for (int i = 0; i < 100; ++i) seats.push_back(absl::StrCat(std::string(30, 'B'), i));
  const auto call = [&](TestServer& server, int i) {
    return SeatLockClient(server.address())
        .Book(ShowtimeOf(i), seats, "s", "second", {.request_id = "r"});
  };

  redis.Pause();
  std::vector<std::thread> callers;
  for (int i = 0; i < kCalls; ++i) {
    callers.emplace_back([&, i] {
      EXPECT_EQ(call(servers[0], i).status.error_code(), grpc::StatusCode::UNAVAILABLE);
    });
  }
  const bool sent = Eventually([&] { return UnreadBytes(redis.port()) > 5'000; });
  servers[0].Kill();
  redis.Continue();
  for (std::thread& caller : callers) caller.join();
  ASSERT_TRUE(sent);
  const auto stored = [&](int i) {
    return redis.Run({"XLEN", log::ShowtimeKey(kPrefix, domain::ShowtimeId(ShowtimeOf(i)), "log")});
  };
  ASSERT_TRUE(Eventually([&] {
    for (int i = 0; i < kCalls; ++i) {
      if (stored(i) == "2") return true;
    }
    return false;
  })) << "nothing was tested";

  ASSERT_TRUE(BecomesReady(servers[1]));
  for (int i = 0; i < kCalls; ++i) {
    SCOPED_TRACE(ShowtimeOf(i));
    const auto again = call(servers[1], i);
    EXPECT_TRUE(again.ok()) << again.status.error_message();
    EXPECT_EQ(again.response.revision(), 2u);
    EXPECT_EQ(stored(i), "2");
    EXPECT_FALSE(Sell(servers[1], seats[0], "another", ShowtimeOf(i)));
  }
}

}  // namespace
}  // namespace seatlock::testing
