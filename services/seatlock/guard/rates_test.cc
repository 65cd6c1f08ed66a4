#include "services/seatlock/guard/rates.h"

#include <gtest/gtest.h>

#include <string>

#include "services/seatlock/guard/limits.h"
#include "tests/testing/fake_clock.h"

namespace seatlock::guard {
namespace {

class RatesTest : public ::testing::Test {
 protected:
  // A valid lock of so many seats, as the rpc layer asks.
  std::optional<Rates::Refused> Lock(Rates& rates, const Sender& sender, size_t seats = 1) {
    auto refused = rates.TakeCall(sender.principal);
    if (!refused) refused = rates.TakeLock(sender);
    if (!refused) rates.OweSeats(sender, seats);
    return refused;
  }
  // How many locks of one seat are let in until one is refused.
  int CountLocks(Rates& rates, const Sender& sender) {
    int count = 0;
    while (count < 100'000 && !Lock(rates, sender)) ++count;
    return count;
  }

  testing::FakeClock clock_;
};

TEST_F(RatesTest, WithoutLimitsNothingIsRefusedOrKept) {
  Rates rates({}, clock_);
  EXPECT_EQ(CountLocks(rates, {"shop", "s"}), 100'000);
  EXPECT_EQ(rates.TakeCall("shop"), std::nullopt);
  EXPECT_EQ(rates.buckets(), 0u);
}

TEST_F(RatesTest, AllLocksTogetherAreBounded) {
  Rates rates({.locks = 100}, clock_);
  EXPECT_EQ(CountLocks(rates, {"shop", "a"}), 100);
  const auto refused = Lock(rates, {"other", "b"});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->rate, Rate::kLocks);
  EXPECT_EQ(refused->retry_after_ms, kRetryMsMin) << "10 ms is too soon for a crowd";
  clock_.AdvanceMs(10);
  EXPECT_EQ(CountLocks(rates, {"other", "b"}), 1);
  clock_.AdvanceMs(60'000);
  EXPECT_EQ(CountLocks(rates, {"other", "b"}), 100) << "no more than a second's worth is saved up";
}

TEST_F(RatesTest, OnePrincipalLeavesOthersTheirs) {
  Rates rates({.locks_per_principal = 10}, clock_);
  EXPECT_EQ(CountLocks(rates, {"shop", "a"}), 10);
  EXPECT_EQ(Lock(rates, {"shop", "b"})->rate, Rate::kLocksPerPrincipal);
  EXPECT_EQ(CountLocks(rates, {"other", "a"}), 10);
}

TEST_F(RatesTest, OneSessionLeavesOthersTheirs) {
  Rates rates({.locks_per_session = 5}, clock_);
  EXPECT_EQ(CountLocks(rates, {"shop", "a"}), 5);
  EXPECT_EQ(Lock(rates, {"shop", "a"})->rate, Rate::kLocksPerSession);
  EXPECT_EQ(CountLocks(rates, {"shop", "b"}), 5);
}

TEST_F(RatesTest, NobodyUsesUpASessionOfAnotherPrincipal) {
  Rates rates({.locks_per_session = 5}, clock_);
  EXPECT_EQ(CountLocks(rates, {"thief", "a"}), 5);
  EXPECT_EQ(CountLocks(rates, {"shop", "a"}), 5);
  // Where one ends and the other begins counts.
  EXPECT_EQ(CountLocks(rates, {"sho", "pa"}), 5);
}

TEST_F(RatesTest, ACallOwesATokenForEachSeat) {
  Rates rates({.locks = 1000, .locks_per_session = 10}, clock_);
  EXPECT_FALSE(Lock(rates, {"shop", "a"}, 100)) << "it may have more seats than the bucket holds";
  const auto refused = Lock(rates, {"shop", "a"});
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->retry_after_ms, 9'100);
  clock_.AdvanceMs(9'090);
  EXPECT_TRUE(Lock(rates, {"shop", "a"}));
  clock_.AdvanceMs(10);
  EXPECT_FALSE(Lock(rates, {"shop", "a"}));
}

TEST_F(RatesTest, ACallWithManySeatsIsNotKeptOutByManyWithOne) {
  Rates rates({.locks = 10}, clock_);
  CountLocks(rates, {"shop", "a"});
  clock_.AdvanceMs(100);
  EXPECT_FALSE(Lock(rates, {"shop", "b"}, 100)) << "one token is there, and one is enough";
}

TEST_F(RatesTest, AnInvalidCallCostsItsSenderOneTokenAndOthersNone) {
  Rates rates({.locks = 10, .locks_per_principal = 3}, clock_);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(rates.TakeLock({"bad", "a"}));
  EXPECT_EQ(rates.TakeLock({"bad", "a"})->rate, Rate::kLocksPerPrincipal);
  // None of the server's ten is gone.
  int granted = 0;
  for (int i = 0; i < 20; ++i) {
    granted += Lock(rates, {"good-" + std::to_string(i), "a"}) ? 0 : 1;
  }
  EXPECT_EQ(granted, 10);
}

TEST_F(RatesTest, WhatIsRefusedTakesNothing) {
  Rates rates({.locks = 10, .locks_per_session = 2}, clock_);
  CountLocks(rates, {"shop", "greedy"});
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(Lock(rates, {"shop", "greedy"}));
  EXPECT_EQ(CountLocks(rates, {"shop", "b"}) + CountLocks(rates, {"shop", "c"}), 4);
  clock_.AdvanceMs(1'000);
  EXPECT_FALSE(Lock(rates, {"shop", "greedy"}));
}

TEST_F(RatesTest, WhatExtendingAllCameToIsOwedAfterwards) {
  Rates rates({.locks = 10}, clock_);
  EXPECT_FALSE(Lock(rates, {"shop", "a"}));
  rates.OweMoreSeats({"shop", "a"}, 10'000);  // as one call may name, 100 in all
  EXPECT_EQ(Lock(rates, {"shop", "b"})->retry_after_ms, 9'100);
}

TEST_F(RatesTest, CallsOfAPrincipalAreBoundedWhateverTheyAsk) {
  Rates rates({.calls_per_principal = 3}, clock_);
  EXPECT_FALSE(rates.TakeCall("shop"));
  EXPECT_FALSE(Lock(rates, {"shop", "a"}, 100));
  EXPECT_FALSE(rates.TakeCall("shop"));
  EXPECT_EQ(rates.TakeCall("shop")->rate, Rate::kCallsPerPrincipal);
  EXPECT_EQ(Lock(rates, {"shop", "b"})->rate, Rate::kCallsPerPrincipal);
  EXPECT_FALSE(rates.TakeCall("other"));
}

TEST_F(RatesTest, ASecondsWorthIsThereAtOnceWhateverTheRate) {
  for (const int64_t rate : {1, 3, 7, 999, 1'001}) {
    Rates rates({.locks_per_session = rate}, clock_);
    const int granted = CountLocks(rates, {"shop", "a"});
    EXPECT_GE(granted, rate);
    EXPECT_LE(granted, rate + rate / 500 + 1) << "one that comes within a millisecond counts, too";
  }
}

TEST_F(RatesTest, ManySessionsCostBoundedMemory) {
  Rates rates({.locks_per_session = 1}, clock_);
  for (size_t i = 0; i < kSessionBucketsMax + 10; ++i) {
    ASSERT_FALSE(Lock(rates, {"shop", std::to_string(i)}));
  }
  EXPECT_EQ(rates.buckets(), kSessionBucketsMax);
}

}  // namespace
}  // namespace seatlock::guard
