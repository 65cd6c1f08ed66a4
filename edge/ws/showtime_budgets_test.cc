#include "edge/ws/showtime_budgets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

AddressKey Address(uint64_t number) {
  return {AddressKey::Kind::kV4, number};
}

// Takes all that there is; how many.
int64_t TakeAll(ShowtimeBudgets& budgets, const AddressKey& address, int64_t now_ms) {
  int64_t taken = 0;
  while (budgets.Take(address, now_ms) == 0) ++taken;
  return taken;
}

TEST(ShowtimeBudgetsTest, AnAddressHasABurstAndThenAHundredthOfItASecond) {
  ShowtimeBudgets budgets(2'000);
  EXPECT_EQ(TakeAll(budgets, Address(1), 0), 2'000);
  EXPECT_EQ(budgets.Take(Address(1), 0), kRetryTurnMsMin);
  EXPECT_EQ(TakeAll(budgets, Address(1), kSecondMs), 20);
  EXPECT_EQ(TakeAll(budgets, Address(1), 1'000 * kSecondMs), 2'000);
}

TEST(ShowtimeBudgetsTest, ASmallBurstComesBackJustAsSlowly) {
  ShowtimeBudgets budgets(1);
  EXPECT_EQ(budgets.Take(Address(1), 0), 0);
  EXPECT_EQ(budgets.Take(Address(1), 0), 100 * kSecondMs);
  EXPECT_EQ(budgets.Take(Address(1), 100 * kSecondMs), 0);
}

// One token comes back each 50 ms.
TEST(ShowtimeBudgetsTest, EachThatIsRefusedIsToldTheTimeOfATokenOfItsOwn) {
  ShowtimeBudgets budgets(2'000);
  TakeAll(budgets, Address(1), 0);  // The last one of these was refused, and told 50 ms.
  for (int64_t nth = 2; nth <= 1'500; ++nth) {
    EXPECT_EQ(budgets.Take(Address(1), 0), std::clamp(nth * 50, kRetryTurnMsMin, kRetryTurnMsMax))
        << nth;
  }
  // Another address has its own turns, and those of this one are over with their time.
  TakeAll(budgets, Address(2), 0);
  EXPECT_EQ(budgets.Take(Address(2), 0), kRetryTurnMsMin);
  TakeAll(budgets, Address(1), 100 * kSecondMs);
  EXPECT_EQ(budgets.Take(Address(1), 100 * kSecondMs), kRetryTurnMsMin);
}

TEST(ShowtimeBudgetsTest, WhatIsGivenBackMayBeTakenAgainAndNeverMakesMoreThanABurst) {
  ShowtimeBudgets budgets(4);
  budgets.GiveBack(Address(1));
  EXPECT_EQ(TakeAll(budgets, Address(1), 0), 4);
  budgets.GiveBack(Address(1));
  budgets.GiveBack({});
  EXPECT_EQ(TakeAll(budgets, Address(1), 0), 1);
  for (int i = 0; i < 10; ++i) budgets.GiveBack(Address(1));
  EXPECT_EQ(TakeAll(budgets, Address(1), 0), 4);
}

TEST(ShowtimeBudgetsTest, OneAddressTakesNothingFromAnother) {
  ShowtimeBudgets budgets(4);
  EXPECT_EQ(TakeAll(budgets, Address(1), 0), 4);
  EXPECT_EQ(TakeAll(budgets, Address(2), 0), 4);
}

TEST(ShowtimeBudgetsTest, OffItCountsNobodyAndOnNobodyWithoutAnAddress) {
  ShowtimeBudgets off(0);
  ShowtimeBudgets on(1);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(off.Take(Address(1), 0), 0);
    EXPECT_EQ(on.Take({}, 0), 0);
  }
  EXPECT_EQ(off.addresses() + on.addresses(), 0U);
}

TEST(ShowtimeBudgetsTest, AFullBucketIsForgotten) {
  ShowtimeBudgets budgets(2'000);
  for (uint64_t i = 0; i < 1'000; ++i) budgets.Take(Address(i), 0);
  EXPECT_EQ(budgets.addresses(), 1'000U);
  // Each came back to its burst within 50 ms.
  for (uint64_t i = 0; i < 1'000; ++i) budgets.Take(Address(5'000 + i), kSecondMs);
  EXPECT_EQ(budgets.addresses(), 1'000U);
}

TEST(ShowtimeBudgetsTest, ManyAddressesTakeBoundedMemoryAndTheOneThatIsBusyIsNotForgotten) {
  ShowtimeBudgets budgets(1);
  EXPECT_EQ(budgets.Take(Address(0), 0), 0);
  for (uint64_t i = 1; i < 2 * kShowtimeBudgetsMax; ++i) {
    EXPECT_EQ(budgets.Take(Address(i), 0), 0);
    if (i % 1'000 == 0) {
      EXPECT_NE(budgets.Take(Address(0), 0), 0);
    }
  }
  EXPECT_EQ(budgets.addresses(), kShowtimeBudgetsMax);
}

}  // namespace
}  // namespace seatlock::edge
