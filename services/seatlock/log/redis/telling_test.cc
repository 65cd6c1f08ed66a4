#include "services/seatlock/log/redis/telling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Status kAway = absl::UnavailableError("away");

TEST(OutageTest, ItsBeginAndItsEndAreToldOnceAndInThisOrder) {
  Outage outage;
  outage.Served(0);
  EXPECT_FALSE(outage.Tick(kRedisSteadyMs)) << "a first start is no return";
  EXPECT_TRUE(outage.Failed(kAway));
  EXPECT_FALSE(outage.Failed(kAway));
  EXPECT_FALSE(outage.Tick(10'000));
  outage.Served(10'000);
  EXPECT_FALSE(outage.Tick(10'000 + kRedisSteadyMs - 1));
  EXPECT_TRUE(outage.Tick(10'000 + kRedisSteadyMs));
  EXPECT_FALSE(outage.Tick(20'000));
  EXPECT_TRUE(outage.Failed(kAway)) << "the next one";
}

TEST(OutageTest, AStoreThatComesAndGoesIsOneOutage) {
  Outage outage;
  outage.Served(0);
  EXPECT_TRUE(outage.Failed(kAway));
  for (int64_t now_ms = 1000; now_ms < 100'000; now_ms += 1000) {
    outage.Served(now_ms);
    EXPECT_FALSE(outage.Tick(now_ms + 900));
    EXPECT_FALSE(outage.Failed(kAway));
  }
}

TEST(OutageTest, AnotherReasonIsToldAndTheSamePeerIsTheSameReason) {
  Outage outage;
  EXPECT_TRUE(outage.Failed(Unreachable("redis a:1", "Connection refused")));
  EXPECT_FALSE(outage.Failed(Unreachable("redis a:1", "no answer")));
  EXPECT_TRUE(outage.Failed(Unreachable("redis b:1", "Connection refused")));
  EXPECT_TRUE(outage.Failed(absl::UnavailableError("no marker")));
}

TEST(OutageTest, ReasonsThatNeverEndAreToldABoundedNumberOfTimes) {
  Outage outage;
  size_t told = 0;
  for (int i = 0; i < 1000; ++i) told += outage.Failed(absl::UnavailableError(absl::StrCat(i)));
  EXPECT_EQ(told, kRedisReasonsToldMax);
}

TEST(ForOperatorsTest, ALineIsBoundedAndHoldsNoPassword) {
  const std::string echo = "ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n";
  EXPECT_THAT(ForOperators(echo, ""), HasSubstr("hunter2"));  // control
  EXPECT_THAT(ForOperators(echo, "hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(ForOperators(echo, "hunter2"), Not(HasSubstr("\n")));
  // Redis repeats no more than 128 bytes of what it was sent.
  const std::string secret(200, 's');
  const std::string cut =
      "ERR unknown command 'AUTH', with args beginning with: '" + secret.substr(0, 128) + "' ";
  EXPECT_EQ(ForOperators(cut, secret), "ERR unknown command 'AUTH'");
  EXPECT_EQ(ForOperators(std::string(10'000, 'x'), "").size(), kRedisReasonBytesMax);
  // A cut does not show half of it.
  const std::string long_echo = std::string(kRedisReasonBytesMax - 5, 'x') + "hunter2";
  EXPECT_THAT(ForOperators(long_echo, "hunter2"), Not(HasSubstr("hu")));
}

}  // namespace
}  // namespace seatlock::log
