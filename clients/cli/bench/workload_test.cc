#include "clients/cli/bench/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr uint64_t kSeed = 1;
constexpr int64_t kMsUs = 1'000;

Options WithMix(Mix mix) {
  Options options;
  options.mix = mix;
  options.showtimes = 2;
  options.seats = 50;
  options.sessions = 10;
  options.ttl_ms = 60'000;
  return options;
}

// Each grant has a fence of its own.
Outcome Done() {
  static uint64_t fence = 0;
  Outcome outcome;
  outcome.fence = ++fence;
  return outcome;
}
Outcome Refused(const std::string& reason) {
  Outcome outcome;
  outcome.reason = reason;
  return outcome;
}

TEST(WorkloadTest, WhatNeedsALockLocksUntilOneIsHeld) {
  Workload work(WithMix({1, 1'000'000, 0, 0, 0}), kSeed);
  const Plan lock = work.Next(0, 0);
  EXPECT_EQ(lock.kind, Kind::kLock);
  work.Done(lock, Done(), 0, kMsUs);
  const Plan unlock = work.Next(1, kMsUs);
  EXPECT_EQ(unlock.kind, Kind::kUnlock);
  EXPECT_EQ(std::tie(unlock.showtime, unlock.seat, unlock.session),
            std::tie(lock.showtime, lock.seat, lock.session));
  // Nothing is held any more.
  EXPECT_EQ(work.Next(2, kMsUs).kind, Kind::kLock);
}

TEST(WorkloadTest, ASeatIsBookedOnceAndCancelledUnderItsOrder) {
  Workload work(WithMix({1, 0, 0, 1'000'000, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, 0);
  const Plan book = work.Next(1, 0);
  EXPECT_EQ(book.kind, Kind::kBook);
  EXPECT_EQ(book.order, 1U);
  work.Done(book, Done(), 0, 0);
  EXPECT_EQ(work.Next(2, 0).kind, Kind::kLock);
}

TEST(WorkloadTest, ALockThatMayHaveLapsedIsUsedNoMore) {
  Workload work(WithMix({1, 1'000'000, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, kMsUs);
  EXPECT_EQ(work.Next(1, 60'000 * kMsUs - kLapseMarginUs).kind, Kind::kLock);
}

TEST(WorkloadTest, AnExtendedLockIsUsedForLonger) {
  Workload work(WithMix({1, 0, 1'000'000, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, kMsUs);
  const int64_t later = 30'000 * kMsUs;
  const Plan extend = work.Next(1, later);
  EXPECT_EQ(extend.kind, Kind::kExtend);
  work.Done(extend, Done(), later, later);
  EXPECT_EQ(work.Next(2, 80'000 * kMsUs).kind, Kind::kExtend);
}

TEST(WorkloadTest, AGrantThatIsToldAgainIsHeldOnce) {
  Workload work(WithMix({1, 1'000'000, 0, 0, 0}), kSeed);
  const Plan lock = work.Next(0, 0);
  const Outcome granted = Done();
  work.Done(lock, granted, 0, 0);
  work.Done(lock, granted, 0, 0);
  EXPECT_EQ(work.Next(1, 0).kind, Kind::kUnlock);
  EXPECT_EQ(work.Next(2, 0).kind, Kind::kLock);
}

TEST(WorkloadTest, TakenSeatsAreNoErrorsAndEverythingElseIs) {
  Workload work(WithMix({1, 0, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Refused("SEAT_TAKEN"), 0, 0);
  EXPECT_EQ(work.tally().failed, 0U);
  for (const char* reason : {"OVERLOADED", "UNAVAILABLE", "DEADLINE_EXCEEDED", "NOT_LOCK_HOLDER"}) {
    const uint64_t before = work.tally().failed;
    work.Done(work.Next(1, 0), Refused(reason), 0, 0);
    EXPECT_EQ(work.tally().failed, before + 1) << reason;
  }
  EXPECT_THAT(work.tally().failures, SizeIs(4));
}

TEST(WorkloadTest, ALockThatIsRefusedToItsHolderIsAnErrorUnlessItMayHaveLapsed) {
  Workload work(WithMix({1, 1'000'000, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, 0);
  const Plan unlock = work.Next(1, 0);
  work.Done(unlock, Refused("NOT_LOCK_HOLDER"), 0, 60'000 * kMsUs);
  EXPECT_EQ(work.tally().failed, 0U);
  work.Done(unlock, Refused("NOT_LOCK_HOLDER"), 0, kMsUs);
  EXPECT_EQ(work.tally().failed, 1U);
}

TEST(WorkloadTest, TimesCountFromWhenTheCallWasDue) {
  Workload work(WithMix({1, 0, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 90), Done(), /*due_us=*/40, /*now_us=*/100);
  EXPECT_EQ(work.tally().AllTimes().max_us(), 60);
}

TEST(WorkloadTest, CallsThatWereNeverSentAreInThePercentiles) {
  Workload work(WithMix({1, 0, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, 10);
  work.NeverSent(/*due_us=*/0, /*now_us=*/100);
  EXPECT_EQ(work.tally().AllTimes().count(), 2U);
  EXPECT_EQ(work.tally().AllTimes().max_us(), 100);
}

TEST(WorkloadTest, TheCrowdWantsTheSameFewSeats) {
  Options options = WithMix({1, 0, 0, 0, 0});
  options.hot_percent = 100;
  Workload work(options, kSeed);
  std::set<std::pair<uint32_t, uint32_t>> seats;
  for (uint64_t i = 0; i < 500; ++i) {
    const Plan plan = work.Next(i, 0);
    seats.emplace(plan.showtime, plan.seat);
  }
  EXPECT_THAT(seats, SizeIs(2 * kHotSeats));
}

TEST(WorkloadTest, SharesAreAboutWhatTheyShouldBe) {
  Workload work(WithMix({50, 50, 0, 0, 0}), kSeed);
  int locks = 0;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const Plan plan = work.Next(i, 0);
    if (plan.kind == Kind::kLock) ++locks;
    work.Done(plan, Done(), 0, 0);
  }
  // An unlock that finds nothing to unlock is a lock: a few more.
  EXPECT_GT(locks, 4'700);
  EXPECT_LT(locks, 5'500);
}

TEST(WorkloadTest, KeepsWhatWasToldForTheJudge) {
  Workload work(WithMix({1, 0, 0, 0, 0}), kSeed);
  const Plan plan = work.Next(0, 0);
  Outcome outcome;
  outcome.revision = 3;
  outcome.expire_ms = 4;
  outcome.server_ms = 5;
  work.Done(plan, outcome, 0, 0);
  work.Done(work.Next(1, 0), Refused("SEAT_TAKEN"), 0, 0);
  const std::vector<Told> told = work.TakeTold(plan.showtime);
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].revision, 3U);
  EXPECT_EQ(told[0].expire_ms, 4);
  EXPECT_EQ(told[0].server_ms, 5);
  EXPECT_EQ(told[0].session, plan.session);
}

TEST(WorkloadTest, TellsTheJudgeOfAnUnlockThatMayHaveHappened) {
  Workload work(WithMix({1, 1'000'000, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, 0);
  const Plan unlock = work.Next(1, 0);
  ASSERT_EQ(unlock.kind, Kind::kUnlock);
  work.Done(unlock, Refused("UNAVAILABLE"), 0, 0);
  const std::vector<Told> told = work.TakeTold(unlock.showtime);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_FALSE(told[0].failed);
  EXPECT_TRUE(told[1].failed);
  EXPECT_EQ(told[1].seat, unlock.seat);
  EXPECT_EQ(told[1].session, unlock.session);
}

TEST(WorkloadTest, ResultsAreCountedByKindAndReason) {
  Workload work(WithMix({1, 0, 0, 0, 0}), kSeed);
  work.Done(work.Next(0, 0), Done(), 0, 0);
  work.Done(work.Next(1, 0), Refused("SEAT_TAKEN"), 0, 0);
  EXPECT_THAT(work.tally().results[0], ElementsAre(Pair("OK", 1U), Pair("SEAT_TAKEN", 1U)));
}

}  // namespace
}  // namespace seatlock::cli::bench
