#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/domain/world_for_test.h"

namespace seatlock::domain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LockSeats LockOf(const char* session, std::initializer_list<const char*> seats) {
  return {.session = SessionId(session), .seats = SeatIds(seats)};
}
UnlockSeats UnlockOf(const char* session, std::initializer_list<const char*> seats) {
  return {.session = SessionId(session), .seats = SeatIds(seats)};
}
ExtendLocks ExtendOf(const char* session, std::initializer_list<const char*> seats,
                     int64_t ttl_ms) {
  return {.session = SessionId(session), .seats = SeatIds(seats), .ttl_ms = ttl_ms};
}

TEST(LockRules, FreeSeatIsGrantedWithTheRevisionAsFence) {
  World world;
  world.Make(LockOf("s1", {"A9"}));
  const Change change = world.Make(LockOf("s1", {"A1"}));
  EXPECT_EQ(change.revision, Revision(2));
  EXPECT_EQ(change.cause, Cause::kLock);
  EXPECT_EQ(change.commit_ms, world.now_ms);
  EXPECT_THAT(change.seats, ElementsAre(SeatAfter{.seat = SeatId("A1"),
                                                  .status = SeatStatus::kLocked,
                                                  .session = SessionId("s1"),
                                                  .expire_ms = world.now_ms + kTtlMsDefault,
                                                  .fence = Fence(2)}));
}

TEST(LockRules, TimeNeverRunsBackwards) {
  World world;
  const int64_t before_ms = world.Make(LockOf("s1", {"A1"})).commit_ms;
  world.now_ms -= 5000;
  const Change change = world.Make(LockOf("s1", {"A2"}));
  EXPECT_EQ(change.commit_ms, before_ms);
  EXPECT_EQ(change.seats[0].expire_ms, before_ms + kTtlMsDefault);
}

TEST(LockRules, HeldSeatIsReturnedAsItStands) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  const int64_t expire_ms = world.now_ms + kTtlMsDefault;
  world.now_ms += 5000;
  const Answer answer = world.Ask(LockOf("s1", {"A1"}));
  EXPECT_EQ(answer.revision, Revision(1));
  EXPECT_THAT(answer.locks, ElementsAre(Lock{SeatId("A1"), SessionId("s1"), expire_ms, Fence(1)}));
}

TEST(LockRules, AnswerHasHeldAndNewLocksInTheOrderAskedFor) {
  World world;
  world.Make(LockOf("s1", {"A2"}));
  const LockSeats body = LockOf("s1", {"A3", "A2", "A1", "A3"});
  const Change change = world.Make(body);
  EXPECT_EQ(change.seats.size(), 2u);
  EXPECT_EQ(change.unchanged.size(), 1u);
  const Answer answer = AnswerFor(Command{.body = body}, change);
  std::vector<std::string> seats;
  for (const Lock& lock : answer.locks) seats.push_back(lock.seat.value());
  EXPECT_THAT(seats, ElementsAre("A3", "A2", "A1"));
}

TEST(LockRules, EveryTakenSeatIsNamedAndNothingChanges) {
  World world;
  world.Make(LockOf("s2", {"A1"}));
  world.Make(
      BookSeats{.session = SessionId("s3"), .order = OrderId("o"), .seats = SeatIds({"A3"})});
  const Refusal refusal = world.Refused(LockOf("s1", {"A3", "A2", "A1"}));
  EXPECT_EQ(refusal.reason, Reason::kSeatTaken);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A3"), SeatStatus::kBooked, Reason::kSeatTaken},
                          Conflict{SeatId("A1"), SeatStatus::kLocked, Reason::kSeatTaken}));
  EXPECT_EQ(world.StatusOf("A2"), SeatStatus::kAvailable);
  EXPECT_EQ(refusal.message.find("s2"), std::string::npos);
}

TEST(LockRules, RepeatedSeatsCountOnceBeyondAHandfulToo) {
  World world;
  LockSeats body{.session = SessionId("s1")};
  for (int i = 0; i < 60; ++i) body.seats.emplace_back("A" + std::to_string(i % 30));
  EXPECT_EQ(world.Make(body).seats.size(), 30u);
}

TEST(LockRules, TtlEndsAtTheGreatestAge) {
  World world;
  world.rules.max_lock_age_ms = 60'000;
  LockSeats body = LockOf("s1", {"A1"});
  body.ttl_ms = 120'000;
  EXPECT_EQ(world.Make(body).seats[0].expire_ms, world.now_ms + 60'000);
}

TEST(LockRules, SwapFreesWhatIsHeldAndIgnoresTheRest) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  LockSeats body = LockOf("s1", {"A3"});
  body.release = SeatIds({"A2", "A1", "A9", "A1"});
  const Change change = world.Make(body);
  EXPECT_EQ(change.cause, Cause::kSwap);
  EXPECT_THAT(change.seats[1], (SeatAfter{.seat = SeatId("A1"), .session = SessionId("s1")}));
  EXPECT_EQ(change.seats.size(), 2u);
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kAvailable);
  EXPECT_EQ(world.StatusOf("A2"), SeatStatus::kLocked);
}

TEST(LockRules, ReleaseOfNothingHeldIsNoSwap) {
  World world;
  LockSeats body = LockOf("s1", {"A3"});
  body.release = SeatIds({"A2"});
  EXPECT_EQ(world.Make(body).cause, Cause::kLock);
}

TEST(LockRules, RefusedSwapReleasesNothing) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  LockSeats body = LockOf("s1", {"A2"});
  body.release = SeatIds({"A1"});
  EXPECT_EQ(world.Refused(body).reason, Reason::kSeatTaken);
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kLocked);
}

TEST(LockRules, SessionLimitSaysLimitAndHeld) {
  World world;
  world.rules.max_session_seats = 3;
  world.Make(LockOf("s1", {"A1", "A2"}));
  const Refusal refusal = world.Refused(LockOf("s1", {"A3", "A4"}));
  EXPECT_EQ(refusal.reason, Reason::kSessionSeatLimit);
  EXPECT_EQ(refusal.limit, 3u);
  EXPECT_EQ(refusal.held, 2u);
  world.Make(LockOf("s1", {"A3", "A2"}));
}

TEST(LockRules, CallLowersTheSessionLimitButNeverRaisesIt) {
  World world;
  world.rules.max_session_seats = 2;
  LockSeats lower = LockOf("s1", {"A1", "A2"});
  lower.max_session_seats = 1;
  EXPECT_EQ(world.Refused(lower).limit, 1u);
  LockSeats higher = LockOf("s1", {"A1", "A2", "A3"});
  higher.max_session_seats = 50;
  EXPECT_EQ(world.Refused(higher).limit, 2u);
}

TEST(LockRules, SwapAtTheSessionLimitIsFine) {
  World world;
  world.rules.max_session_seats = 1;
  world.Make(LockOf("s1", {"A1"}));
  LockSeats body = LockOf("s1", {"A2"});
  body.release = SeatIds({"A1"});
  EXPECT_EQ(world.Make(body).cause, Cause::kSwap);
}

TEST(LockRules, LimitBelowWhatIsHeldDoesNotHinderRelocking) {
  World world;
  world.Make(LockOf("s1", {"A1", "A2"}));
  LockSeats body = LockOf("s1", {"A1"});
  body.max_session_seats = 1;
  EXPECT_EQ(world.Ask(body).locks.size(), 1u);
}

TEST(LockRules, TakenSeatComesBeforeTheSessionLimit) {
  World world;
  world.rules.max_session_seats = 1;
  world.Make(LockOf("s2", {"A1"}));
  EXPECT_EQ(world.Refused(LockOf("s1", {"A1", "A2"})).reason, Reason::kSeatTaken);
}

TEST(UnlockRules, HeldIsFreedAvailableIsSuccess) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  const Change change = world.Make(UnlockOf("s1", {"A1", "A2"}));
  EXPECT_EQ(change.cause, Cause::kUnlock);
  EXPECT_THAT(change.seats,
              ElementsAre(SeatAfter{.seat = SeatId("A1"), .session = SessionId("s1")}));
  EXPECT_EQ(world.Ask(UnlockOf("s1", {"A1"})).revision, Revision(2));
}

TEST(UnlockRules, SeatsOfOthersAreConflicts) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  const Refusal refusal = world.Refused(UnlockOf("s1", {"A1", "A2"}));
  EXPECT_EQ(refusal.reason, Reason::kNotLockHolder);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A2"), SeatStatus::kLocked, Reason::kNotLockHolder}));
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kLocked);
}

TEST(UnlockRules, AllFreesWhatTheSessionHolds) {
  World world;
  const UnlockSeats all{.session = SessionId("s1"), .all = true};
  EXPECT_EQ(world.Ask(all).revision, Revision(0));
  world.Make(LockOf("s1", {"A2", "A1"}));
  world.Make(LockOf("s2", {"A3"}));
  EXPECT_EQ(world.Make(all).seats.size(), 2u);
  EXPECT_EQ(world.StatusOf("A3"), SeatStatus::kLocked);
}

TEST(ExtendRules, ExpiryMovesAndFenceStays) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  const ExtendLocks body = ExtendOf("s1", {"A1"}, kTtlMsDefault + 5000);
  const Change change = world.Make(body);
  EXPECT_EQ(change.cause, Cause::kExtend);
  const Answer answer = AnswerFor(Command{.body = body}, change);
  EXPECT_THAT(answer.locks, ElementsAre(Lock{SeatId("A1"), SessionId("s1"),
                                             world.now_ms + kTtlMsDefault + 5000, Fence(1)}));
}

TEST(ExtendRules, ExpiryNeverMovesBack) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  const Answer answer = world.Ask(ExtendOf("s1", {"A1"}, 1000));
  EXPECT_EQ(answer.locks[0].expire_ms, world.now_ms + kTtlMsDefault);
}

TEST(ExtendRules, SeatsThatDoNotMoveAreAnsweredInOrder) {
  World world;
  LockSeats longer = LockOf("s1", {"A1"});
  longer.ttl_ms = 60 * kMinuteMs;
  world.Make(longer);
  world.Make(LockOf("s1", {"A3", "A2"}));
  const ExtendLocks body{.session = SessionId("s1"), .all = true, .ttl_ms = 20 * kMinuteMs};
  const Change change = world.Make(body);
  EXPECT_EQ(change.seats.size(), 2u);
  EXPECT_EQ(change.unchanged.size(), 1u);
  const Answer answer = AnswerFor(Command{.body = body}, change);
  ASSERT_EQ(answer.locks.size(), 3u);
  EXPECT_EQ(answer.locks[0].seat, SeatId("A1"));
  EXPECT_EQ(answer.locks[1].seat, SeatId("A2"));
  EXPECT_EQ(answer.locks[2].seat, SeatId("A3"));
}

TEST(ExtendRules, WhatIsNotHeldIsAConflictEvenIfAvailable) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  const Refusal refusal = world.Refused(ExtendOf("s1", {"A3", "A1", "A2"}, 1'200'000));
  EXPECT_EQ(refusal.reason, Reason::kNotLockHolder);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A3"), SeatStatus::kAvailable, Reason::kNotLockHolder},
                          Conflict{SeatId("A2"), SeatStatus::kLocked, Reason::kNotLockHolder}));
}

TEST(ExtendRules, GreatestAgeIsNamedByTheOldestLock) {
  World world;
  world.rules.max_lock_age_ms = 15 * kMinuteMs;
  world.Make(LockOf("s1", {"A1"}));
  const int64_t granted_ms = world.now_ms;
  world.now_ms += kMinuteMs;
  world.Make(LockOf("s1", {"A2"}));
  const Refusal refusal = world.Refused(ExtendOf("s1", {"A2", "A1"}, 20 * kMinuteMs));
  EXPECT_EQ(refusal.reason, Reason::kExtendLimit);
  EXPECT_EQ(refusal.max_expire_ms, granted_ms + 15 * kMinuteMs);
  EXPECT_THAT(refusal.conflicts, IsEmpty());
  world.Make(ExtendOf("s1", {"A2", "A1"}, 14 * kMinuteMs));
}

TEST(ExtendRules, AgeCountsFromTheGrantNotFromTheLastExtension) {
  World world;
  world.rules.max_lock_age_ms = 15 * kMinuteMs;
  world.Make(LockOf("s1", {"A1"}));
  world.now_ms += 4 * kMinuteMs;
  world.Make(ExtendOf("s1", {"A1"}, 11 * kMinuteMs));
  EXPECT_EQ(world.Refused(ExtendOf("s1", {"A1"}, 11 * kMinuteMs + 1)).reason, Reason::kExtendLimit);
}

TEST(ExtendRules, SeatsThatAreNotHeldComeBeforeTheGreatestAge) {
  World world;
  world.rules.max_lock_age_ms = 15 * kMinuteMs;
  world.Make(LockOf("s1", {"A1"}));
  EXPECT_EQ(world.Refused(ExtendOf("s1", {"A1", "A2"}, 20 * kMinuteMs)).reason,
            Reason::kNotLockHolder);
}

TEST(ExtendRules, AllWithNothingHeldIsAnEmptyAnswer) {
  World world;
  const Answer answer = world.Ask(ExtendLocks{.session = SessionId("s1"), .all = true});
  EXPECT_EQ(answer.revision, Revision(0));
  EXPECT_THAT(answer.locks, IsEmpty());
}

TEST(ExpiryRules, LapsedLockIsFreedByAChangeOfItsOwnBeforeTheTakeover) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.now_ms += kTtlMsDefault;
  const Change taken = world.Make(LockOf("s2", {"A1"}));
  EXPECT_EQ(taken.revision, Revision(3));
  EXPECT_EQ(taken.seats[0].session, SessionId("s2"));
}

TEST(ExpiryRules, ChangeNamesTheSessionBefore) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.now_ms += kTtlMsDefault - 1;
  EXPECT_EQ(world.Ask(ExpireLocks{}).revision, Revision(1));
  world.now_ms += 1;
  const Decision decision = world.DoNow(ExpireLocks{});
  const auto& change = std::get<Change>(decision);
  EXPECT_EQ(change.cause, Cause::kExpired);
  EXPECT_THAT(change.seats,
              ElementsAre(SeatAfter{.seat = SeatId("A1"), .session = SessionId("s1")}));
}

TEST(ExpiryRules, LapsedLockStandsInTheWayUntilItIsFreed) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.now_ms += kTtlMsDefault;
  const Decision decision = world.DoNow(LockOf("s2", {"A1"}));
  ASSERT_TRUE(std::holds_alternative<Refusal>(decision));
  EXPECT_EQ(std::get<Refusal>(decision).reason, Reason::kSeatTaken);
}

TEST(ExpiryRules, OneChangeFreesABoundedNumber) {
  World world;
  for (size_t i = 0; i < kExpiredPerChangeMax / 100 + 1; ++i) {
    LockSeats body{.session = SessionId("s" + std::to_string(i))};
    for (int j = 0; j < 100; ++j) {
      body.seats.emplace_back(std::to_string(i) + "-" + std::to_string(j));
    }
    world.Make(body);
  }
  world.now_ms += kTtlMsDefault;
  auto first = world.DoNow(ExpireLocks{});
  EXPECT_EQ(std::get<Change>(first).seats.size(), kExpiredPerChangeMax);
  auto second = world.DoNow(ExpireLocks{});
  EXPECT_EQ(std::get<Change>(second).seats.size(), 100u);
}

TEST(RequestIds, SameBodyReplaysTheFirstAnswer) {
  World world;
  const LockSeats body = LockOf("s1", {"A1"});
  const Change change = world.Make(body, "r1");
  world.Make(LockOf("s2", {"A2"}));
  const Decision again = world.Do(body, "r1");
  ASSERT_TRUE(std::holds_alternative<Replay>(again));
  EXPECT_EQ(std::get<Replay>(again).revision, change.revision);
}

TEST(RequestIds, OtherBodyIsRefusedBeforeAnyOtherReason) {
  World world;
  world.Make(LockOf("s1", {"A1"}), "r1");
  EXPECT_EQ(world.Refused(LockOf("s2", {"A1"}), "r1").reason, Reason::kRequestIdReused);
}

TEST(RequestIds, RefusalsAndNoOpsAreDecidedAnew) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  EXPECT_EQ(world.Refused(LockOf("s2", {"A1"}), "r1").reason, Reason::kSeatTaken);
  world.Ask(LockOf("s1", {"A1"}), "r2");
  world.Make(UnlockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A1"}), "r1");
  EXPECT_EQ(world.Refused(LockOf("s1", {"A1"}), "r2").reason, Reason::kSeatTaken);
}

TEST(RequestIds, AreRememberedForAnHour) {
  World world;
  const UnlockSeats unlock{.session = SessionId("s1"), .all = true};
  world.Make(LockOf("s1", {"A1"}));
  world.Make(unlock, "r1");
  world.now_ms += kRequestMemoryMs;
  EXPECT_TRUE(std::holds_alternative<Replay>(world.Do(unlock, "r1")));
  world.now_ms += 1;
  EXPECT_TRUE(std::holds_alternative<Answer>(world.Do(unlock, "r1")));
}

TEST(RequestIds, BodyHashTellsEveryFieldApart) {
  const auto hash = [](auto body) { return BodyHash(Command{.body = body}); };
  const LockSeats lock = LockOf("s1", {"A1", "A2"});
  EXPECT_EQ(hash(lock).size(), 16u);
  EXPECT_EQ(hash(lock), hash(LockOf("s1", {"A1", "A2"})));
  EXPECT_NE(hash(lock), hash(LockOf("s2", {"A1", "A2"})));
  EXPECT_NE(hash(lock), hash(LockOf("s1", {"A1A2"})));
  EXPECT_NE(hash(lock), hash(UnlockOf("s1", {"A1", "A2"})));
  LockSeats changed = lock;
  changed.release = SeatIds({"A3"});
  EXPECT_NE(hash(lock), hash(changed));
  changed = lock;
  changed.ttl_ms = kTtlMsDefault;
  EXPECT_NE(hash(lock), hash(changed));
  changed = lock;
  changed.max_session_seats = 7;
  EXPECT_NE(hash(lock), hash(changed));
  Command with_id{.request_id = RequestId("r"), .body = lock};
  EXPECT_EQ(hash(lock), BodyHash(with_id));
}

TEST(RequestIds, BodyHashStaysTheSameAcrossVersions) {
  // Stored for an hour and compared by the next version: a change here needs a decision record.
  std::string hex;
  for (unsigned char byte : BodyHash(Command{.body = LockOf("s1", {"A1"})})) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  EXPECT_EQ(hex, "1a20540e89778c4c3501e27f2104b950");
}

}  // namespace
}  // namespace seatlock::domain::testing
