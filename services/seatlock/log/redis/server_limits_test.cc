#include "services/seatlock/log/redis/server_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/log/redis/redis_process_for_test.h"

namespace seatlock::log {
namespace {

using ::seatlock::testing::IsOk;
using ::testing::Optional;

TEST(ServerLimitsTest, TheOneThatStartsIsToldWhatTheLastOneHasIfItIsAnother) {
  const auto redis = StartRedis();
  const RedisOptions options = redis->options();
  EXPECT_EQ(*NoteServerLimits(options, "a", "seats=100", 1), std::nullopt);
  EXPECT_EQ(*NoteServerLimits(options, "b", "seats=100", 2), std::nullopt);
  EXPECT_THAT(*NoteServerLimits(options, "c", "seats=50", 3), Optional(std::string("seats=100")));
  // One after another they are changed: the first alone is told.
  EXPECT_EQ(*NoteServerLimits(options, "d", "seats=50", 4), std::nullopt);
  RedisOptions elsewhere = options;
  elsewhere.prefix = "other";
  EXPECT_EQ(*NoteServerLimits(elsewhere, "e", "seats=1", 5), std::nullopt);
}

TEST(ServerLimitsTest, OfTwoThatStartTogetherOneIsToldWhateverTheirOrder) {
  const auto redis = StartRedis();
  EXPECT_EQ(*NoteServerLimits(redis->options(), "b", "seats=1", 7), std::nullopt);
  EXPECT_THAT(*NoteServerLimits(redis->options(), "a", "seats=2", 7),
              Optional(std::string("seats=1")));
}

TEST(ServerLimitsTest, RemembersAFewStartsOnly) {
  const auto redis = StartRedis();
  for (int i = 0; i < 40; ++i) {
    ASSERT_THAT(NoteServerLimits(redis->options(), std::to_string(i), "seats=1", i), IsOk());
  }
  EXPECT_EQ(redis->Command({"HLEN", "{sl:meta}:servers"})->text, std::to_string(kServerStartsKept));
  EXPECT_EQ(redis->Command({"HEXISTS", "{sl:meta}:servers", "39"})->text, "1");
}

}  // namespace
}  // namespace seatlock::log
