#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "services/seatlock/domain/world_for_test.h"

namespace seatlock::domain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LockSeats LockOf(const char* session, std::initializer_list<const char*> seats) {
  return {.session = SessionId(session), .seats = SeatIds(seats)};
}
BookSeats BookOf(const char* session, const char* order, std::initializer_list<const char*> seats) {
  return {.session = SessionId(session), .order = OrderId(order), .seats = SeatIds(seats)};
}
CancelBooking CancelOf(const char* order, std::initializer_list<const char*> seats) {
  return {.order = OrderId(order), .seats = SeatIds(seats), .all = seats.size() == 0};
}
BookSeats WithFence(BookSeats book, const char* seat, uint64_t fence) {
  book.fences = {{SeatId(seat), Fence(fence)}};
  return book;
}

TEST(BookRules, HeldAndFreeSeatsAreBookedInOneStep) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  const BookSeats body = BookOf("s1", "o1", {"A2", "A1"});
  const Change change = world.Make(body);
  EXPECT_EQ(change.cause, Cause::kBook);
  EXPECT_EQ(change.order, OrderId("o1"));
  EXPECT_EQ(change.seats[0], (SeatAfter{.seat = SeatId("A2"),
                                        .status = SeatStatus::kBooked,
                                        .session = SessionId("s1"),
                                        .order = OrderId("o1")}));
  EXPECT_EQ(AnswerFor(Command{.body = body}, change).order_seats, SeatIds({"A1", "A2"}));
  EXPECT_EQ(world.showtime.HeldCount(SessionId("s1")), 0u);
  EXPECT_EQ(world.showtime.earliest_expire_ms(), std::nullopt);
}

TEST(BookRules, WithoutSeatsAllThatIsHeldIsBooked) {
  World world;
  world.Make(LockOf("s1", {"A2", "A1"}));
  EXPECT_EQ(world.Make(BookOf("s1", "o1", {})).seats.size(), 2u);
  EXPECT_EQ(world.Ask(BookOf("s2", "o1", {})).order_seats, SeatIds({"A1", "A2"}));
  EXPECT_EQ(world.Refused(BookOf("s1", "o2", {})).reason, Reason::kNothingHeld);
}

TEST(BookRules, TakenSeatsAreNamed) {
  World world;
  world.Make(LockOf("s2", {"A1"}));
  world.Make(BookOf("s2", "o2", {"A2"}));
  const Refusal refusal = world.Refused(BookOf("s1", "o1", {"A3", "A2", "A1"}));
  EXPECT_EQ(refusal.reason, Reason::kSeatTaken);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A2"), SeatStatus::kBooked, Reason::kSeatTaken},
                          Conflict{SeatId("A1"), SeatStatus::kLocked, Reason::kSeatTaken}));
  EXPECT_EQ(world.showtime.FindOrder(OrderId("o1")), nullptr);
}

TEST(BookRules, OnlyHeldRefusesFreeSeats) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  BookSeats body = BookOf("s1", "o1", {"A1", "A2"});
  body.only_held = true;
  const Refusal refusal = world.Refused(body);
  EXPECT_EQ(refusal.reason, Reason::kNotLockHolder);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A2"), SeatStatus::kAvailable, Reason::kNotLockHolder}));
}

TEST(BookRules, EverySeatInTheWayHasItsOwnReasonAndTheFirstOfThemIsTheRefusals) {
  World world;
  world.Make(LockOf("s2", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s2"), .all = true});
  world.Make(LockOf("s1", {"A1"}));
  world.Make(LockOf("s2", {"A3"}));
  BookSeats body = WithFence(BookOf("s1", "o1", {"A1", "A2", "A3"}), "A1", 0);
  body.only_held = true;
  const Refusal refusal = world.Refused(body);
  EXPECT_EQ(refusal.reason, Reason::kSeatTaken);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A1"), SeatStatus::kLocked, Reason::kStaleFence},
                          Conflict{SeatId("A2"), SeatStatus::kAvailable, Reason::kNotLockHolder},
                          Conflict{SeatId("A3"), SeatStatus::kLocked, Reason::kSeatTaken}));
}

TEST(BookRules, FenceOlderThanAGrantToAnotherIsStale) {
  World world;
  const Change first = world.Make(LockOf("s1", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s1"), .all = true});
  world.Make(LockOf("s2", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s2"), .all = true});
  const uint64_t fence = first.seats[0].fence.value();
  EXPECT_EQ(world.Refused(WithFence(BookOf("s1", "o1", {"A1"}), "A1", fence)).reason,
            Reason::kStaleFence);
}

TEST(BookRules, FenceOlderThanTheGrantsInBetweenIsStaleForWhoHoldsAgain) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s1"), .all = true});
  world.Make(LockOf("s2", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s2"), .all = true});
  world.Make(LockOf("s1", {"A1"}));
  EXPECT_EQ(world.Refused(WithFence(BookOf("s1", "o1", {"A1"}), "A1", 1)).reason,
            Reason::kStaleFence);
  world.Make(WithFence(BookOf("s1", "o1", {"A1"}), "A1", 5));
}

TEST(BookRules, OwnGrantsMakeNoFenceStale) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s1"), .all = true});
  world.Make(LockOf("s1", {"A1"}));
  world.Make(WithFence(BookOf("s1", "o1", {"A1"}), "A1", 1));
}

TEST(BookRules, GrantsAreForgottenAnHourAfterTheSeatWasFreed) {
  World world;
  world.Make(LockOf("s2", {"A1"}));
  world.Make(UnlockSeats{.session = SessionId("s2"), .all = true});
  world.now_ms += kGrantMemoryMs;
  const BookSeats body = WithFence(BookOf("s1", "o1", {"A1"}), "A1", 0);
  EXPECT_EQ(world.Refused(body).reason, Reason::kStaleFence);
  world.now_ms += 1;
  world.Make(body);
}

TEST(BookRules, GrantsAreRememberedWhileTheSeatIsBookedAndAnHourAfter) {
  World world;
  world.Make(LockOf("s2", {"A1"}));
  world.Make(BookOf("s2", "o2", {"A1"}));
  world.now_ms += 5 * kGrantMemoryMs;
  world.Make(CancelOf("o2", {}));
  world.now_ms += kGrantMemoryMs;
  const BookSeats body = WithFence(BookOf("s1", "o1", {"A1"}), "A1", 0);
  EXPECT_EQ(world.Refused(body).reason, Reason::kStaleFence);
}

TEST(OrderRules, SameOrderWithSameSeatsIsSuccess) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  const Answer answer = world.Ask(BookOf("s1", "o1", {"A2", "A1", "A2"}));
  EXPECT_EQ(answer.revision, Revision(1));
  EXPECT_EQ(answer.order_seats, SeatIds({"A1", "A2"}));
}

TEST(OrderRules, SameOrderWithOtherSeatsIsAMismatchUnlessAdded) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A1"})).reason, Reason::kOrderMismatch);
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A1", "A2", "A3"})).reason, Reason::kOrderMismatch);
  BookSeats add = BookOf("s1", "o1", {"A0", "A2"});
  add.add_to_order = true;
  const Change change = world.Make(add);
  EXPECT_EQ(change.seats.size(), 1u);
  EXPECT_EQ(AnswerFor(Command{.body = add}, change).order_seats, SeatIds({"A0", "A1", "A2"}));
  EXPECT_EQ(world.Ask(add).order_seats, SeatIds({"A0", "A1", "A2"}));
}

TEST(OrderRules, MismatchComesBeforeTakenSeats) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A2"})).reason, Reason::kOrderMismatch);
}

TEST(OrderRules, AddToAnUnknownOrderJustBooks) {
  World world;
  BookSeats add = BookOf("s1", "o1", {"A1"});
  add.add_to_order = true;
  EXPECT_EQ(world.Make(add).seats.size(), 1u);
}

TEST(OrderRules, PartlyCancelledOrderRepeatsAsSuccessWithWhatIsLeft) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2", "A3"}));
  world.Make(CancelOf("o1", {"A2"}));
  EXPECT_EQ(world.Ask(BookOf("s1", "o1", {"A1", "A2", "A3"})).order_seats, SeatIds({"A1", "A3"}));
  EXPECT_EQ(world.Ask(BookOf("s1", "o1", {"A1", "A3"})).order_seats, SeatIds({"A1", "A3"}));
  EXPECT_EQ(world.Ask(BookOf("s1", "o1", {})).order_seats, SeatIds({"A1", "A3"}));
}

TEST(OrderRules, CancelledSeatNeverReturnsToItsOrder) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  world.Make(CancelOf("o1", {"A2"}));
  BookSeats add = BookOf("s1", "o1", {"A2"});
  add.add_to_order = true;
  EXPECT_EQ(world.Ask(add).order_seats, SeatIds({"A1"}));
  EXPECT_EQ(world.StatusOf("A2"), SeatStatus::kAvailable);
}

TEST(OrderRules, CancelledSeatAmongNewOnesIsInTheWay) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  world.Make(CancelOf("o1", {"A2"}));
  BookSeats add = BookOf("s1", "o1", {"A2", "A3"});
  add.add_to_order = true;
  const Refusal refusal = world.Refused(add);
  EXPECT_EQ(refusal.reason, Reason::kOrderMismatch);
  ASSERT_EQ(refusal.conflicts.size(), 1u);
  EXPECT_EQ(refusal.conflicts[0].seat, SeatId("A2"));
  EXPECT_EQ(world.StatusOf("A3"), SeatStatus::kAvailable);
}

TEST(OrderRules, CancelledOrderNeverBooksAgain) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1"}));
  EXPECT_TRUE(world.Make(CancelOf("o1", {})).order_closed);
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A1"})).reason, Reason::kOrderCancelled);
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {})).reason, Reason::kOrderCancelled);
}

TEST(OrderRules, CancelledOrderComesBeforeTakenSeats) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1"}));
  world.Make(CancelOf("o1", {}));
  world.Make(LockOf("s2", {"A1"}));
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A1"})).reason, Reason::kOrderCancelled);
}

// Adds 100 seats a call to `order` until it has `seats`.
void Fill(World& world, const char* order, size_t seats) {
  BookSeats book{
      .session = SessionId("s"), .order = OrderId(order), .seats = {}, .add_to_order = true};
  for (size_t i = 0; i < seats; ++i) {
    book.seats.emplace_back(order + std::to_string(i));
    if (book.seats.size() == kSeatsPerCallMax || i + 1 == seats) {
      world.Make(book);
      book.seats.clear();
    }
  }
}

// Locks seats for one session that others had named before.
void Hold(World& world, const char* session, size_t seats) {
  world.rules.max_session_seats = kSessionSeatsMax;
  for (size_t first = 0; first < seats; first += 50) {
    LockSeats lock{.session = SessionId("other" + std::to_string(first))};
    for (size_t i = first; i < std::min(first + 50, seats); ++i) {
      lock.seats.emplace_back("held" + std::to_string(i));
    }
    world.Make(lock);
    world.Make(UnlockSeats{.session = lock.session, .all = true});
    lock.session = SessionId(session);
    world.Make(lock);
  }
}

TEST(OrderRules, HoldsAtMostTwoThousandSeats) {
  World world;
  Fill(world, "o1", 2000);
  BookSeats more = BookOf("s1", "o1", {"A1"});
  more.add_to_order = true;
  const Refusal refusal = world.Refused(more);
  EXPECT_EQ(refusal.reason, Reason::kOrderSeatLimit);
  EXPECT_EQ(refusal.limit, 2000u);
  EXPECT_EQ(refusal.held, 2000u);
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kAvailable);
  world.Make(CancelOf("o1", {"o17"}));
  world.Make(more);
  EXPECT_EQ(world.Make(CancelOf("o1", {})).seats.size(), 2000u);
}

TEST(OrderRules, RemembersAtMostFourThousandSeatsWithThoseCancelledOutOfIt) {
  World world;
  Fill(world, "o1", 2000);
  BookSeats more{.session = SessionId("s1"), .order = OrderId("o1"), .add_to_order = true};
  for (size_t i = 0; i < 100; ++i) more.seats.emplace_back("o1" + std::to_string(i));
  world.Make(CancelBooking{.order = more.order, .seats = more.seats});
  for (size_t call = 0; call < 20; ++call) {
    more.seats.clear();
    for (size_t i = 0; i < 100; ++i) more.seats.emplace_back(std::to_string(call * 100 + i));
    world.Make(more);
    world.Make(CancelBooking{.order = more.order, .seats = more.seats});
  }
  EXPECT_EQ(world.showtime.FindOrder(more.order)->cancelled.size(), 2100u);
  more.seats = SeatIds({"A1"});
  const Refusal refusal = world.Refused(more);
  EXPECT_EQ(refusal.reason, Reason::kOrderSeatLimit);
  EXPECT_EQ(refusal.limit, 4000u);
  EXPECT_EQ(refusal.held, 4000u);
  EXPECT_EQ(world.Make(CancelOf("o1", {})).seats.size(), 1900u);
}

TEST(OrderRules, AnAdditionThatReachesPastTheLimitIsRefusedWhole) {
  World world;
  Fill(world, "o1", 1999);
  BookSeats more = BookOf("s1", "o1", {"A1", "A2", "o10"});
  more.add_to_order = true;
  EXPECT_EQ(world.Refused(more).held, 1999u);
  more.seats.erase(more.seats.begin());
  world.Make(more);
}

TEST(OrderRules, WithoutSeatsMoreThanTheLimitAreRefused) {
  World world;
  Hold(world, "s1", 2001);
  const Refusal refusal = world.Refused(BookOf("s1", "o1", {}));
  EXPECT_EQ(refusal.reason, Reason::kOrderSeatLimit);
  EXPECT_EQ(refusal.limit, 2000u);
  EXPECT_EQ(refusal.held, 0u);
  EXPECT_EQ(world.showtime.HeldCount(SessionId("s1")), 2001u);
  world.Make(UnlockSeats{.session = SessionId("s1"), .seats = SeatIds({"held0"})});
  EXPECT_EQ(world.Make(BookOf("s1", "o1", {})).seats.size(), 2000u);
}

TEST(OrderRules, TakenSeatsComeBeforeTheLimit) {
  World world;
  Fill(world, "o1", 2000);
  world.Make(LockOf("s2", {"A1"}));
  BookSeats more = BookOf("s1", "o1", {"A1"});
  more.add_to_order = true;
  EXPECT_EQ(world.Refused(more).reason, Reason::kSeatTaken);
}

// Versions before the limit let orders grow; one change of such an order could be of any size.
TEST(OrderRules, AnOrderTooLargeForOneChangeIsCancelledSeatBySeatUntilItFits) {
  World world;
  ShowtimeParts parts{.revision = Revision(1), .commit_ms = world.now_ms};
  parts.orders.push_back({.order = OrderId("o1")});
  for (size_t i = 0; i < kSeatsPerChangeMax + 1; ++i) {
    const SeatId seat(std::to_string(100'000 + i));
    parts.orders[0].seats.push_back(seat);
    parts.seats.push_back({.seat = seat,
                           .status = SeatStatus::kBooked,
                           .session = SessionId("s1"),
                           .order = OrderId("o1")});
  }
  world.showtime = *Showtime::Restore(std::move(parts));
  const Refusal refusal = world.Refused(CancelOf("o1", {}));
  EXPECT_EQ(refusal.reason, Reason::kOrderSeatLimit);
  EXPECT_EQ(refusal.limit, kSeatsPerChangeMax);
  EXPECT_EQ(refusal.held, kSeatsPerChangeMax + 1);
  EXPECT_FALSE(world.Make(CancelOf("o1", {"100007"})).order_closed);
  const Change change = world.Make(CancelOf("o1", {}));
  EXPECT_EQ(change.seats.size(), kSeatsPerChangeMax);
  EXPECT_TRUE(change.order_closed);
}

TEST(CancelRules, FreedSeatsNameTheBuyerAndTheOrder) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  const Change change = world.Make(CancelOf("o1", {"A1"}));
  EXPECT_EQ(change.cause, Cause::kCancel);
  EXPECT_FALSE(change.order_closed);
  EXPECT_THAT(change.seats,
              ElementsAre(SeatAfter{
                  .seat = SeatId("A1"), .session = SessionId("s1"), .order = OrderId("o1")}));
  EXPECT_TRUE(world.Make(CancelOf("o1", {"A2"})).order_closed);
}

TEST(CancelRules, RepeatingIsSuccess) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  world.Make(CancelOf("o1", {"A1"}));
  EXPECT_EQ(world.Ask(CancelOf("o1", {"A1"})).revision, Revision(2));
  world.Make(CancelOf("o1", {}));
  EXPECT_EQ(world.Ask(CancelOf("o1", {})).revision, Revision(3));
  EXPECT_EQ(world.Ask(CancelOf("o1", {"A9"})).revision, Revision(3));
}

TEST(CancelRules, SeatThatNeverWasInTheOrderIsAMismatch) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1"}));
  world.Make(LockOf("s2", {"A2"}));
  const Refusal refusal = world.Refused(CancelOf("o1", {"A1", "A2"}));
  EXPECT_EQ(refusal.reason, Reason::kOrderMismatch);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A2"), SeatStatus::kLocked, Reason::kOrderMismatch}));
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kBooked);
}

TEST(CancelRules, SeatSoldToAnotherOrderSinceIsLeftAlone) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1", "A2"}));
  world.Make(CancelOf("o1", {"A1"}));
  world.Make(BookOf("s2", "o2", {"A1"}));
  world.Make(CancelOf("o1", {"A1", "A2"}));
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kBooked);
  EXPECT_EQ(world.showtime.FindSeat(SeatId("A1"))->order, OrderId("o2"));
}

TEST(CancelRules, UnknownOrderIsRefusedUnlessATombstoneBarsIt) {
  World world;
  EXPECT_EQ(world.Refused(CancelOf("o1", {})).reason, Reason::kUnknownOrder);
  CancelBooking bar = CancelOf("o1", {"A1"});
  bar.tombstone = true;
  const Change change = world.Make(bar);
  EXPECT_TRUE(change.order_closed);
  EXPECT_THAT(change.seats, IsEmpty());
  EXPECT_EQ(world.Refused(BookOf("s1", "o1", {"A1"})).reason, Reason::kOrderCancelled);
  EXPECT_EQ(world.Ask(bar).revision, Revision(1));
}

}  // namespace
}  // namespace seatlock::domain::testing
