// What a showtime remembers is bounded, locks may take a share of it alone, and bookings go on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "services/seatlock/domain/world_for_test.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::domain::testing {
namespace {

using ::seatlock::testing::IsOk;

LockSeats LockOf(const std::string& session, const std::string& seat) {
  return {.session = SessionId(session), .seats = {SeatId(seat)}};
}
UnlockSeats UnlockOf(const std::string& session, const std::string& seat) {
  return {.session = SessionId(session), .seats = {SeatId(seat)}};
}
ExtendLocks ExtendOf(const std::string& session, int64_t ttl_ms) {
  return {.session = SessionId(session), .all = true, .ttl_ms = ttl_ms};
}
BookSeats BookOf(const std::string& session, const std::string& order, const std::string& seat) {
  return {.session = SessionId(session), .order = OrderId(order), .seats = {SeatId(seat)}};
}
CancelBooking CancelOf(const std::string& order) {
  return {.order = OrderId(order), .all = true};
}

// `count` seats that nobody else names.
LockSeats LockNew(const std::string& session, const std::string& row, size_t count) {
  LockSeats lock{.session = SessionId(session)};
  for (size_t i = 0; i < count; ++i) lock.seats.emplace_back(row + "-" + std::to_string(i));
  return lock;
}

// A showtime filled to this, one field at a time: seats are free and remembered.
World FilledWith(size_t seats, size_t orders, size_t requests) {
  World world;
  ShowtimeParts parts{.revision = Revision(std::max<size_t>(requests, 1)),
                      .commit_ms = world.now_ms};
  const auto id = [](size_t i) { return std::to_string(10'000'000 + i); };
  for (size_t i = 0; i < seats; ++i) {
    parts.seats.push_back({.seat = SeatId(id(i)),
                           .last_grant_session = SessionId("s"),
                           .last_grant_fence = Fence(1),
                           .freed_ms = world.now_ms});
  }
  for (size_t i = 0; i < orders; ++i) {
    parts.orders.push_back({.order = OrderId(id(i)), .closed = true});
  }
  for (size_t i = 0; i < requests; ++i) {
    parts.requests.push_back({.key = {.id = RequestId(id(i)), .body_hash = std::string(16, 'h')},
                              .revision = Revision(i + 1),
                              .commit_ms = world.now_ms});
  }
  absl::StatusOr<Showtime> filled = Showtime::Restore(std::move(parts));
  EXPECT_THAT(filled, IsOk());
  world.showtime = *std::move(filled);
  return world;
}

void Restart(World& world) {
  absl::StatusOr<Showtime> restored = Showtime::Restore(world.showtime.Export());
  ASSERT_THAT(restored, IsOk());
  world.showtime = *std::move(restored);
}

// Locks all of the session's new seats of an hour, and gives them back.
void UseUpSeats(World& world, const std::string& session) {
  for (int call = 0; call < 10; ++call) {
    world.Make(LockNew(session, session + std::to_string(call), 100));
    world.Make(UnlockSeats{.session = SessionId(session), .all = true});
  }
}

// Locks with all of the session's request_ids of an hour.
void UseUpRequests(World& world, const std::string& session) {
  for (int i = 0; i < 10'000; ++i) {
    world.Make(LockOf(session, "A1"), session + std::to_string(i));
    world.Make(UnlockOf(session, "A1"));
  }
}

TEST(Shares, ASessionLocksAThousandNewSeatsAnHour) {
  World world;
  UseUpSeats(world, "s1");
  EXPECT_EQ(world.Refused(LockOf("s1", "new")).reason, Reason::kOverloaded);
  world.now_ms += kShareMs;
  EXPECT_EQ(world.Refused(LockOf("s1", "new")).reason, Reason::kOverloaded);
  world.now_ms += 1;
  world.Make(LockNew("s1", "new", 100));
}

TEST(Shares, ARefusalSaysWhenTheHourIsOver) {
  World world;
  UseUpSeats(world, "s1");
  world.now_ms += 10 * kMinuteMs;
  UseUpRequests(world, "s2");
  world.now_ms += 10 * kMinuteMs;
  const Refusal refusal = world.Refused(LockOf("s1", "new"));
  EXPECT_EQ(refusal.retry_after_ms, kShareMs - 20 * kMinuteMs + 1);
  EXPECT_EQ(world.Refused(LockOf("s2", "A1"), "new").retry_after_ms, kShareMs - 10 * kMinuteMs + 1);
  world.now_ms += refusal.retry_after_ms - 1;
  EXPECT_EQ(world.Refused(LockOf("s1", "new")).retry_after_ms, 1);
  world.now_ms += 1;
  world.Make(LockOf("s1", "new"));
}

TEST(Shares, ACallThatReachesPastTheShareIsRefusedWhole) {
  World world;
  for (int call = 0; call < 19; ++call) {
    world.Make(LockNew("s1", std::to_string(call), 50));
    world.Make(UnlockSeats{.session = SessionId("s1"), .all = true});
  }
  EXPECT_EQ(world.Refused(LockNew("s1", "new", 51)).reason, Reason::kOverloaded);
  EXPECT_TRUE(world.showtime.HeldBy(SessionId("s1")).empty());
  world.Make(LockNew("s1", "new", 50));
}

TEST(Shares, SeatsThatAreKnownAndOtherSessionsAreNotLimited) {
  World world;
  UseUpSeats(world, "s1");
  world.Make(LockNew("s1", "s10", 100));
  world.Make(LockNew("s2", "new", 100));
  world.Make(BookOf("s1", "o1", "another"));
}

TEST(Shares, ALockOfASeatThatIsForgottenByNowCountsAsNew) {
  World world;
  world.Make(LockOf("s1", "A1"));
  world.Make(UnlockOf("s1", "A1"));
  world.now_ms += kGrantMemoryMs + 1;
  world.Make(LockOf("s1", "A1"));
  EXPECT_EQ(world.showtime.ShareOf(SessionId("s1"), world.now_ms).unseen_seats, 1u);
}

TEST(Shares, ASessionSendsTenThousandRequestIdsAnHourWithItsLocks) {
  World world;
  UseUpRequests(world, "s1");
  EXPECT_EQ(world.Refused(LockOf("s1", "A1"), "new").reason, Reason::kOverloaded);
  world.Make(LockOf("s1", "A1"));
  EXPECT_EQ(world.Refused(ExtendOf("s1", kTtlMsDefault + 1), "new").reason, Reason::kOverloaded);
  world.Make(ExtendOf("s1", kTtlMsDefault + 1));
  world.Make(LockOf("s2", "A2"), "other");
  world.now_ms += kShareMs + 1;
  world.Make(LockOf("s1", "A1"), "new");
}

TEST(Shares, ExtensionsCount) {
  World world;
  world.Make(LockOf("s1", "A1"), "first");
  for (int i = 1; i < 10'000; ++i) {
    world.Make(ExtendOf("s1", kTtlMsDefault + i), std::to_string(i));
  }
  EXPECT_EQ(world.Refused(ExtendOf("s1", kTtlMsMax), "new").reason, Reason::kOverloaded);
}

TEST(Shares, UnlocksBookingsAndCancellationsNeverCount) {
  World world;
  UseUpRequests(world, "s1");
  world.Make(LockOf("s1", "A1"));
  world.Make(UnlockOf("s1", "A1"), "unlock");
  world.Make(BookOf("s1", "o1", "A1"), "book");
  world.Make(CancelOf("o1"), "cancel");
  EXPECT_EQ(world.showtime.ShareOf(SessionId("s1"), world.now_ms).requests, 10'000u);
}

TEST(Shares, WhatWasMadeIsAnsweredAgainAndANoOpIsSuccess) {
  World world;
  UseUpRequests(world, "s1");
  EXPECT_TRUE(std::holds_alternative<Replay>(world.Do(LockOf("s1", "A1"), "s17")));
  world.Make(LockOf("s1", "A1"));
  EXPECT_EQ(world.Ask(LockOf("s1", "A1"), "new").locks.size(), 1u);
}

TEST(Shares, OverloadedComesBeforeEveryOtherRefusal) {
  World world;
  UseUpSeats(world, "s1");
  world.Make(LockOf("s2", "A1"));
  LockSeats both = LockOf("s1", "A1");
  EXPECT_EQ(world.Refused(both).reason, Reason::kSeatTaken);
  both.seats.emplace_back("new");
  const Refusal refusal = world.Refused(both);
  EXPECT_EQ(refusal.reason, Reason::kOverloaded);
  EXPECT_TRUE(refusal.conflicts.empty());
}

TEST(Shares, AreTheSameAfterARestart) {
  World world;
  UseUpSeats(world, "s1");
  UseUpRequests(world, "s2");
  Restart(world);
  EXPECT_EQ(world.Refused(LockOf("s1", "new")).reason, Reason::kOverloaded);
  EXPECT_EQ(world.Refused(LockOf("s2", "A1"), "new").reason, Reason::kOverloaded);
  world.now_ms += kShareMs + 1;
  world.Make(LockOf("s1", "new"));
  world.Make(LockOf("s2", "A1"), "new");
}

TEST(Shares, TakeNoMemoryOnceTheirHourIsOver) {
  World world;
  for (int i = 0; i < 100; ++i) {
    world.Make(LockOf("s" + std::to_string(i), "A1"), std::to_string(i));
    world.Make(UnlockOf("s" + std::to_string(i), "A1"));
  }
  EXPECT_EQ(world.showtime.Export().shares.size(), 100u);
  world.now_ms += kShareMs + 1;
  world.Make(BookOf("s1", "o1", "A2"));
  EXPECT_TRUE(world.showtime.Export().shares.empty());
}

// Of 1,000 seats, 1,000 request_ids and as many shares, which end at once.
World AfterAnHour() {
  World world;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::to_string(i);
    world.Make(LockOf(name, "A" + name), name);
    world.Make(UnlockOf(name, "A" + name));
  }
  world.now_ms += kShareMs + 1;
  return world;
}

TEST(Forgetting, OneChangeDropsAPartAndAllGoWithTheNextOnes) {
  World world = AfterAnHour();
  world.Make(LockOf("s", "B"));
  EXPECT_EQ(world.showtime.seat_count(), 1000 - ForgottenPerChange(1) + 1);
  EXPECT_EQ(world.showtime.request_count(), 1000 - ForgottenPerChange(1));
  EXPECT_EQ(world.showtime.Export().seats.size(), 1u) << "the rest is kept in no snapshot";
  for (size_t i = 0; i < 1000 / ForgottenPerChange(1); ++i) {
    world.Make(ExtendOf("s", kTtlMsDefault + 1 + static_cast<int64_t>(i)));
  }
  EXPECT_EQ(world.showtime.seat_count(), 1u);
  EXPECT_EQ(world.showtime.request_count(), 0u);
}

TEST(Forgetting, WhatIsForgottenAndStillThereCountsForNothing) {
  World world = AfterAnHour();
  world.Make(LockOf("s", "B"));
  ASSERT_GT(world.showtime.seat_count(), 900u);
  // The last of each is at the end of its list.
  BookSeats stale = BookOf("s", "o1", "A998");
  stale.fences = {{SeatId("A998"), Fence(1)}};
  world.Make(stale, "998");
  world.Make(LockOf("999", "A999"), "999");
  EXPECT_EQ(world.showtime.ShareOf(SessionId("999"), world.now_ms),
            (ShareEntry{SessionId("999"), world.now_ms, 1, 1}));
  const SeatView booked = *world.showtime.FindSeat(SeatId("A998"));
  EXPECT_TRUE(booked.last_grant_session.empty());
  EXPECT_EQ(booked.last_grant_fence, Fence());
  EXPECT_EQ(world.showtime.FindSeat(SeatId("A999"))->other_grant_fence, Fence());
  EXPECT_EQ(world.showtime.Export().requests.size(), 2u);
  EXPECT_EQ(world.showtime.Export().shares.size(), 2u);
  Restart(world);
  EXPECT_EQ(world.showtime.seat_count(), 3u);
  EXPECT_TRUE(std::holds_alternative<Replay>(world.Do(LockOf("999", "A999"), "999")));
}

TEST(Forgetting, WithMoreForgottenThanAChangeDropsTheTablesShrinkAndNobodyIsRefused) {
  World world = FilledWith(kSeatsPerShowtimeMax, 0, kRequestsPerShowtimeMax);
  world.now_ms += kGrantMemoryMs + 1;
  EXPECT_EQ(world.showtime.ForgottenSeatsAt(world.now_ms, 100), 100u);
  for (int i = 0; i < 10; ++i) {
    const size_t seats = world.showtime.seat_count();
    const size_t requests = world.showtime.request_count();
    world.Make(LockNew(std::to_string(i), std::to_string(i), 100), std::to_string(i));
    EXPECT_EQ(world.showtime.seat_count(), seats + 100 - ForgottenPerChange(100));
    EXPECT_EQ(world.showtime.request_count(), requests + 1 - ForgottenPerChange(100));
  }
}

TEST(Room, FromFourFifthsOnNewSeatsAreLockedByNobody) {
  World world = FilledWith(kSeatsForLocksMax - 1, 0, 0);
  world.Make(LockOf("s1", "last"));
  const Refusal refusal = world.Refused(LockOf("s2", "new"));
  EXPECT_EQ(refusal.reason, Reason::kOverloaded);
  EXPECT_EQ(refusal.retry_after_ms, 0) << "room may come at any moment";
  world.Make(LockOf("s2", "10000000"));
  world.Make(BookOf("s3", "o1", "new"));
  world.now_ms += kGrantMemoryMs + 1;
  world.Make(LockOf("s2", "another"));
}

TEST(Room, FullOfSeatsBooksNoNewOnes) {
  World world = FilledWith(kSeatsPerShowtimeMax, 0, 0);
  EXPECT_EQ(world.Refused(BookOf("s1", "o", "new")).reason, Reason::kOverloaded);
  world.Make(LockOf("s1", "10000000"));
  world.Make(BookOf("s1", "o", "10000000"));
  world.now_ms += kGrantMemoryMs + 1;
  world.Make(BookOf("s1", "o2", "new"));
}

TEST(Room, FullOfOrdersRefusesNewOrdersAlone) {
  World world = FilledWith(0, kOrdersPerShowtimeMax, 0);
  EXPECT_EQ(world.Refused(BookOf("s1", "o", "A1")).reason, Reason::kOverloaded);
  const CancelBooking bar{.order = OrderId("o"), .all = true, .tombstone = true};
  EXPECT_EQ(world.Refused(bar).reason, Reason::kOverloaded);
  world.Make(LockOf("s1", "A1"));
}

TEST(Room, FullOfCancelledSeatsBooksNothingAndCancelsAll) {
  World world;
  ShowtimeParts parts{.revision = Revision(1), .commit_ms = world.now_ms};
  parts.seats.push_back({.seat = SeatId("A1"),
                         .status = SeatStatus::kBooked,
                         .session = SessionId("s1"),
                         .order = OrderId("o1")});
  parts.seats.push_back(parts.seats[0]);
  parts.seats[1].seat = SeatId("A3");
  parts.orders.push_back({.order = OrderId("o1"), .seats = SeatIds({"A1", "A3"})});
  for (size_t i = 0; i < kCancelledSeatsPerShowtimeMax; ++i) {
    parts.orders[0].cancelled.emplace_back(std::to_string(10'000'000 + i));
  }
  world.showtime = *Showtime::Restore(std::move(parts));
  EXPECT_EQ(world.Refused(BookOf("s1", "o2", "A2")).reason, Reason::kOverloaded);
  EXPECT_EQ(world.Ask(BookSeats{.session = SessionId("s1"), .order = OrderId("o1")}).order_seats,
            SeatIds({"A1", "A3"}));
  // Such an order can only be of an earlier version; it takes cancellations all the same.
  world.Make(CancelBooking{.order = OrderId("o1"), .seats = SeatIds({"A3"})});
  EXPECT_EQ(world.showtime.cancelled_seat_count(), kCancelledSeatsPerShowtimeMax + 1);
  world.Make(CancelOf("o1"));
  EXPECT_EQ(world.showtime.cancelled_seat_count(), 0u);
  world.Make(BookOf("s1", "o2", "A2"));
}

TEST(Room, FromFourFifthsOnRequestIdsOfLocksAreRefused) {
  World world = FilledWith(0, 0, kRequestsForLocksMax - 1);
  world.Make(LockOf("s1", "A1"), "last");
  EXPECT_EQ(world.Refused(LockOf("s2", "A2"), "new").reason, Reason::kOverloaded);
  EXPECT_EQ(world.Refused(ExtendOf("s1", kTtlMsMax), "new").reason, Reason::kOverloaded);
  world.Make(LockOf("s2", "A2"));
  world.Make(UnlockOf("s1", "A1"), "unlock");
  world.Make(BookOf("s2", "o1", "A2"), "book");
  world.now_ms += kRequestMemoryMs + 1;
  world.Make(LockOf("s1", "A1"), "new");
}

TEST(Room, FullOfRequestsRefusesUnlocksWithRequestIdsAlone) {
  World world = FilledWith(0, 0, kRequestsPerShowtimeMax);
  world.Make(LockOf("s1", "A1"));
  EXPECT_EQ(world.Refused(UnlockOf("s1", "A1"), "new").reason, Reason::kOverloaded);
  world.Make(UnlockOf("s1", "A1"));
  world.Make(BookOf("s1", "o1", "A1"), "book");
  world.Make(CancelOf("o1"), "cancel");
}

TEST(Room, BookingsAndCancellationsEndAtTheBoundItself) {
  World world = FilledWith(0, 0, kRequestsPerShowtimeMax + kOrderRequestsReserved - 1);
  world.Make(BookOf("s1", "o1", "A1"), "last");
  EXPECT_EQ(world.Refused(CancelOf("o1"), "new").reason, Reason::kOverloaded);
  EXPECT_EQ(world.Refused(BookOf("s1", "o2", "A2"), "new").reason, Reason::kOverloaded);
  world.Make(CancelOf("o1"));
}

// Whoever may lock may invent sessions, seats and request_ids; all that is not refused is done.
TEST(Room, ManySessionsThatLockExtendAndUnlockStopNoBooking) {
  World world = FilledWith(kSeatsForLocksMax - 50, 0, kRequestsPerShowtimeMax - 50);
  for (int i = 0; i < 200; ++i) {
    const std::string name = "attacker" + std::to_string(i);
    world.Do(LockOf(name, "invented" + name), "lock" + name);
    world.Do(LockOf(name, "invented" + name));
    world.Do(LockOf(name, "1000" + std::to_string(1000 + i)));
    world.Do(ExtendOf(name, kTtlMsMax), "extend" + name);
    world.Do(UnlockSeats{.session = SessionId(name), .all = true}, "unlock" + name);
  }
  EXPECT_EQ(world.Refused(LockOf("shopper", "new")).reason, Reason::kOverloaded);
  EXPECT_EQ(world.showtime.request_count(), kRequestsPerShowtimeMax);
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i);
    world.Make(BookOf("shopper", "order" + name, "paid" + name), "book" + name);
  }
  world.Make(CancelOf("order7"), "cancel");
}

}  // namespace
}  // namespace seatlock::domain::testing
