// What a store kept is folded only if it can have been decided on the state before it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "services/seatlock/domain/world_for_test.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::domain::testing {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;
using ::testing::HasSubstr;

// E1 is blocked; s1 holds A1 and A2; s2 holds B1; o1 has C1 and C2, and C3 was cancelled out of it;
// o9 is closed.
World Hall() {
  World world;
  world.Make(BookSeats{
      .session = SessionId("s1"), .order = OrderId("o1"), .seats = SeatIds({"C1", "C2", "C3"})});
  world.Make(CancelBooking{.order = OrderId("o1"), .seats = SeatIds({"C3"})});
  world.Make(CancelBooking{.order = OrderId("o9"), .all = true, .tombstone = true});
  world.Make(LockSeats{.session = SessionId("s1"), .seats = SeatIds({"A1", "A2"})}, "r1");
  world.Make(LockSeats{.session = SessionId("s2"), .seats = SeatIds({"B1"})});
  world.Make(BlockSeats{.seats = SeatIds({"E1"})});
  world.now_ms += kMinuteMs;
  return world;
}

Change Decided(const World& world, Command command) {
  if (!command.request_id) command.request_id = RequestId("new");
  Decision decision = Decide(world.showtime, command, world.now_ms, world.rules);
  EXPECT_TRUE(std::holds_alternative<Change>(decision));
  return std::get<Change>(std::move(decision));
}

Command Lock() {
  return {.body = LockSeats{.session = SessionId("s1"), .seats = SeatIds({"A1", "D1", "D2"})}};
}
Command Swap() {
  return {.body = LockSeats{
              .session = SessionId("s1"), .seats = SeatIds({"D1"}), .release = SeatIds({"A2"})}};
}
Command Unlock() {
  return {.body = UnlockSeats{.session = SessionId("s1"), .all = true}};
}
Command Extend() {
  return {.body = ExtendLocks{.session = SessionId("s1"), .all = true}};
}
Command Expire() {
  return {.body = ExpireLocks{}};
}
Command Book() {
  return {.body = BookSeats{
              .session = SessionId("s1"), .order = OrderId("o2"), .seats = SeatIds({"A1", "D1"})}};
}
Command Add() {
  return {.body = BookSeats{.session = SessionId("s1"),
                            .order = OrderId("o1"),
                            .seats = SeatIds({"A1"}),
                            .add_to_order = true}};
}
Command Cancel() {
  return {.body = CancelBooking{.order = OrderId("o1"), .seats = SeatIds({"C1"})}};
}
Command Bar() {
  return {.body = CancelBooking{.order = OrderId("o3"), .all = true, .tombstone = true}};
}

Command Block() {
  return {.body = BlockSeats{.seats = SeatIds({"A1", "D1"}), .release_locks = true, .note = "why"}};
}
Command Unblock() {
  return {.body = UnblockSeats{.seats = SeatIds({"E1"})}};
}
Command Release() {
  return {.body = ReleaseSeats{.seats = SeatIds({"A1", "B1"})}};
}
Command Close() {
  return {.body = CloseShowtime{}};
}

struct Case {
  const char* name;
  Command (*command)();
  void (*spoil)(Change&);
  const char* says;
};

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.name;
}

class Misfits : public ::testing::TestWithParam<Case> {};

TEST_P(Misfits, AreDataLossAndChangeNothing) {
  World world = Hall();
  if (GetParam().command == &Expire) world.now_ms += kTtlMsDefault;
  Change change = Decided(world, GetParam().command());
  ASSERT_THAT(world.showtime.Check(change), IsOk());  // the control: unspoiled it fits
  GetParam().spoil(change);
  const ShowtimeParts before = world.showtime.Export();
  const absl::Status status = world.showtime.TryApply(change);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
  EXPECT_EQ(world.showtime.Export(), before);
}

void AnotherHolder(Change& c) {
  c.seats[0].session = SessionId("s2");
}

INSTANTIATE_TEST_SUITE_P(
    Showtime, Misfits,
    ::testing::Values(
        Case{"RevisionLeftOut", Lock, [](auto& c) { c.revision = c.revision.Next(); },
             "change 8 on head 6: its revision is not the next"},
        Case{"TimeBackwards", Lock, [](auto& c) { c.commit_ms -= 2 * kMinuteMs; }, "backwards"},
        Case{"RequestTwice", Lock, [](auto& c) { c.request->id = RequestId("r1"); }, "request_id"},
        Case{"OrderOfALock", Lock, [](auto& c) { c.order = OrderId("o1"); }, "order"},
        Case{"SeatTwice", Lock, [](auto& c) { c.seats[1] = c.seats[0]; }, "a seat twice"},
        Case{"SeatChangedAndNot", Lock, [](auto& c) { c.seats[0].seat = SeatId("A1"); },
             "a seat twice"},
        Case{"SeatWithoutId", Lock, [](auto& c) { c.seats[0].seat = SeatId(); }, "no id"},
        Case{"NoSession", Lock, [](auto& c) { c.seats[0].session = SessionId(); }, "no session"},
        Case{"TwoSessions", Lock, [](auto& c) { c.seats[1].session = SessionId("s2"); },
             "another session"},
        Case{"Blocked", Lock, [](auto& c) { c.seats[0].status = SeatStatus::kBlocked; }, "fields"},
        Case{"NoSeats", Lock, [](auto& c) { c.seats.clear(); }, "changes nothing"},
        Case{"LockOfALockedSeat", Lock, [](auto& c) { c.seats[0].seat = SeatId("B1"); },
             "seat B1: locked, but it was taken"},
        Case{"LockOfABookedSeat", Lock, [](auto& c) { c.seats[0].seat = SeatId("C1"); },
             "seat C1: locked, but it was taken"},
        Case{"LockWithAnotherFence", Lock, [](auto& c) { c.seats[0].fence = Fence(1); }, "fence"},
        Case{"LockThatHadEnded", Lock, [](auto& c) { c.seats[0].expire_ms = 1; }, "ended"},
        Case{"LockThatFrees", Lock,
             [](auto& c) { c.seats[0] = {.seat = SeatId("A2"), .session = SessionId("s1")}; },
             "locked"},
        Case{"LockThatDidNotStand", Lock, [](auto& c) { c.unchanged[0].expire_ms += 1; },
             "seat A1: a lock that does not stand so"},
        Case{"LockOfAnotherThatStood", Lock,
             [](auto& c) {
               c.unchanged[0].seat = SeatId("B1");
               c.unchanged[0].session = SessionId("s2");
             },
             "does not stand"},
        Case{"KeptSeatsOfALock", Lock, [](auto& c) { c.kept = SeatIds({"C1"}); }, "keeps"},
        Case{"ClosingLock", Lock, [](auto& c) { c.order_closed = true; }, "closes"},
        Case{"BlockOfABookedSeat", Block,
             [](auto& c) { c.seats[1].seat = SeatId("C1"); }, "seat C1: blocked, but it was sold"},
        Case{"BlockOfABlockedSeat", Block, [](auto& c) { c.seats[1].seat = SeatId("E1"); },
             "seat E1: blocked"},
        Case{"BlockOfAnothersLock", Block, AnotherHolder, "seat A1: blocked"},
        Case{"BlockThatFrees", Block,
             [](auto& c) { c.seats[0].status = SeatStatus::kAvailable; }, "seat A1: blocked"},
        Case{"BlockUnderAnOrder", Block, [](auto& c) { c.seats[0].order = OrderId("o1"); },
             "fields"},
        Case{"UnblockOfABookedSeat", Unblock, [](auto& c) { c.seats[0].seat = SeatId("C1"); },
             "seat C1: unblocked"},
        Case{"UnblockForASession", Unblock, AnotherHolder, "seat E1: unblocked"},
        Case{"ReleaseOfABookedSeat", Release, [](auto& c) { c.seats[0].seat = SeatId("C1"); },
             "seat C1: released"},
        Case{"ReleaseOfAnothersLock", Release, AnotherHolder, "seat A1: released"},
        Case{"CloseOfAClosedShowtime", Close, [](auto& c) { c.cause = Cause::kReopen; },
             "changes nothing"},
        Case{"CloseWithSeats", Close,
             [](auto& c) { c.seats = {{.seat = SeatId("A1"), .session = SessionId("s1")}}; },
             "has none"},
        Case{"NoteOfALock", Lock, [](auto& c) { c.note = "why"; }, "note"},
        Case{"SwapOfWhatAnotherHeld", Swap, [](auto& c) { c.seats[1].seat = SeatId("B1"); },
             "seat B1: freed"},
        Case{"UnlockByAnother", Unlock,
             [](auto& c) {
               for (SeatAfter& seat : c.seats) seat.session = SessionId("s2");
             },
             "freed by who did not hold it"},
        Case{"UnlockOfAFreeSeat", Unlock, [](auto& c) { c.seats[0].seat = SeatId("D1"); }, "freed"},
        Case{"UnlockOfABookedSeat", Unlock, [](auto& c) { c.seats[0].seat = SeatId("C1"); },
             "freed"},
        Case{"ExtensionByAnother", Extend,
             [](auto& c) {
               for (SeatAfter& seat : c.seats) seat.session = SessionId("s2");
             },
             "extended by who did not hold it"},
        Case{"ExtensionWithAnotherFence", Extend, [](auto& c) { c.seats[0].fence = Fence(6); },
             "fence"},
        Case{"ExtensionToAnEarlierTime", Extend,
             [](auto& c) { c.seats[0].expire_ms -= 2 * kMinuteMs; }, "no later time"},
        Case{"ExpiryBeforeItsTime", Expire, [](auto& c) { c.commit_ms -= kTtlMsDefault; },
             "no such lock had lapsed"},
        Case{"ExpiryOfAnother", Expire, AnotherHolder, "no such lock had lapsed"},
        Case{"BookingOfALockedSeat", Book, [](auto& c) { c.seats[1].seat = SeatId("B1"); },
             "seat B1: booked, but it was taken"},
        Case{"BookingOfABookedSeat", Book, [](auto& c) { c.seats[1].seat = SeatId("C1"); },
             "seat C1: booked, but it was taken"},
        Case{"BookingUnderAClosedOrder", Book,
             [](auto& c) {
               c.order = OrderId("o9");
               for (SeatAfter& seat : c.seats) seat.order = c.order;
             },
             "closed"},
        Case{"BookingWithoutOrder", Book, [](auto& c) { c.order = OrderId(); }, "order"},
        Case{"BookingUnderTwoOrders", Book, [](auto& c) { c.seats[0].order = OrderId("o3"); },
             "fields"},
        Case{"BookingThatLocks", Book,
             [](auto& c) {
               c.seats[1] = {.seat = SeatId("D1"),
                             .status = SeatStatus::kLocked,
                             .session = SessionId("s1"),
                             .expire_ms = c.commit_ms + 1000,
                             .fence = Fence(c.revision.value())};
             },
             "does not sell"},
        Case{"NewOrderThatKeptSeats", Book, [](auto& c) { c.kept = SeatIds({"C1"}); }, "new order"},
        Case{"OrderThatLostSeats", Add, [](auto& c) { c.kept.pop_back(); }, "other seats"},
        Case{"SeatThatReturnsToItsOrder", Add, [](auto& c) { c.seats[0].seat = SeatId("C3"); },
             "cancelled out of the order"},
        Case{"CancelOfAnUnknownOrder", Cancel,
             [](auto& c) { c.order = c.seats[0].order = OrderId("o7"); }, "not known"},
        Case{"CancelOfAClosedOrder", Cancel,
             [](auto& c) { c.order = c.seats[0].order = OrderId("o9"); }, "closed"},
        Case{"CancelOfASeatOfNoOrder", Cancel, [](auto& c) { c.seats[0].seat = SeatId("D1"); },
             "had not sold"},
        Case{"CancelOfALock", Cancel, [](auto& c) { c.seats[0].seat = SeatId("A1"); },
             "had not sold"},
        Case{"CancelThatNamesAnotherBuyer", Cancel, AnotherHolder, "had not sold"},
        Case{"CancelThatClosesTooEarly", Cancel, [](auto& c) { c.order_closed = true; },
             "not closed with its last seat"},
        Case{"CancelOfNothing", Cancel, [](auto& c) { c.seats.clear(); }, "changes nothing"},
        Case{"TombstoneThatStaysOpen", Bar, [](auto& c) { c.order_closed = false; }, "not known"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ShowtimeCheck, EveryKindOfChangeThatIsDecidedFits) {
  for (auto* command : {Lock, Swap, Unlock, Extend, Book, Add, Cancel, Bar}) {
    World world = Hall();
    const Change change = Decided(world, command());
    EXPECT_THAT(world.showtime.TryApply(change), IsOk());
    EXPECT_EQ(world.showtime.revision(), change.revision);
  }
}

TEST(ShowtimeCheck, ARequestIdMayComeAgainOnceItIsForgotten) {
  World world = Hall();
  world.now_ms += kRequestMemoryMs + 1;
  Command command = Book();
  command.request_id = RequestId("r1");
  world.DoNow(ExpireLocks{});
  EXPECT_THAT(world.showtime.TryApply(Decided(world, command)), IsOk());
}

}  // namespace
}  // namespace seatlock::domain::testing
