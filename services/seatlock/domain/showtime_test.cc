#include "services/seatlock/domain/showtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/domain/id_table.h"
#include "services/seatlock/domain/world_for_test.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::domain::testing {
namespace {

using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;

LockSeats LockOf(const std::string& session, const std::string& seat) {
  return {.session = SessionId(session), .seats = {SeatId(seat)}};
}

// A showtime in which every kind of entry stands.
World Busy() {
  World world;
  world.Make(LockSeats{.session = SessionId("s1"), .seats = SeatIds({"A1", "A2", "A3", "A4"})},
             "r1");
  world.Make(UnlockSeats{.session = SessionId("s1"), .seats = SeatIds({"A2"})}, "r2");
  world.Make(BookSeats{
      .session = SessionId("s1"), .order = OrderId("o1"), .seats = SeatIds({"A3", "A4", "A5"})});
  world.Make(CancelBooking{.order = OrderId("o1"), .seats = SeatIds({"A4"})});
  world.Make(CancelBooking{.order = OrderId("o2"), .all = true, .tombstone = true});
  return world;
}

TEST(Showtime, StartsEmpty) {
  const Showtime showtime;
  EXPECT_EQ(showtime.revision(), Revision(0));
  EXPECT_EQ(showtime.Export(), ShowtimeParts{});
  EXPECT_FALSE(showtime.FindSeat(SeatId("A1")));
  EXPECT_TRUE(showtime.TakenFrom(SeatId(), SIZE_MAX).empty());
  EXPECT_FALSE(showtime.earliest_expire_ms());
}

TEST(Showtime, TakenSeatsAreOrderedAndLeaveFreeOnesOut) {
  const World world = Busy();
  std::vector<std::string> taken;
  for (const SeatView& seat : world.showtime.TakenFrom(SeatId(), SIZE_MAX))
    taken.push_back(seat.seat.value());
  EXPECT_THAT(taken, ::testing::ElementsAre("A1", "A3", "A5"));
  EXPECT_EQ(world.showtime.seat_count(), 5u);
}

TEST(Showtime, CountsTheSeatsThatAreTakenAndNoLockThatHasLapsed) {
  EXPECT_EQ(Showtime().CountsAt(0), SeatCounts{});
  const World world = Busy();
  const Showtime& showtime = world.showtime;
  const SeatCounts counts = showtime.CountsAt(world.now_ms);
  EXPECT_EQ(counts, (SeatCounts{.locked = 1, .booked = 2, .blocked = 0}));
  const int64_t expire_ms = showtime.earliest_expire_ms().value();
  EXPECT_EQ(showtime.CountsAt(expire_ms - 1), counts);
  EXPECT_EQ(showtime.CountsAt(expire_ms), (SeatCounts{.locked = 0, .booked = 2, .blocked = 0}));

  ShowtimeParts parts = showtime.Export();
  parts.seats.push_back({.seat = SeatId("Z1"), .status = SeatStatus::kBlocked});
  absl::StatusOr<Showtime> restored = Showtime::Restore(std::move(parts));
  ASSERT_THAT(restored, IsOk());
  EXPECT_EQ(restored->CountsAt(world.now_ms), (SeatCounts{.locked = 1, .booked = 2, .blocked = 1}));
}

TEST(Showtime, RestoreGivesWhatExportGave) {
  const World world = Busy();
  const ShowtimeParts parts = world.showtime.Export();
  absl::StatusOr<Showtime> restored = Showtime::Restore(parts);
  ASSERT_THAT(restored, IsOk());
  EXPECT_EQ(restored->Export(), parts);
  EXPECT_EQ(restored->earliest_expire_ms(), world.showtime.earliest_expire_ms());
  EXPECT_EQ(restored->HeldBy(SessionId("s1")), world.showtime.HeldBy(SessionId("s1")));
}

TEST(Showtime, AClosedOrderKeepsNoSeats) {
  World world = Busy();
  EXPECT_EQ(world.showtime.cancelled_seat_count(), 1u);
  ShowtimeParts earlier = world.showtime.Export();
  world.Make(CancelBooking{.order = OrderId("o1"), .all = true});
  EXPECT_EQ(*world.showtime.FindOrder(OrderId("o1")),
            (OrderEntry{.order = OrderId("o1"), .closed = true}));
  EXPECT_EQ(world.showtime.cancelled_seat_count(), 0u);
  // Snapshots of earlier versions have them.
  earlier.orders[1].cancelled = SeatIds({"A9"});
  absl::StatusOr<Showtime> restored = Showtime::Restore(earlier);
  ASSERT_THAT(restored, IsOk());
  EXPECT_TRUE(restored->FindOrder(OrderId("o2"))->cancelled.empty());
  EXPECT_EQ(restored->cancelled_seat_count(), 1u);
}

TEST(Showtime, LapsedSeatsComeByTimeThenBySeatWhateverTheBound) {
  World world;
  for (const char* seat : {"A3", "A1", "A2"}) world.Make(LockOf("s1", seat));
  LockSeats sooner = LockOf("s1", "A9");
  sooner.ttl_ms = 1000;
  world.Make(sooner);
  const int64_t at_ms = world.now_ms + kTtlMsDefault;
  EXPECT_EQ(world.showtime.LapsedAt(at_ms, 9), SeatIds({"A9", "A1", "A2", "A3"}));
  EXPECT_EQ(world.showtime.LapsedAt(at_ms, 2), SeatIds({"A9", "A1"}));
  EXPECT_EQ(world.showtime.LapsedAt(at_ms - 1, 9), SeatIds({"A9"}));
  EXPECT_EQ(world.showtime.LapsedAt(at_ms, 0), SeatIds({}));
}

TEST(Showtime, WhatIsOldIsForgottenWithTheNextChange) {
  World world;
  for (int i = 0; i < 500; ++i) {
    const std::string n = std::to_string(i);
    world.Make(LockOf("s" + n, n), "l" + n);
    world.Make(UnlockSeats{.session = SessionId("s" + n), .all = true}, "u" + n);
  }
  EXPECT_EQ(world.showtime.seat_count(), 500u);
  EXPECT_EQ(world.showtime.request_count(), 1000u);
  world.now_ms += std::max(kGrantMemoryMs, kRequestMemoryMs);
  world.Make(LockOf("s", "A1"));
  EXPECT_EQ(world.showtime.seat_count(), 501u);
  EXPECT_EQ(world.showtime.ForgottenSeatsAt(world.now_ms + 1, 300), 300u);
  world.now_ms += 1;
  EXPECT_EQ(world.showtime.ForgottenRequestsAt(world.now_ms, 10'000), 1000u);
  world.Make(LockOf("s", "A2"));
  EXPECT_EQ(world.showtime.Export().seats.size(), 2u);
  EXPECT_TRUE(world.showtime.Export().requests.empty());
}

TEST(Showtime, SeatThatWasNeverGrantedLeavesNothingWhenItsBookingIsCancelled) {
  World world;
  world.Make(BookSeats{.session = SessionId("s1"), .order = OrderId("o"), .seats = SeatIds({"A"})});
  world.Make(CancelBooking{.order = OrderId("o"), .all = true});
  EXPECT_EQ(world.showtime.seat_count(), 0u);
  EXPECT_EQ(world.showtime.order_count(), 1u);
}

TEST(ShowtimeDeathTest, OnlyTheNextRevisionIsApplied) {
  Showtime showtime;
  EXPECT_DEATH(showtime.Apply({.revision = Revision(2)}), "change 2 on head 0.*not the next");
  showtime.Apply({.revision = Revision(1), .commit_ms = 5});
  EXPECT_DEATH(showtime.Apply({.revision = Revision(1), .commit_ms = 5}), "not the next");
  EXPECT_DEATH(showtime.Apply({.revision = Revision(2), .commit_ms = 4}), "backwards");
}

using Spoil = void (*)(ShowtimeParts&);
class RestoreRefuses : public ::testing::TestWithParam<std::pair<const char*, Spoil>> {};

TEST_P(RestoreRefuses, PartsThatContradictEachOther) {
  ShowtimeParts parts = Busy().showtime.Export();
  GetParam().second(parts);
  EXPECT_THAT(Showtime::Restore(parts), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Busy() exports seats A1 (locked), A2 (free), A3 (booked), A4 (free), A5 (booked), orders o1, o2.
INSTANTIATE_TEST_SUITE_P(
    Showtime, RestoreRefuses,
    ::testing::Values(
        std::pair{"SeatsOutOfOrder", Spoil([](auto& p) { std::swap(p.seats[0], p.seats[1]); })},
        std::pair{"SeatTwice", Spoil([](auto& p) { p.seats.push_back(p.seats.back()); })},
        std::pair{"SeatWithoutId", Spoil([](auto& p) { p.seats[0].seat = SeatId(); })},
        std::pair{"LockWithoutHolder", Spoil([](auto& p) { p.seats[0].session = SessionId(); })},
        std::pair{"LockOfAnother", Spoil([](auto& p) { p.seats[0].session = SessionId("x"); })},
        std::pair{"LockWithOtherFence", Spoil([](auto& p) { p.seats[0].fence = Fence(3); })},
        std::pair{"GrantAfterTheHead",
                  Spoil([](auto& p) { p.seats[1].last_grant_fence = Fence(99); })},
        std::pair{"GrantWithoutSession",
                  Spoil([](auto& p) { p.seats[1].last_grant_session = SessionId(); })},
        std::pair{"FreedAfterTheHead", Spoil([](auto& p) { p.seats[1].freed_ms += 1; })},
        std::pair{"FreeWithExpiry", Spoil([](auto& p) { p.seats[1].expire_ms = 1; })},
        std::pair{"FreeWithOrder", Spoil([](auto& p) { p.seats[1].order = OrderId("o1"); })},
        std::pair{"BookedWithoutOrder", Spoil([](auto& p) { p.seats[2].order = OrderId(); })},
        std::pair{"BookedUnderUnknownOrder",
                  Spoil([](auto& p) { p.seats[2].order = OrderId("o9"); })},
        std::pair{"BookedUnderOrderWithoutIt", Spoil([](auto& p) {
                    p.orders[0].seats = SeatIds({"A5", "A7"});
                  })},
        std::pair{"OrderWithMoreSeats",
                  Spoil([](auto& p) { p.orders[0].seats.emplace_back("A9"); })},
        std::pair{"OrderSeatCancelledToo",
                  Spoil([](auto& p) { p.orders[0].cancelled = SeatIds({"A3"}); })},
        std::pair{"OpenOrderWithoutSeats", Spoil([](auto& p) { p.orders[1].closed = false; })},
        std::pair{"ClosedOrderWithSeats", Spoil([](auto& p) { p.orders[0].closed = true; })},
        std::pair{"OrdersOutOfOrder", Spoil([](auto& p) { std::swap(p.orders[0], p.orders[1]); })},
        std::pair{"RequestsOutOfOrder",
                  Spoil([](auto& p) { std::swap(p.requests[0], p.requests[1]); })},
        std::pair{"RequestTwice",
                  Spoil([](auto& p) { p.requests[1].key.id = p.requests[0].key.id; })},
        std::pair{"RequestAfterTheHead",
                  Spoil([](auto& p) { p.requests[1].revision = Revision(99); })},
        std::pair{"RequestWithShortHash",
                  Spoil([](auto& p) { p.requests[0].key.body_hash.pop_back(); })},
        std::pair{"ShareWithoutSession", Spoil([](auto& p) { p.shares[0].session = SessionId(); })},
        std::pair{"ShareOfNothing", Spoil([](auto& p) {
                    p.shares[0] = {SessionId("s1"), p.commit_ms, 0, 0};
                  })},
        std::pair{"ShareAfterTheHead", Spoil([](auto& p) { p.shares[0].since_ms += 1; })},
        std::pair{"ShareBelowZero", Spoil([](auto& p) { p.shares[0].since_ms = -1; })},
        std::pair{"ShareTwice", Spoil([](auto& p) { p.shares.push_back(p.shares[0]); })},
        std::pair{"SharesOutOfOrder", Spoil([](auto& p) {
                    p.shares.push_back({SessionId("s2"), p.shares[0].since_ms - 1, 1, 1});
                  })}),
    [](const auto& test) { return std::string(test.param.first); });

struct Row {
  SeatId id;
  int value = 0;
};

TEST(IdTable, NumbersStayWhileRowsComeAndGo) {
  IdTable<Row> table;
  std::vector<RowNumber> numbers;
  for (int i = 0; i < 1000; ++i) {
    numbers.push_back(table.FindOrInsert(SeatId(std::to_string(i))));
    table[numbers.back()].value = i;
  }
  for (int i = 0; i < 1000; i += 2) table.Erase(numbers[i]);
  EXPECT_EQ(table.size(), 500u);
  EXPECT_EQ(table.Find(SeatId("0")), kNoRow);
  for (int i = 1; i < 1000; i += 2) {
    const RowNumber number = table.Find(SeatId(std::to_string(i)));
    ASSERT_EQ(number, numbers[i]);
    EXPECT_EQ(table[number].value, i);
    EXPECT_EQ(table.FindOrInsert(SeatId(std::to_string(i))), number);
  }
  const RowNumber again = table.FindOrInsert(SeatId("again"));
  EXPECT_LT(again, 1000u);
  EXPECT_EQ(table[again].value, 0);
}

}  // namespace
}  // namespace seatlock::domain::testing
