// Which primary the log goes to when Sentinels differ: real Redis servers, and Sentinels that say
// what the test wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "services/seatlock/log/redis/redis_log.h"
#include "tests/testing/fake_redis.h"
#include "tests/testing/redis_log_fixture.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

using testing::FakeRedis;
using ::testing::HasSubstr;
using testing::RedisServer;
using testing::SentinelThatNames;
using testing::StatusIs;

class FinderTest : public testing::RedisLogFixture {
 protected:
  FinderTest() {
    Install();
    Install(other_);
  }

  RedisOptions Asking(const std::vector<uint16_t>& sentinels) {
    RedisOptions options = Options();
    options.addresses.clear();
    for (const uint16_t port : sentinels) options.addresses.push_back({"127.0.0.1", port});
    options.sentinel = "seats";
    return options;
  }
  // Whether `log` is served by `redis`.
  static bool IsOf(const RedisLog& log, const RedisServer& redis) {
    return log.Healthy() &&
           redis.Info("master_replid").rfind(log.Generation().substr(0, 16), 0) == 0;
  }

  RedisServer& old_ = server();
  RedisServer other_;
};

TEST_F(FinderTest, AStaleSentinelDoesNotWinOverANewerOneWhereverItStands) {
  FakeRedis stale({.answer = SentinelThatNames(old_.port(), 1)});
  FakeRedis fresh({.answer = SentinelThatNames(other_.port(), 2)});
  // Control: alone, the stale one is believed.
  EXPECT_TRUE(IsOf(*MustOpen(Asking({stale.port()})), old_));
  EXPECT_TRUE(IsOf(*MustOpen(Asking({stale.port(), fresh.port()})), other_));
  EXPECT_TRUE(IsOf(*MustOpen(Asking({fresh.port(), stale.port()})), other_));
}

TEST_F(FinderTest, SentinelsThatAreAwayOrSaySomethingElseHinderNobody) {
  FakeRedis silent({});
  FakeRedis closing({.closes_at_once = true});
  FakeRedis web({.says = "HTTP/1.1 400 Bad Request\r\n\r\n"});
  FakeRedis fresh({.answer = SentinelThatNames(other_.port(), 2)});
  const std::unique_ptr<RedisLog> log =
      MustOpen(Asking({silent.port(), closing.port(), web.port(), old_.port(), fresh.port()}));
  EXPECT_TRUE(IsOf(*log, other_));
  EXPECT_TRUE(Errors().empty());
}

TEST_F(FinderTest, APrimaryOfAnOlderFailoverThanTheOneThatWasServedIsNotGoneTo) {
  std::atomic<bool> turned_back{false};
  std::atomic<uint64_t> epoch{2};
  FakeRedis sentinel({.answer = [&](const std::vector<std::string>& words) {
    return SentinelThatNames(turned_back ? old_.port() : other_.port(), epoch)(words);
  }});
  const std::unique_ptr<RedisLog> log = MustOpen(Asking({sentinel.port()}));
  ASSERT_TRUE(IsOf(*log, other_));
  epoch = 1;
  turned_back = true;
  other_.Kill();
  ASSERT_TRUE(Comes(
      [&] { return log->WhyUnhealthy().find("older than failover 2") != std::string::npos; }));
  EXPECT_FALSE(log->Healthy());
  // The same primary is gone back to, whatever the number.
  turned_back = false;
  other_.Start();
  ASSERT_TRUE(AwaitHealthy(*log));
  EXPECT_TRUE(IsOf(*log, other_));
  // Control: a newer failover is followed.
  epoch = 3;
  turned_back = true;
  other_.Kill();
  ASSERT_TRUE(Comes([&] { return IsOf(*log, old_); }));
}

TEST_F(FinderTest, SentinelsThatAreSetUpWronglyAreOneLineAtStart) {
  FakeRedis nameless({.answer = [](const std::vector<std::string>& words) {
    return words[0] == "PING" ? testing::RespText("PONG") : "*-1\r\n";
  }});
  FakeRedis mail({.says = "220 mail.example ESMTP\r\n"});
  const struct {
    uint16_t port;
    std::string why;
  } cases[] = {{nameless.port(), "knows no primary that is called seats"},
               {old_.port(), "is no sentinel"},
               {mail.port(), "does not speak Redis's protocol"}};
  for (const auto& each : cases) {
    const absl::Status wrong = RedisLog::Open(Asking({each.port})).status();
    EXPECT_THAT(wrong, StatusIs(absl::StatusCode::kFailedPrecondition)) << each.why;
    EXPECT_THAT(std::string(wrong.message()), HasSubstr(each.why));
    EXPECT_THAT(std::string(wrong.message()),
                HasSubstr("sentinel 127.0.0.1:" + std::to_string(each.port)));
  }
}

}  // namespace
}  // namespace seatlock::log
