#include "edge/fanout/retry_turns.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace seatlock::edge {
namespace {

constexpr int64_t kTokenMs = 500;
constexpr int64_t kNow = 7'000;

TEST(RetryTurnsTest, EachIsToldATokenLaterThanTheOneBefore) {
  RetryTurns turns;
  for (int64_t nth = 1; nth <= 100; ++nth) {
    EXPECT_EQ(turns.Next(kNow, kTokenMs, kTokenMs),
              std::clamp(nth * kTokenMs, kRetryTurnMsMin, kRetryTurnMsMax))
        << nth;
  }
}

TEST(RetryTurnsTest, TurnsThatAreOverCountNoMore) {
  RetryTurns turns;
  for (int i = 0; i < 100; ++i) turns.Next(kNow, kTokenMs, kTokenMs);
  const int64_t later = kNow + 80 * kTokenMs;
  EXPECT_EQ(turns.Next(later, kTokenMs, kTokenMs), 21 * kTokenMs);
  EXPECT_EQ(turns.Next(kNow + 10 * kRetryTurnMsMax, kTokenMs, kTokenMs), kRetryTurnMsMin);
}

TEST(RetryTurnsTest, ATokenThatIsFurtherAwayThanTheMostIsWaitedFor) {
  RetryTurns turns;
  EXPECT_EQ(turns.Next(kNow, 100 * kSecondMs, 100 * kSecondMs), 100 * kSecondMs);
  EXPECT_EQ(turns.Next(kNow, 100 * kSecondMs, 100 * kSecondMs), 100 * kSecondMs);
}

}  // namespace
}  // namespace seatlock::edge
