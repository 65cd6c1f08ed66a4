// What a real seatlockd says of a Redis that it cannot serve from: in its log, once, and in
// /readyz.
#include <gmock/gmock.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/looks.h"
#include "tests/integration/redis_programs.h"
#include "tests/integration/test_server.h"
#include "tests/testing/fake_redis.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The lines about whether the store is served.
std::vector<std::string> StoreLines(TestServer& server) {
  std::vector<std::string> lines;
  for (std::string& line : server.process().StderrLines()) {
    if (absl::StrContains(line, "the store is")) lines.push_back(std::move(line));
  }
  return lines;
}

auto IsLine(const std::string& level, const std::string& message) {
  return ::testing::AllOf(HasSubstr(absl::StrCat("\"level\":\"", level, "\"")), HasSubstr(message));
}

TEST(RedisWordsTest, AnOutageIsOneErrorLineAndThenOneInfoLine) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_THAT(StoreLines(server), ElementsAre()) << "a start that finds all well says nothing";

  redis.Kill();
  ASSERT_TRUE(SaysWhy(server, absl::StrCat("127.0.0.1:", redis.port(), ": Connection refused")));
  redis.Start();
  ASSERT_THAT(server.process().WaitForText("the store is served again", kStartTimeout), IsOk());
  redis.Pause();
  ASSERT_TRUE(SaysWhy(server, "no answer for"));
  redis.Continue();
  EXPECT_TRUE(Eventually([&] { return LinesWith(server, "served again") == 2; }));
  const auto begins = IsLine("error", "the store is not served");
  const auto ends = IsLine("info", "the store is served again");
  EXPECT_THAT(StoreLines(server), ElementsAre(begins, ends, begins, ends));
}

TEST(RedisWordsTest, AtAFirstStartThereIsNoAgain) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  redis.Stop();
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(SaysWhy(server, "Connection refused"));
  redis.Start();
  ASSERT_THAT(server.process().WaitForText("the store is served", kStartTimeout), IsOk());
  EXPECT_THAT(StoreLines(server),
              ElementsAre(IsLine("error", "the store is not served"),
                          ::testing::AllOf(IsLine("info", "the store is served"),
                                           Not(HasSubstr("again")))));
}

// The first of two addresses is away: the store is served all the same when the server is there.
TEST(RedisWordsTest, AnAddressThatIsAwayAtStartIsNoStoreThatIsNotServed) {
  RedisServer away;
  RedisServer redis;
  away.Stop();
  TestServer server({}, absl::StrCat("redis://127.0.0.1:", away.port(), ",127.0.0.1:", redis.port(),
                                     "?profile=relaxed"));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  EXPECT_EQ(LinesWith(server, "\"level\":\"error\""), 0);
  EXPECT_TRUE(Eventually([&] { return LinesWith(server, "could not be served at first") == 1; }));
  ASSERT_THAT(server.process().WaitForText("the store is served", kStartTimeout), IsOk());
  // What comes later is said as ever.
  redis.Kill();
  ASSERT_TRUE(SaysWhy(server, "Connection refused"));
  redis.Start();
  ASSERT_THAT(server.process().WaitForText("the store is served again", kStartTimeout), IsOk());
}

TEST(RedisWordsTest, ReadyzAndOneLineSayWhyItIsNotServed) {
  RedisServer redis;
  ASSERT_EQ(Store({"init"}, UrlOf(redis)).code, 0);
  const std::string marker_id = redis.Run({"HGET", kMarker, "id"});
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));

  const struct {
    std::vector<std::string> fault;
    std::vector<std::string> mended;
    std::string why;
  } cases[] = {
      {{"HSET", kMarker, "counter", "0"},
       {"HSET", kMarker, "id", "0123456789abcdef"},
       "the store has lost what was confirmed"},
      {{"HDEL", kMarker, "id"}, {"HSET", kMarker, "id", marker_id}, "no installation marker"},
      {{"EVAL", "redis.call('HDEL', KEYS[1], 'id') redis.call('HSET', KEYS[1], 'restoring', '1')",
        "1", kMarker},
       {"EVAL",
        "redis.call('HDEL', KEYS[1], 'restoring') redis.call('HSET', KEYS[1], 'id', ARGV[1])", "1",
        kMarker, marker_id},
       "a restore into the store is under way"},
      {{"CONFIG", "SET", "appendfsync", "everysec"},
       {"CONFIG", "SET", "appendfsync", "always"},
       "appendfsync is everysec, must be always"},
      {{"CONFIG", "SET", "min-replicas-to-write", "1"},
       {"CONFIG", "SET", "min-replicas-to-write", "0"},
       "NOREPLICAS"},
      {{"REPLICAOF", "127.0.0.1", "1"}, {"REPLICAOF", "NO", "ONE"}, "its role is slave"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.why);
    redis.Run(each.fault);
    ASSERT_TRUE(SaysWhy(server, each.why));
    redis.Run(each.mended);
    ASSERT_TRUE(BecomesReady(server));
    EXPECT_TRUE(Eventually([&] { return LinesWith(server, each.why) == 1; }));
  }
}

TEST(RedisWordsTest, AReplicaThatIsAwayIsNamedInReadyz) {
  RedisServer redis({.settings = {{"min-replicas-to-write", "1"}, {"min-replicas-max-lag", "2"}}});
  RedisServer replica({.settings = {{"min-replicas-to-write", "1"}, {"min-replicas-max-lag", "2"}},
                       .replica_of = redis.port()});
  ASSERT_TRUE(redis.AwaitInfo("min_slaves_good_slaves", "1"));
  ASSERT_EQ(Store({"init"}, UrlOf(redis, "?replicas=1")).code, 0);
  TestServer server({}, UrlOf(redis, "?replicas=1"));
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  replica.Kill();
  ASSERT_TRUE(SaysWhy(server, "has 0 replicas online, must have 1"));
  EXPECT_TRUE(Eventually([&] { return LinesWith(server, "\"level\":\"error\"") == 1; }));
  replica.Start();
  ASSERT_TRUE(BecomesReady(server));
}

// Of several addresses all but one should be replicas: that is no reason.
TEST(RedisWordsTest, WhereThePrimaryIsAwayItsReplicaIsNotTheReason) {
  const std::vector<std::vector<std::string>> settings = {{"min-replicas-to-write", "1"},
                                                          {"min-replicas-max-lag", "2"}};
  RedisServer redis({.settings = settings});
  RedisServer replica({.settings = settings, .replica_of = redis.port()});
  ASSERT_TRUE(redis.AwaitInfo("min_slaves_good_slaves", "1"));
  const std::string store = absl::StrCat("redis://127.0.0.1:", redis.port(),
                                         ",127.0.0.1:", replica.port(), "?replicas=1");
  ASSERT_EQ(Store({"init"}, store).code, 0);
  TestServer server({}, store);
  ASSERT_THAT(server.Start(), IsOk());
  ASSERT_TRUE(BecomesReady(server));
  redis.Kill();
  ASSERT_TRUE(SaysWhy(server, absl::StrCat("127.0.0.1:", redis.port(), ": Connection refused")));
  EXPECT_EQ(LinesWith(server, "is a replica"), 0);
  // Control: if all are replicas, that is said.
  redis.Start();
  redis.Run({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_TRUE(SaysWhy(server, "is a replica, not the primary, and so are all addresses"));
}

TEST(RedisWordsTest, AProfileThatMayLoseChangesIsSaidAtStart) {
  RedisServer redis;
  TestServer relaxed({}, UrlOf(redis, "?profile=relaxed"));
  ASSERT_THAT(relaxed.Start(), IsOk());
  EXPECT_TRUE(Eventually([&] {
    return LinesWith(relaxed, "profile=relaxed: a crash of Redis may lose the last second") == 1;
  }));
  TestServer strict({}, UrlOf(redis));
  ASSERT_THAT(strict.Start(), IsOk());
  EXPECT_EQ(LinesWith(strict, "may lose"), 0);
}

// Redis refuses writes, and our questions about rights are some.
TEST(RedisWordsTest, TooFewReplicasAreNotCalledAMissingRight) {
  RedisServer redis({.settings = {{"min-replicas-to-write", "1"}}});
  TestServer server({}, UrlOf(redis));
  ASSERT_THAT(server.Start(), IsOk());
  EXPECT_TRUE(SaysWhy(server, "cannot be written now: NOREPLICAS"));
  EXPECT_EQ(LinesWith(server, "right"), 0);
}

TEST(RedisWordsTest, AnotherProgramsPortIsCalledNoRedisAtStartAndByTools) {
  FakeRedis mail({.says = "220 mail.example ESMTP\r\n"});
  TestServer grpc({}, "memory:");
  ASSERT_THAT(grpc.Start(), IsOk());
  for (const std::string& address : {absl::StrCat("127.0.0.1:", mail.port()), grpc.address()}) {
    SCOPED_TRACE(address);
    const std::string said = absl::StrCat("redis ", address, ": does not speak Redis's protocol");
    const Ended server = RunSeatlockd(
        {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--store=redis://" + address});
    EXPECT_EQ(server.code, 1);
    EXPECT_THAT(server.err, ElementsAre(HasSubstr(said)));
    const Ended tool = Store({"verify"}, "redis://" + address);
    EXPECT_EQ(tool.code, 1);
    EXPECT_THAT(tool.err, ElementsAre(HasSubstr(said)));
  }
}

TEST(RedisWordsTest, APortThatSaysNothingOrClosesAtOnceIsNamedAndWaitedFor) {
  FakeRedis silent({});
  FakeRedis closing({.closes_at_once = true});
  TestServer http({}, "memory:");
  ASSERT_THAT(http.Start(), IsOk());
  const struct {
    std::string address;
    std::string why;
  } cases[] = {{absl::StrCat("127.0.0.1:", silent.port()), "takes connections and gives no answer"},
               {absl::StrCat("127.0.0.1:", closing.port()), "closes connections without an answer"},
               {http.admin_address(), "closes connections without an answer"}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.why);
    const std::string store = "redis://" + each.address;
    TestServer server({}, store);
    ASSERT_THAT(server.Start(), IsOk());
    EXPECT_TRUE(SaysWhy(server, each.why));
    EXPECT_TRUE(SaysWhy(server, each.address));
    EXPECT_THAT(StoreLines(server), ElementsAre(IsLine("error", each.why)));
    if (each.address == cases[0].address) continue;  // a tool waits longer than this test should
    const Ended tool = Store({"verify"}, store);
    EXPECT_EQ(tool.code, 1);
    EXPECT_THAT(tool.err, ElementsAre(HasSubstr(absl::StrCat("redis ", each.address, ": closes"))));
  }
}

// Redis repeats the arguments of a command that it does not know.
TEST(RedisWordsTest, APasswordThatRedisRepeatsIsNotSaid) {
  RedisServer redis({.settings = {{"rename-command", "AUTH", "LOGIN"}}});
  EXPECT_THAT(redis.Run({"AUTH", "hunter2"}), HasSubstr("hunter2")) << "control";
  const TestServer::Env env = {{"SEATLOCK_REDIS_PASSWORD", "hunter2"}};
  const Ended server = RunSeatlockd(
      {"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--store=" + UrlOf(redis)}, env);
  EXPECT_EQ(server.code, 1);
  EXPECT_THAT(server.err, ElementsAre(::testing::AllOf(HasSubstr("unknown command 'AUTH'"),
                                                       Not(HasSubstr("hunter2")))));
  const Ended tool = RunSeatlockd({"store", "verify", "--store=" + UrlOf(redis)}, env);
  EXPECT_EQ(tool.code, 1);
  EXPECT_THAT(tool.err, ElementsAre(::testing::AllOf(HasSubstr("unknown command 'AUTH'"),
                                                     Not(HasSubstr("hunter2")))));
}

}  // namespace
}  // namespace seatlock::testing
