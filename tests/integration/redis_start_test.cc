// A real seatlockd on a real Redis: how it starts, what it says of a Redis that is away or set up
// wrongly.
#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/looks.h"
#include "tests/integration/redis_programs.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/tcp_link.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisStartTest, ServesWhenRedisComesAndSaysOnceThatItIsAway) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  redis.Stop();
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  SeatLockClient client(server.address());
  EXPECT_EQ(HttpGet(server.admin_address(), "/readyz")->status, 503);
  EXPECT_EQ(HttpGet(server.admin_address(), "/livez")->status, 200);
  EXPECT_EQ(LinesWith(server, "\"level\":\"error\""), 1);
  EXPECT_EQ(LinesWith(server, absl::StrCat("127.0.0.1:", redis.port())), 1);
  const Refusal refusal = client.Lock("show", "A1", "s1").refusal();
  EXPECT_EQ(refusal.reason, "STORE_UNAVAILABLE");
  EXPECT_EQ(refusal.metadata.at("outcome"), "none");

  redis.Start();
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_TRUE(client.Lock("show", "A1", "s1").ok());
}

TEST(RedisStartTest, AStoreWithoutItsMarkerIsServedOnceAnOperatorHasSaidSo) {
  RedisServer redis;
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  SeatLockClient client(server.address());
  EXPECT_TRUE(Eventually([&] { return LinesWith(server, "store init") == 1; }));
  EXPECT_EQ(client.Lock("show", "A1", "s1").refusal().reason, "STORE_UNAVAILABLE");
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_TRUE(client.Lock("show", "A1", "s1").ok());

  // What has lost its marker is no new store, though it is there.
  redis.Run({"DEL", kMarker});
  ASSERT_TRUE(BecomesReady(server, 503));
  EXPECT_EQ(client.Lock("show", "A2", "s1").refusal().reason, "STORE_UNAVAILABLE");
  const Ended refused = Store({"init"}, UrlOf(redis));
  EXPECT_EQ(refused.code, 1);
  ASSERT_EQ(refused.err.size(), 1u);
  EXPECT_THAT(refused.err[0], HasSubstr("it holds 1 showtimes and no marker"));
  ASSERT_EQ(Store({"init", "--accept"}, UrlOf(redis)).code, 0);
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_EQ(client.Lock("show", "A1", "s2").refusal().reason, "SEAT_TAKEN");
}

TEST(RedisStartTest, RelaxedMakesAnEmptyRedisAStoreButNotWhileARestoreIsUnderWay) {
  RedisServer redis;
  redis.Run({"HSET", kMarker, "restoring", "1"});
  TestServer server({}, UrlOf(redis, "?profile=relaxed"));
  ASSERT_THAT(server.Start(), IsOk());
  // It has looked: that is what it says.
  ASSERT_THAT(
      server.process().WaitForLine(
          [](const std::string& line) { return absl::StrContains(line, "\"level\":\"error\""); },
          kStartTimeout),
      IsOk());
  EXPECT_EQ(HttpGet(server.admin_address(), "/readyz")->status, 503);
  EXPECT_EQ(redis.Run({"HEXISTS", kMarker, "id"}), "0");
  // Control: without the restore.
  redis.Run({"DEL", kMarker});
  TestServer next({}, UrlOf(redis, "?profile=relaxed"));
  ASSERT_THAT(next.Start(), IsOk());
  EXPECT_TRUE(BecomesReady(next));
  EXPECT_EQ(redis.Run({"HEXISTS", kMarker, "id"}), "1");
}

TEST(RedisStartTest, WhatIsSetUpWronglyAtStartIsOneLineAndExit1) {
  struct Case {
    std::vector<std::vector<std::string>> settings;  // of redis.conf
    std::string parameters;
    std::string why;
  };
  const Case cases[] = {
      {{{"appendonly", "no"}}, "", "appendonly is no, must be yes"},
      {{{"appendonly", "no"}}, "?profile=relaxed", "appendonly is no, must be yes"},
      {{{"appendfsync", "everysec"}}, "", "appendfsync is everysec, must be always"},
      {{{"appendfsync", "no"}}, "?profile=relaxed", "appendfsync is no, must be always or"},
      {{{"no-appendfsync-on-rewrite", "yes"}}, "", "no-appendfsync-on-rewrite is yes, must be no"},
      {{{"maxmemory-policy", "allkeys-lru"}}, "", "maxmemory-policy is allkeys-lru, must be"},
      {{}, "?replicas=1", "min-replicas-to-write is 0, must be 1 or more"},
      {{{"requirepass", "hunter2"}}, "", "NOAUTH"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.why);
    // A password would keep the helper out, so it is set afterwards.
    const bool locked = !each.settings.empty() && each.settings[0][0] == "requirepass";
    RedisServer redis({.settings = locked ? Case().settings : each.settings});
    if (locked) redis.Run({"CONFIG", "SET", "requirepass", "hunter2"});
    const Ended ended = RunSeatlockd({"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                                      "--store=" + UrlOf(redis, each.parameters)});
    EXPECT_EQ(ended.code, 1);
    ASSERT_EQ(ended.err.size(), 1u) << absl::StrCat(ended.err.size(), " lines");
    EXPECT_THAT(ended.err[0], HasSubstr("seatlockd: "));
    EXPECT_THAT(ended.err[0], HasSubstr(each.why));
  }
}

TEST(RedisStartTest, AReplicaAWrongPasswordAndANewerLayoutAreOneLineAndExit1) {
  RedisServer redis;
  RedisServer replica({.replica_of = redis.port()});
  RedisServer newer;
  newer.Run({"HSET", kMarker, "id", "0123456789abcdef", "layout", "2", "counter", "0"});
  RedisServer locked;
  locked.Run({"CONFIG", "SET", "requirepass", "hunter2"});
  const struct {
    const RedisServer& server;
    std::string password;
    std::string why;
  } cases[] = {{replica, "", "its role is slave, must be master"},
               {newer, "", "newer version"},
               {locked, "letmein", "WRONGPASS"},
               {redis, "letmein", "without any password"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.why);
    const Ended ended = RunSeatlockd(
        {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--store=" + UrlOf(each.server)},
        {{"SEATLOCK_REDIS_PASSWORD", each.password}});
    EXPECT_EQ(ended.code, 1);
    ASSERT_EQ(ended.err.size(), 1u);
    EXPECT_THAT(ended.err[0], HasSubstr(each.why));
    EXPECT_THAT(ended.err[0], Not(HasSubstr("letmein")));
  }
}

// A Redis of version 6, as far as it says so itself.
TEST(RedisStartTest, ARedisOfAnOlderVersionIsOneLineAndExit1) {
  RedisServer redis;
  const std::string ours = "redis_version:" + redis.Info("redis_version");
  const std::string older =
      ("redis_version:6.2." + std::string(ours.size(), '1')).substr(0, ours.size());
  TcpLink link(redis.port(), [&](char* bytes, size_t size) {
    const size_t at = absl::string_view(bytes, size).find(ours);
    if (at != absl::string_view::npos) std::copy(older.begin(), older.end(), bytes + at);
  });
  const Ended ended = RunSeatlockd({"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
                                    absl::StrCat("--store=redis://127.0.0.1:", link.port())});
  EXPECT_EQ(ended.code, 1);
  ASSERT_EQ(ended.err.size(), 1u);
  EXPECT_THAT(ended.err[0], HasSubstr("its version is 6.2."));
}

TEST(RedisStartTest, AnAddressThatIsWrongIsOneLineAndExit2) {
  for (const std::string store :
       {"redis://", "redis://127.0.0.1:99999", "redis://127.0.0.1:1?profile=loose",
        "redis://127.0.0.1:1?replicas=some", "redis://127.0.0.1:1?colour=red",
        "redis://127.0.0.1:1/notanumber", "redis://127.0.0.1:1?sentinel=seats"}) {
    SCOPED_TRACE(store);
    const Ended ended =
        RunSeatlockd({"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--store=" + store});
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.err.size(), 1u);
  }
}

TEST(RedisStartTest, ASettingThatIsChangedLaterStopsItUntilItIsRightAgain) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  SeatLockClient client(server.address());
  ASSERT_TRUE(BecomesReady(server));
  ASSERT_TRUE(client.Lock("show", "A1", "s1").ok());

  const struct {
    std::string setting;
    std::string wrong;
    std::string right;
  } cases[] = {{"appendfsync", "everysec", "always"},
               {"maxmemory-policy", "allkeys-lru", "noeviction"},
               {"no-appendfsync-on-rewrite", "yes", "no"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.setting);
    redis.Run({"CONFIG", "SET", each.setting, each.wrong});
    ASSERT_TRUE(BecomesReady(server, 503));
    EXPECT_EQ(client.Lock("show", each.setting, "s1").refusal().reason, "STORE_UNAVAILABLE");
    EXPECT_EQ(client.Get("show").refusal().reason, "STORE_UNAVAILABLE");
    const std::string why = absl::StrCat(each.setting, " is ", each.wrong, ", must be");
    EXPECT_TRUE(Eventually([&] { return LinesWith(server, why) == 1; })) << why;
    redis.Run({"CONFIG", "SET", each.setting, each.right});
    ASSERT_TRUE(BecomesReady(server));
    EXPECT_TRUE(client.Lock("show", each.setting, "s1").ok());
    EXPECT_EQ(client.Lock("show", "A1", "s2").refusal().reason, "SEAT_TAKEN");
  }
}

TEST(RedisStartTest, TheServerWithOtherLimitsThanTheOneBeforeItIsWarnedOnce) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  TestServer first({"--max-session-seats=100"}, UrlOf(redis));
  TestServer same({"--max-session-seats=100"}, UrlOf(redis));
  TestServer other({"--max-session-seats=7"}, UrlOf(redis));
  const auto noted = [&redis](int starts) {
    return Eventually([&] {
      return redis.Run({"HLEN", "{sl:meta}:servers"}) == std::to_string(starts);
    });
  };
  ASSERT_THAT(first.Start(), IsOk());
  ASSERT_TRUE(noted(1));
  ASSERT_THAT(same.Start(), IsOk());
  ASSERT_TRUE(noted(2));
  ASSERT_THAT(other.Start(), IsOk());
  const auto warned = other.process().WaitForLine(
      [](const std::string& line) { return absl::StrContains(line, "with other limits"); },
      kStartTimeout);
  ASSERT_THAT(warned, IsOk());
  EXPECT_THAT(*warned, HasSubstr("--max-session-seats=7"));
  EXPECT_THAT(*warned, HasSubstr("--max-session-seats=100"));
  EXPECT_TRUE(Eventually([&] { return LinesWith(other, "with other limits") == 1; }));
  EXPECT_EQ(LinesWith(first, "with other limits"), 0);
  EXPECT_EQ(LinesWith(same, "with other limits"), 0);
}

TEST(RedisStartTest, ASqliteInstallationThatIsMovedIsServedAsItWas) {
  TestServer before;
  ASSERT_THAT(before.Start(), IsOk());
  SeatLockClient client(before.address());
  ASSERT_TRUE(client.Book("show", {"A1", "A2"}, "s1", "o1").ok());
  ASSERT_TRUE(client.Lock("show", "B1", "s2").ok());
  ASSERT_TRUE(client.Lock("other", "B1", "s2", {.ttl_ms = 1'000}).ok());
  ASSERT_THAT(before.Stop(), IsOk());

  RedisServer redis;
  const Ended moved = Store({"restore", before.file()}, UrlOf(redis));
  ASSERT_EQ(moved.code, 0) << (moved.err.empty() ? "" : moved.err[0]);
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  SeatLockClient after(server.address());
  EXPECT_EQ(after.Lock("show", "A1", "s3").refusal().reason, "SEAT_TAKEN");
  EXPECT_EQ(after.Lock("show", "B1", "s3").refusal().reason, "SEAT_TAKEN");
  EXPECT_EQ(after.GetOrder("show", "o1").response.seat_ids_size(), 2);
  EXPECT_TRUE(after.Book("show", {"B1"}, "s2", "o2").ok());
  EXPECT_EQ(Store({"verify"}, UrlOf(redis)).code, 0);
  EXPECT_EQ(Store({"restore", before.file()}, UrlOf(redis)).code, 1);
  EXPECT_EQ(after.GetOrder("show", "o2").response.seat_ids_size(), 1) << "nothing was changed";
  EXPECT_TRUE(BecomesReady(server));

  // The wake time came along: the lapsed lock is freed though nobody asks.
  Ended history;
  Eventually([&] {
    history = Store({"history", "other"}, UrlOf(redis));
    return history.out.size() >= 3;
  });
  ASSERT_EQ(history.out.size(), 3u);
  EXPECT_THAT(history.out[2], HasSubstr("expired"));
}

}  // namespace
}  // namespace seatlock::testing
