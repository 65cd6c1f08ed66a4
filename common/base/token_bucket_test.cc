#include "common/base/token_bucket.h"

#include <gtest/gtest.h>

namespace seatlock::base {
namespace {

constexpr int64_t kNowMs = 1'000'000;

TEST(TokenBucketTest, GivesItsBurstAtOnceAndThenSaysHowLongToWait) {
  constexpr TokenRate kRate{.burst = 3, .per_second = 2};
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.Take(kRate, kNowMs), 0);
  EXPECT_EQ(bucket.Take(kRate, kNowMs), 500);
  EXPECT_EQ(bucket.Take(kRate, kNowMs + 499), 1);
  EXPECT_EQ(bucket.Take(kRate, kNowMs + 500), 0);
  EXPECT_EQ(bucket.Take(kRate, kNowMs + 500), 500);
}

TEST(TokenBucketTest, ARefusalTakesNothing) {
  constexpr TokenRate kRate{.burst = 1, .per_second = 1};
  TokenBucket bucket;
  bucket.Take(kRate, kNowMs);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(bucket.Take(kRate, kNowMs), 1000);
  EXPECT_EQ(bucket.Take(kRate, kNowMs + 1000), 0);
}

TEST(TokenBucketTest, NeverHoldsMoreThanItsBurstHoweverLongItRests) {
  constexpr TokenRate kRate{.burst = 2, .per_second = 1000};
  TokenBucket bucket;
  bucket.Take(kRate, kNowMs);
  const int64_t later_ms = kNowMs + 86'400'000;
  EXPECT_TRUE(bucket.Full(later_ms));
  EXPECT_EQ(bucket.Take(kRate, later_ms), 0);
  EXPECT_EQ(bucket.Take(kRate, later_ms), 0);
  EXPECT_EQ(bucket.Take(kRate, later_ms), 1);
}

TEST(TokenBucketTest, WhatIsGivenBackMayBeTakenAgainAndNeverMakesMoreThanABurst) {
  constexpr TokenRate kRate{.burst = 2, .per_second = 3};  // A token is no whole number of us.
  TokenBucket bucket;
  bucket.GiveBack(kRate);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(bucket.Take(kRate, kNowMs, 2), 0) << i;
    EXPECT_GT(bucket.Take(kRate, kNowMs), 0) << i;
    bucket.GiveBack(kRate, i % 2 == 0 ? 2 : 100);
  }
}

TEST(TokenBucketTest, IsFullAgainWhenAllCameBack) {
  constexpr TokenRate kRate{.burst = 4, .per_second = 4};
  TokenBucket bucket;
  EXPECT_TRUE(bucket.Full(kNowMs));
  bucket.Take(kRate, kNowMs, 2);
  EXPECT_FALSE(bucket.Full(kNowMs + 499));
  EXPECT_TRUE(bucket.Full(kNowMs + 500));
}

TEST(TokenBucketTest, WhatIsChargedIsOwedAndComesBackBeforeAnythingIsGiven) {
  constexpr TokenRate kRate{.burst = 100, .per_second = 100};
  TokenBucket bucket;
  bucket.Charge(kRate, kNowMs, 250);
  EXPECT_EQ(bucket.WaitMs(kRate, kNowMs, 0), 1500);
  EXPECT_EQ(bucket.Take(kRate, kNowMs), 1510);
  EXPECT_EQ(bucket.WaitMs(kRate, kNowMs + 1500, 0), 0);
  EXPECT_EQ(bucket.Take(kRate, kNowMs + 1510), 0);
}

TEST(TokenBucketTest, ARateThatDoesNotDivideASecondGivesNoMoreThanItSays) {
  constexpr TokenRate kRate{.burst = 1, .per_second = 7};
  TokenBucket bucket;
  int64_t given = 0;
  for (int64_t ms = 0; ms < 10'000; ++ms) given += bucket.Take(kRate, kNowMs + ms) == 0 ? 1 : 0;
  EXPECT_LE(given, 71);
  EXPECT_GE(given, 68);
}

}  // namespace
}  // namespace seatlock::base
