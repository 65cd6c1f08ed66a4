#include "services/seatlock/log/redis/setup_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As Redis 7.0.15 answers, cut to what matters here.
RedisFacts Good() {
  return {{"10.0.0.1", 6379},
          {{"redis_version", "7.0.15"},
           {"redis_mode", "standalone"},
           {"run_id", "r1"},
           {"role", "master"},
           {"connected_slaves", "2"},
           {"slave0", "ip=10.0.0.2,port=6379,state=online,offset=14,lag=0"},
           {"slave1", "ip=::1,port=6380,state=online,offset=14,lag=1"},
           {"master_replid", "8a"},
           {"loading", "0"},
           {"aof_enabled", "1"},
           {"aof_rewrite_in_progress", "0"},
           {"aof_rewrite_scheduled", "0"},
           {"aof_last_bgrewrite_status", "ok"},
           {"aof_last_write_status", "ok"},
           {"sync_full", "2"}},
          {{"appendonly", "yes"},
           {"appendfsync", "always"},
           {"no-appendfsync-on-rewrite", "no"},
           {"maxmemory-policy", "noeviction"},
           {"min-replicas-to-write", "2"},
           {"min-replicas-max-lag", "2"}}};
}
RedisFacts With(const std::string& setting, const std::string& value) {
  RedisFacts server = Good();
  server.config[setting] = value;
  return server;
}
RedisFacts Saying(const std::string& field, const std::string& value) {
  RedisFacts server = Good();
  server.info[field] = value;
  return server;
}

constexpr SetupWanted kStrict2{.profile = RedisProfile::kStrict, .replicas = 2};
constexpr SetupWanted kStrict0{.profile = RedisProfile::kStrict, .replicas = 0};
constexpr SetupWanted kRelaxed{.profile = RedisProfile::kRelaxed, .replicas = 0};

void ExpectFault(const absl::Status& status, absl::StatusCode code, const std::string& why) {
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("redis 10.0.0.1:6379: ")) << why;
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  EXPECT_EQ(std::count(status.message().begin(), status.message().end(), '\n'), 0);
}

TEST(SetupCheckTest, WhatIsSetUpAsTheProfileWantsIsFine) {
  for (const SetupWanted& wanted : {kStrict2, kStrict0, kRelaxed}) {
    EXPECT_THAT(CheckPrimary(Good(), wanted), IsOk());
    EXPECT_THAT(CheckReplica(Saying("role", "slave"), wanted), IsOk());
  }
  EXPECT_THAT(CheckPrimary(With("appendfsync", "everysec"), kRelaxed), IsOk());
  EXPECT_THAT(CheckPrimary(With("no-appendfsync-on-rewrite", "yes"), kRelaxed), IsOk());
  EXPECT_THAT(CheckPrimary(With("min-replicas-to-write", "0"), kStrict0), IsOk());
  EXPECT_THAT(CheckPrimary(With("min-replicas-to-write", "3"), kStrict2), IsOk());
  EXPECT_THAT(CheckPrimary(Saying("redis_version", "8.2"), kStrict2), IsOk());
}

TEST(SetupCheckTest, EachWrongSettingIsNamedWithItsValueAndWhatItMustBe) {
  const struct {
    const char* setting;
    const char* value;
    SetupWanted wanted;
    const char* why;
  } cases[] = {
      {"appendonly", "no", kStrict0, "appendonly is no, must be yes (profile=strict)"},
      {"appendonly", "no", kRelaxed, "appendonly is no, must be yes (profile=relaxed)"},
      {"appendfsync", "everysec", kStrict0, "appendfsync is everysec, must be always (profile=s"},
      {"appendfsync", "no", kRelaxed, "appendfsync is no, must be always or everysec (profile=r"},
      {"no-appendfsync-on-rewrite", "yes", kStrict0,
       "no-appendfsync-on-rewrite is yes, must be no"},
      {"maxmemory-policy", "allkeys-lru", kStrict0, "maxmemory-policy is allkeys-lru, must be noe"},
      {"maxmemory-policy", "volatile-ttl", kRelaxed, "maxmemory-policy is volatile-ttl, must be"},
      {"min-replicas-to-write", "0", kStrict2, "min-replicas-to-write is 0, must be 2 or more"},
      {"min-replicas-to-write", "1", kStrict2, "min-replicas-to-write is 1, must be 2 or more"},
      {"min-replicas-max-lag", "10", kStrict2, "min-replicas-max-lag is 10, must be 1 to 2"},
      {"min-replicas-max-lag", "0", kStrict2, "min-replicas-max-lag is 0, must be 1 to 2"},
  };
  for (const auto& each : cases) {
    const RedisFacts primary = With(each.setting, each.value);
    ExpectFault(CheckPrimary(primary, each.wanted), absl::StatusCode::kFailedPrecondition,
                each.why);
    RedisFacts replica = primary;
    replica.info["role"] = "slave";
    ExpectFault(CheckReplica(replica, each.wanted), absl::StatusCode::kFailedPrecondition,
                each.why);
  }
}

TEST(SetupCheckTest, OneThatIsNeverPromotedStandsInForNone) {
  EXPECT_TRUE(MayBePromoted(Saying("slave_priority", "100")));
  EXPECT_FALSE(MayBePromoted(Saying("slave_priority", "0")));
  EXPECT_THAT(CheckPromotable(2, kStrict2), IsOk());
  EXPECT_THAT(CheckPromotable(0, kRelaxed), IsOk());
  const absl::Status fewer = CheckPromotable(1, kStrict2);
  EXPECT_EQ(fewer.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(fewer.message()),
              HasSubstr("1 replicas that may be promoted are online, must be 2"));
}

TEST(SetupCheckTest, EachWrongKindOfServerIsSaid) {
  const auto wrong = absl::StatusCode::kFailedPrecondition;
  const auto passing = absl::StatusCode::kUnavailable;
  const struct {
    const char* field;
    const char* value;
    absl::StatusCode code;
    const char* why;
  } cases[] = {
      {"redis_version", "6.2.14", wrong, "its version is 6.2.14, must be 7 or newer"},
      {"redis_version", "", wrong, "does not say its version"},
      {"redis_mode", "cluster", wrong, "is part of a Redis Cluster, which is not supported"},
      {"redis_mode", "sentinel", wrong, "is a sentinel: the address needs sentinel=NAME"},
      {"role", "slave", wrong, "its role is slave, must be master"},
      {"aof_enabled", "0", wrong, "aof_enabled is 0, must be 1"},
      {"loading", "1", passing, "is loading"},
      {"aof_last_write_status", "err", passing, "cannot write its append-only file"},
      {"slave1", "ip=h,port=1,state=wait_bgsave", passing, "has 1 replicas online, must have 2"},
      {"connected_slaves", "0", passing, "has 0 replicas online, must have 2"},
  };
  for (const auto& each : cases) {
    ExpectFault(CheckPrimary(Saying(each.field, each.value), kStrict2), each.code, each.why);
  }
  ExpectFault(CheckReplica(Good(), kStrict2), passing, "its role is master");
}

TEST(SetupCheckTest, SettingsThatMayNotBeAskedForAreSaid) {
  RedisFacts server = Good();
  server.config.clear();
  ExpectFault(CheckPrimary(server, kStrict0), absl::StatusCode::kFailedPrecondition,
              "the user may not ask for its settings");
  for (const char* name : kRedisSettings) {
    server = Good();
    server.config.erase(name);
    ExpectFault(CheckPrimary(server, kStrict2), absl::StatusCode::kFailedPrecondition,
                absl::StrCat("does not say its setting ", name));
  }
}

TEST(SetupCheckTest, ReadsWhereThePrimarysReplicasAre) {
  const std::vector<ReplicaLine> replicas = ReplicasOf(Good());
  ASSERT_THAT(replicas, SizeIs(2));
  EXPECT_EQ(replicas[0].address, (RedisAddress{"10.0.0.2", 6379}));
  EXPECT_TRUE(replicas[0].online);
  EXPECT_EQ(replicas[1].address, (RedisAddress{"::1", 6380}));
  EXPECT_THAT(ReplicasOf(Saying("connected_slaves", "0")), IsEmpty());
  EXPECT_THAT(ReplicasOf(RedisFacts()), IsEmpty());
}

TEST(RewriteWatchTest, TheRewriteThatIsFoundAtConnectIsWaitedOut) {
  for (const char* rewriting : {"aof_rewrite_in_progress", "aof_rewrite_scheduled"}) {
    RewriteWatch watch;
    const RedisFacts busy = Saying(rewriting, "1");
    ExpectFault(watch.Look(busy), absl::StatusCode::kUnavailable, "for the first time");
    ExpectFault(watch.Look(busy), absl::StatusCode::kUnavailable, "for the first time");
    EXPECT_THAT(watch.Look(Good()), IsOk());
    EXPECT_THAT(watch.Look(busy), IsOk()) << "an ordinary one";
  }
}

// Redis tries a rewrite that failed again; between two tries none is in progress.
TEST(RewriteWatchTest, AFirstRewriteThatFailedIsNotOver) {
  RewriteWatch watch;
  const RedisFacts failed = Saying("aof_last_bgrewrite_status", "err");
  ExpectFault(watch.Look(failed), absl::StatusCode::kUnavailable, "for the first time");
  EXPECT_THAT(watch.Look(Good()), IsOk());
  EXPECT_THAT(watch.Look(failed), IsOk());
}

TEST(RewriteWatchTest, ARestartAofOffAndASynchronisationBeginAnew) {
  const RedisFacts busy = Saying("aof_rewrite_in_progress", "1");
  const struct {
    const char* field;
    const char* value;
  } passes[] = {{"aof_enabled", "0"},
                {"loading", "1"},
                {"master_sync_in_progress", "1"},
                {"master_link_status", "down"}};
  for (const auto& each : passes) {
    RewriteWatch watch;
    EXPECT_THAT(watch.Look(Good()), IsOk());
    EXPECT_EQ(watch.Look(Saying(each.field, each.value)).code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(watch.Look(busy).code(), absl::StatusCode::kUnavailable) << each.field;
    EXPECT_THAT(watch.Look(Good()), IsOk());
  }
  RewriteWatch watch;
  EXPECT_THAT(watch.Look(Good()), IsOk());
  RedisFacts restarted = busy;
  restarted.info["run_id"] = "r2";
  EXPECT_EQ(watch.Look(restarted).code(), absl::StatusCode::kUnavailable);
}

// A small full synchronisation begins and ends between two looks.
TEST(RewriteWatchTest, ASynchronisationThatNobodySawIsToldByThePrimarysCount) {
  RewriteWatch watch;
  const RedisFacts busy = Saying("aof_rewrite_in_progress", "1");
  const std::string before = SyncsOf(Good());
  const std::string after = SyncsOf(Saying("sync_full", "3"));
  EXPECT_NE(before, after);
  EXPECT_THAT(watch.Look(Good(), before), IsOk());
  EXPECT_THAT(watch.Look(busy, before), IsOk());
  EXPECT_EQ(watch.Look(busy, after).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(watch.Look(Good(), after), IsOk());
  EXPECT_THAT(watch.Look(busy, after), IsOk());
}

}  // namespace
}  // namespace seatlock::log
