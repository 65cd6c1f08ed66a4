// Sentinels and Redis servers are real processes.
#include "services/seatlock/log/redis/sentinel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/redis_process_for_test.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::HasSubstr;

std::unique_ptr<RedisProcess> StartReplica(const RedisProcess& primary) {
  return StartRedis(
      absl::StrCat("replicaof 127.0.0.1 ", primary.address().port, "\nrepl-diskless-sync-delay 0"));
}
std::unique_ptr<RedisProcess> StartSentinel(const RedisProcess& primary,
                                            const std::string& more = "") {
  return std::make_unique<RedisProcess>(
      "/usr/bin/redis-sentinel",
      absl::StrCat("sentinel monitor seats 127.0.0.1 ", primary.address().port, " 1\n",
                   "sentinel down-after-milliseconds seats 500\n",
                   "sentinel failover-timeout seats 5000\n", more));
}

class SentinelTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  // Waits until `primary` has a replica that can be promoted, and `sentinel` knows it.
  static void AwaitReplica(const RedisProcess& sentinel) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < give_up) {
      const absl::StatusOr<RedisReply> replicas =
          sentinel.Command({"SENTINEL", "REPLICAS", "seats"});
      if (replicas.ok() && !replicas->elements.empty()) {
        const std::vector<std::string> texts = replicas->elements[0].Texts();
        for (size_t i = 0; i + 1 < texts.size(); i += 2) {
          if (texts[i] == "master-link-status" && texts[i + 1] == "ok") return;
        }
      }
      usleep(20'000);  // nothing tells a client of Sentinel when it knows
    }
    FAIL() << "the sentinel has found no replica";
  }

  static SentinelOptions Options(std::vector<RedisAddress> sentinels) {
    SentinelOptions options;
    options.sentinels = std::move(sentinels);
    options.name = "seats";
    options.timeout_ms = 5000;
    return options;
  }
};

TEST_F(SentinelTest, NamesThePrimaryAlsoIfOthersAreAway) {
  const auto primary = StartRedis();
  const auto sentinel = StartSentinel(*primary);
  const RedisAddress nobody{"127.0.0.1", FreePort()};
  const auto named = AskSentinels(Options({nobody, sentinel->address()}));
  ASSERT_THAT(named, IsOk());
  EXPECT_EQ(*named, primary->address());
}

TEST_F(SentinelTest, WhatIsSetUpWronglyIsSaidInOneLine) {
  const auto primary = StartRedis();
  const auto sentinel = StartSentinel(*primary);
  const auto locked = StartSentinel(*primary, "requirepass hunter2\n");
  const auto wrong = absl::StatusCode::kFailedPrecondition;
  SentinelOptions options = Options({sentinel->address()});
  options.name = "films";
  const struct {
    SentinelOptions options;
    absl::StatusCode code;
    std::string why;
  } cases[] = {
      {options, wrong, "knows no primary that is called films"},
      {Options({primary->address()}), wrong, "is no sentinel"},
      {Options({locked->address()}), wrong, "NOAUTH"},
      {Options({{"127.0.0.1", FreePort()}}), absl::StatusCode::kUnavailable, "refused"},
      // What somebody has to mend is said rather than what may pass.
      {Options({{"127.0.0.1", FreePort()}, primary->address()}), wrong, "is no sentinel"},
  };
  for (const auto& each : cases) {
    const auto named = AskSentinels(each.options);
    EXPECT_EQ(named.status().code(), each.code) << named.status();
    EXPECT_THAT(std::string(named.status().message()), HasSubstr(each.why));
    EXPECT_THAT(std::string(named.status().message()), HasSubstr("sentinel 127.0.0.1:"));
  }
  // A password that the Sentinel asks for and Redis does not.
  options = Options({locked->address()});
  options.password = "hunter2";
  EXPECT_THAT(AskSentinels(options), IsOk());
}

TEST_F(SentinelTest, WhomTheyNameMustCallItselfPrimary) {
  const auto primary = StartRedis();
  const auto sentinel = StartSentinel(*primary);
  primary->process().Kill();
  const auto away = AskSentinels(Options({sentinel->address()}));
  EXPECT_EQ(away.status().code(), absl::StatusCode::kUnavailable) << away.status();
  EXPECT_THAT(std::string(away.status().message()), HasSubstr("which the sentinels name"));

  const auto other = StartRedis();
  const auto replica = StartReplica(*other);
  // Names a replica for as long as it has not seen its role.
  const auto mistaken = StartSentinel(*replica);
  const auto named = AskSentinels(Options({mistaken->address()}));
  if (named.ok()) {
    EXPECT_EQ(*named, other->address()) << "the sentinel has seen the role meanwhile";
  } else {
    EXPECT_EQ(named.status().code(), absl::StatusCode::kUnavailable) << named.status();
  }
}

TEST_F(SentinelTest, TheOneThatKnowsTheNewestFailoverCountsWhereverItStands) {
  const auto before = StartRedis();
  const auto cut_off = StartSentinel(*before);
  const auto primary = StartRedis();
  const auto replica = StartReplica(*primary);
  const auto sentinel = StartSentinel(*primary);
  AwaitReplica(*sentinel);
  ASSERT_THAT(sentinel->Command({"SENTINEL", "FAILOVER", "seats"}), IsOk());
  ASSERT_THAT(
      sentinel->process().WaitForLine(
          [](const std::string& line) { return line.find("+switch-master") != std::string::npos; },
          kPatience),
      IsOk());
  // Control: alone, the one that was cut off is believed.
  EXPECT_EQ(*AskSentinels(Options({cut_off->address()})), before->address());
  EXPECT_EQ(*AskSentinels(Options({cut_off->address(), sentinel->address()})), replica->address());
}

}  // namespace
}  // namespace seatlock::log
