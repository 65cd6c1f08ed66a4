// Showtime::ApplyUndoable and Revert, table by table. undo_property_test.cc does it at random.
#include "services/seatlock/domain/undo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/seatlock/domain/seen_for_test.h"
#include "services/seatlock/domain/world_for_test.h"

namespace seatlock::domain::testing {
namespace {

LockSeats LockOf(const char* session, std::initializer_list<const char*> seats) {
  return {.session = SessionId(session), .seats = SeatIds(seats)};
}

// A showtime in which every kind of entry stands. s1 holds A1 and A8; A2 was its own, A4 was
// cancelled out of the order o1, which has A3 and A5; o2 is barred.
World Busy() {
  World world;
  world.Make(LockOf("s1", {"A1", "A2", "A3", "A4", "A8"}), "r1");
  world.Make(UnlockSeats{.session = SessionId("s1"), .seats = SeatIds({"A2"})}, "r2");
  world.Make(BookSeats{
      .session = SessionId("s1"), .order = OrderId("o1"), .seats = SeatIds({"A3", "A4", "A5"})});
  world.Make(CancelBooking{.order = OrderId("o1"), .seats = SeatIds({"A4"})});
  world.Make(CancelBooking{.order = OrderId("o2"), .all = true, .tombstone = true});
  world.now_ms += 1000;
  return world;
}

template <typename Body>
Change Decided(const World& world, Body body, std::optional<const char*> request = {}) {
  Command command{.body = std::move(body)};
  if (request) command.request_id = RequestId(*request);
  Decision decision = Decide(world.showtime, command, world.now_ms, world.rules);
  auto* change = std::get_if<Change>(&decision);
  if (change == nullptr) {
    ADD_FAILURE() << "no change, but alternative " << decision.index();
    return {};
  }
  return std::move(*change);
}

// Applies `change`, sees in what the showtime differs then, reverts it, and expects that it differs
// in nothing any more.
std::set<std::string> DifferencesThatGoAgain(Showtime& showtime, const Change& change) {
  const int64_t now_ms = change.commit_ms;
  Names names;
  names.Add(showtime.Export());
  for (const SeatAfter& after : change.seats) {
    names.seats.insert(after.seat);
    names.sessions.insert(after.session);
  }
  if (!change.order.empty()) names.orders.insert(change.order);
  if (change.request) names.requests.insert(change.request->id);
  const Seen before = See(showtime, names, now_ms);
  Undo undo = showtime.ApplyUndoable(change);
  const Seen applied = See(showtime, names, now_ms);
  showtime.Revert(std::move(undo));
  EXPECT_EQ(Differences(See(showtime, names, now_ms), before), std::set<std::string>());
  return Differences(applied, before);
}

using ::testing::IsSupersetOf;

TEST(Undo, TheFirstChangeOfAShowtime) {
  World world;
  const Change change = Decided(world, LockOf("s1", {"A1"}), "r1");
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, change),
              IsSupersetOf({"revision", "commit_ms", "exported seats", "exported requests",
                            "exported shares", "seats", "held", "held counts", "requests", "shares",
                            "earliest_expire_ms", "lapsed", "taken", "counts"}));
  EXPECT_EQ(world.showtime.Export(), ShowtimeParts{});
  EXPECT_EQ(world.showtime.seat_count(), 0u);
  world.Make(LockOf("s2", {"A1"}), "r1");
  EXPECT_EQ(world.showtime.revision(), Revision(1));
}

TEST(Undo, AGrantOfASeatWhoseGrantsAreRemembered) {
  World world = Busy();
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, LockOf("s2", {"A2", "A4"}))),
              IsSupersetOf({"seats", "held", "held counts", "lapsed", "taken", "forgotten"}));
}

TEST(Undo, ALockOfAnUnseenSeatCountsForItsShare) {
  World world = Busy();
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, LockOf("s1", {"A9"}))),
              IsSupersetOf({"exported shares", "shares", "counts"}));
}

TEST(Undo, ASwap) {
  World world = Busy();
  LockSeats swap = LockOf("s1", {"A2", "A9"});
  swap.release = SeatIds({"A1"});
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, swap, "r3")),
              IsSupersetOf({"held", "taken", "requests", "forgotten"}));
}

TEST(Undo, AnUnlockOfAll) {
  World world = Busy();
  const UnlockSeats unlock{.session = SessionId("s1"), .all = true};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, unlock)),
              IsSupersetOf({"held", "held counts", "earliest_expire_ms", "lapsed", "taken"}));
}

TEST(Undo, AnExtension) {
  World world = Busy();
  const ExtendLocks extend{.session = SessionId("s1"), .seats = SeatIds({"A1"})};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, extend)),
              IsSupersetOf({"seats", "lapsed"}));
}

TEST(Undo, AnExpiry) {
  World world = Busy();
  world.now_ms += kTtlMsDefault;
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, ExpireLocks{})),
              IsSupersetOf({"held", "held counts", "earliest_expire_ms", "lapsed", "taken"}));
}

TEST(Undo, ANewOrder) {
  World world = Busy();
  const BookSeats book{.session = SessionId("s1"), .order = OrderId("o3")};
  EXPECT_THAT(
      DifferencesThatGoAgain(world.showtime, Decided(world, book)),
      IsSupersetOf({"exported orders", "orders", "held", "earliest_expire_ms", "taken", "counts"}));
}

TEST(Undo, SeatsThatCameIntoAnOrder) {
  World world = Busy();
  const BookSeats book{.session = SessionId("s1"),
                       .order = OrderId("o1"),
                       .seats = SeatIds({"A1", "A0", "A9", "A2"}),
                       .add_to_order = true};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, book)),
              IsSupersetOf({"orders", "seats", "held", "taken"}));
  EXPECT_EQ(world.showtime.FindOrder(OrderId("o1"))->seats, SeatIds({"A3", "A5"}));
}

TEST(Undo, ASeatThatWasCancelledOutOfAnOrder) {
  World world = Busy();
  const CancelBooking cancel{.order = OrderId("o1"), .seats = SeatIds({"A3"})};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, cancel)),
              IsSupersetOf({"orders", "seats", "taken", "counts"}));
  EXPECT_EQ(world.showtime.FindOrder(OrderId("o1"))->cancelled, SeatIds({"A4"}));
}

// A5 had no grant: its row goes with the booking.
TEST(Undo, AnOrderThatWasClosed) {
  World world = Busy();
  const CancelBooking cancel{.order = OrderId("o1"), .all = true};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, cancel)),
              IsSupersetOf({"orders", "seats", "taken", "counts"}));
  EXPECT_EQ(world.showtime.cancelled_seat_count(), 1u);
}

TEST(Undo, AnOrderThatWasBarred) {
  World world = Busy();
  const CancelBooking bar{.order = OrderId("o9"), .all = true, .tombstone = true};
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, Decided(world, bar, "r9")),
              IsSupersetOf({"orders", "requests", "counts"}));
  EXPECT_EQ(world.showtime.FindOrder(OrderId("o9")), nullptr);
}

// After 61 minutes the change of one server drops A2's grants, r1, r2 and s1's hour. The change
// that came first was made 2 minutes earlier by another server, whose state still has them all.
TEST(Undo, WhatWasDroppedAsForgottenCountsForAnEarlierChange) {
  World world = Busy();
  World other = Busy();
  world.now_ms += 61 * kMinuteMs;
  const Change later = Decided(world, LockOf("s2", {"B1"}));
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, later),
              IsSupersetOf({"seats", "requests", "exported shares", "forgotten"}));
  other.now_ms += 59 * kMinuteMs;
  const Change expired = Decided(other, ExpireLocks{});
  other.showtime.Apply(expired);
  const Change first = other.Make(LockOf("s1", {"A2", "B2"}));
  world.showtime.Apply(expired);
  world.showtime.Apply(first);
  EXPECT_EQ(world.showtime.Export(), other.showtime.Export());
  const Decision repeated =
      Decide(world.showtime,
             {.request_id = RequestId("r2"),
              .body = UnlockSeats{.session = SessionId("s1"), .seats = SeatIds({"A2"})}},
             first.commit_ms, world.rules);
  EXPECT_TRUE(std::holds_alternative<Replay>(repeated));
}

// The row of a request that is forgotten and still in the table is begun anew in its place.
TEST(Undo, AForgottenRequestIdThatIsUsedAgain) {
  World world = Busy();
  for (int i = 0; i < 200; ++i) {
    const std::string n = std::to_string(i);
    world.Make(LockSeats{.session = SessionId("t" + n), .seats = {SeatId("T" + n)}}, "t" + n);
  }
  world.now_ms += 2 * kRequestMemoryMs;
  const Change change = Decided(world, LockOf("t150", {"T150x"}), "t150");
  EXPECT_THAT(DifferencesThatGoAgain(world.showtime, change),
              IsSupersetOf({"requests", "shares", "counts", "forgotten"}));
}

TEST(Undo, ManyChangesGoInTheReverseOrder) {
  World world = Busy();
  const ShowtimeParts before = world.showtime.Export();
  std::vector<Undo> undos;
  const auto apply = [&](auto body) {
    undos.push_back(world.showtime.ApplyUndoable(Decided(world, std::move(body))));
  };
  apply(UnlockSeats{.session = SessionId("s1"), .all = true});
  apply(LockOf("s2", {"A1", "A2", "B1"}));
  apply(BookSeats{.session = SessionId("s2"), .order = OrderId("o3")});
  Showtime moved = std::move(world.showtime);
  for (; !undos.empty(); undos.pop_back()) moved.Revert(std::move(undos.back()));
  EXPECT_EQ(moved.Export(), before);
}

TEST(UndoDeathTest, OnlyTheLastChangeThatStandsIsTakenBack) {
  World world = Busy();
  Undo first = world.showtime.ApplyUndoable(Decided(world, LockOf("s2", {"B1"})));
  Undo second = world.showtime.ApplyUndoable(Decided(world, LockOf("s2", {"B2"})));
  EXPECT_DEATH(world.showtime.Revert(std::move(first)), "not the change that was applied last");
  World other = Busy();
  EXPECT_DEATH(other.showtime.Revert(std::move(second)), "not the change that was applied last");

  world.showtime.Revert(std::move(second));
  EXPECT_DEATH(world.showtime.Revert(std::move(second)), "not the change that was applied last");
  // Another change of the same revision stands now.
  Undo instead = world.showtime.ApplyUndoable(Decided(world, LockOf("s3", {"B2"})));
  world.showtime.Revert(std::move(instead));
  world.Make(LockOf("s3", {"B3"}));
  EXPECT_DEATH(world.showtime.Revert(std::move(first)), "not the change that was applied last");
}

}  // namespace
}  // namespace seatlock::domain::testing
