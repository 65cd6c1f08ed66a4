#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/domain/world_for_test.h"

namespace seatlock::domain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Ids = std::initializer_list<const char*>;

LockSeats LockOf(const char* session, Ids seats) {
  return {.session = SessionId(session), .seats = SeatIds(seats)};
}
BookSeats BookOf(const char* session, const char* order, Ids seats) {
  return {.session = SessionId(session), .order = OrderId(order), .seats = SeatIds(seats)};
}
BlockSeats BlockOf(Ids seats, bool release_locks = false) {
  return {.seats = SeatIds(seats), .release_locks = release_locks};
}

SeatAfter Blocked(const char* seat, const char* before = "") {
  return {.seat = SeatId(seat), .status = SeatStatus::kBlocked, .session = SessionId(before)};
}
SeatAfter Freed(const char* seat, const char* before = "") {
  return {.seat = SeatId(seat), .session = SessionId(before)};
}

TEST(BlockRules, ABlockedSeatCanBeNeitherLockedNorBooked) {
  World world;
  const Change change = world.Make(BlockOf({"A1", "A2", "A1"}));
  EXPECT_EQ(change.cause, Cause::kBlock);
  EXPECT_THAT(change.seats, ElementsAre(Blocked("A1"), Blocked("A2")));
  const Conflict taken{SeatId("A1"), SeatStatus::kBlocked, Reason::kSeatTaken};
  EXPECT_THAT(world.Refused(LockOf("s1", {"A1", "A3"})).conflicts, ElementsAre(taken));
  EXPECT_THAT(world.Refused(BookOf("s1", "o1", {"A1"})).conflicts, ElementsAre(taken));
  EXPECT_EQ(world.StatusOf("A3"), SeatStatus::kAvailable);
  EXPECT_EQ(world.showtime.CountsAt(world.now_ms), (SeatCounts{.blocked = 2}));
}

TEST(BlockRules, ABookedSeatOrALockIsInTheWayAndThenNothingIsBlocked) {
  World world;
  world.Make(BookOf("s1", "o1", {"A1"}));
  world.Make(LockOf("s1", {"A2"}));
  const Refusal refusal = world.Refused(BlockOf({"A1", "A2", "A3"}));
  EXPECT_EQ(refusal.reason, Reason::kSeatTaken);
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Conflict{SeatId("A1"), SeatStatus::kBooked, Reason::kSeatTaken},
                          Conflict{SeatId("A2"), SeatStatus::kLocked, Reason::kSeatTaken}));
  EXPECT_THAT(world.Refused(BlockOf({"A1", "A2"}, true)).conflicts,
              ElementsAre(Conflict{SeatId("A1"), SeatStatus::kBooked, Reason::kSeatTaken}));
  EXPECT_EQ(world.StatusOf("A3"), SeatStatus::kAvailable);
}

TEST(BlockRules, ReleaseLocksTakesTheLockAndSaysWhoHeldIt) {
  World world;
  world.Make(LockOf("s1", {"A1", "A2"}));
  const Change change = world.Make(BlockOf({"A1", "A3"}, true));
  EXPECT_THAT(change.seats, ElementsAre(Blocked("A1", "s1"), Blocked("A3")));
  EXPECT_THAT(world.showtime.HeldBy(SessionId("s1")), ElementsAre(SeatId("A2")));
  world.now_ms += kTtlMsDefault;  // the lock that was taken away never expires
  EXPECT_THAT(std::get<Change>(world.DoNow(ExpireLocks{})).seats, ElementsAre(Freed("A2", "s1")));
}

TEST(BlockRules, BlockingAndUnblockingAgainChangeNothing) {
  World world;
  world.Make(BlockOf({"A1"}));
  EXPECT_EQ(world.Ask(BlockOf({"A1"})).revision, Revision(1));
  const Change change = world.Make(UnblockSeats{SeatIds({"A1", "A2"})});
  EXPECT_EQ(change.cause, Cause::kUnblock);
  EXPECT_THAT(change.seats, ElementsAre(Freed("A1")));
  world.Make(LockOf("s1", {"A1"}));
  EXPECT_EQ(world.Ask(UnblockSeats{SeatIds({"A1"})}).revision, Revision(3));
  EXPECT_EQ(world.StatusOf("A1"), SeatStatus::kLocked);
}

// Who took money for a lock must still hear that the seat was another's since.
TEST(BlockRules, FencesOutliveABlock) {
  World world;
  world.Make(LockOf("s1", {"A1"}));
  world.Make(ReleaseSeats{.seats = SeatIds({"A1"})});
  world.Make(LockOf("s2", {"A1"}));
  world.Make(BlockOf({"A1"}, true));
  world.Make(UnblockSeats{SeatIds({"A1"})});
  BookSeats late = BookOf("s1", "o1", {"A1"});
  late.fences = {{SeatId("A1"), Fence(1)}};
  EXPECT_EQ(world.Refused(late).reason, Reason::kStaleFence);
}

TEST(ReleaseRules, TakesTheLocksOfAnybodyAndNothingElse) {
  World world;
  world.Make(LockOf("s1", {"A2"}));
  world.Make(LockOf("s2", {"A1"}));
  world.Make(BookOf("s3", "o1", {"B1"}));
  world.Make(BlockOf({"B2"}));
  const ReleaseSeats release{.seats = SeatIds({"B1", "A2", "B2", "A1", "C1"})};
  const Change change = world.Make(release);
  EXPECT_EQ(change.cause, Cause::kRelease);
  EXPECT_THAT(change.seats, ElementsAre(Freed("A2", "s1"), Freed("A1", "s2")));
  EXPECT_THAT(AnswerFor({.body = release}, change).released,
              ElementsAre(SeatId("A1"), SeatId("A2")));
  EXPECT_EQ(world.StatusOf("B1"), SeatStatus::kBooked);
  EXPECT_EQ(world.StatusOf("B2"), SeatStatus::kBlocked);
  EXPECT_THAT(world.Ask(release).released, IsEmpty());
}

TEST(ReleaseRules, TakesAllThatASessionHolds) {
  World world;
  world.Make(LockOf("s1", {"A2", "A1"}));
  world.Make(LockOf("s2", {"A3"}));
  EXPECT_THAT(world.Make(ReleaseSeats{.session = SessionId("s1")}).seats,
              ElementsAre(Freed("A1", "s1"), Freed("A2", "s1")));
  EXPECT_EQ(world.StatusOf("A3"), SeatStatus::kLocked);
}

class Closed : public ::testing::Test {
 protected:
  Closed() {
    world.Make(LockOf("s1", {"A1", "A2"}));
    world.Make(BookOf("s2", "o1", {"B1"}));
    world.Make(CloseShowtime{});
  }

  World world;
};

TEST_F(Closed, GivesNoLockAndNoTime) {
  EXPECT_EQ(world.Refused(LockOf("s1", {"A3"})).reason, Reason::kShowtimeClosed);
  EXPECT_EQ(world.Refused(ExtendLocks{.session = SessionId("s1"), .all = true}).reason,
            Reason::kShowtimeClosed);
  EXPECT_EQ(world.Refused(LockOf("s2", {"A1"})).reason, Reason::kSeatTaken);  // comes first
  EXPECT_EQ(world.Ask(LockOf("s1", {"A1"})).locks.size(), 1u);                // it stands
}

TEST_F(Closed, SellsOnlyWhatTheSessionHolds) {
  EXPECT_EQ(world.Refused(BookOf("s1", "o2", {"A1", "A3"})).reason, Reason::kShowtimeClosed);
  BookSeats held = BookOf("s1", "o2", {"A1"});
  held.only_held = true;
  world.Make(held);
  world.Make(BookOf("s1", "o3", {"A2"}));
  EXPECT_EQ(world.Ask(BookOf("s1", "o2", {"A1"})).order_seats.size(), 1u);  // repeated
}

TEST_F(Closed, StillGivesBackExpiresAndObeysOperators) {
  world.Make(CancelBooking{.order = OrderId("o1"), .all = true});
  world.Make(UnlockSeats{.session = SessionId("s1"), .seats = SeatIds({"A1"})});
  world.Make(BlockOf({"A1"}));
  world.Make(UnblockSeats{SeatIds({"A1"})});
  world.now_ms += kTtlMsDefault;
  EXPECT_TRUE(std::holds_alternative<Change>(world.DoNow(ExpireLocks{})));
}

TEST_F(Closed, ClosesOnceAndReopens) {
  EXPECT_TRUE(world.showtime.closed());
  EXPECT_EQ(world.Ask(CloseShowtime{}).revision, Revision(3));
  const Change change = world.Make(CloseShowtime{.reopen = true});
  EXPECT_EQ(change.cause, Cause::kReopen);
  EXPECT_THAT(change.seats, IsEmpty());
  EXPECT_FALSE(world.showtime.closed());
  world.Make(LockOf("s1", {"A3"}));
}

TEST_F(Closed, StaysClosedAfterASnapshot) {
  const auto restored = Showtime::Restore(world.showtime.Export());
  ASSERT_TRUE(restored.ok());
  EXPECT_TRUE(restored->closed());
}

TEST(AdminRules, AChangeNamesWhoMadeItAndItsNoteAndARepeatIsTheSameWhoeverAsks) {
  World world;
  Command block{.request_id = RequestId("r1"),
                .body = BlockSeats{.seats = SeatIds({"A1"}), .note = "camera"},
                .principal = "ops"};
  const Decision decision = Decide(world.showtime, block, world.now_ms, world.rules);
  const auto& change = std::get<Change>(decision);
  EXPECT_EQ(change.principal, "ops");
  EXPECT_EQ(change.note, "camera");
  world.showtime.Apply(change);
  block.principal = "other";
  EXPECT_TRUE(
      std::holds_alternative<Replay>(Decide(world.showtime, block, world.now_ms, world.rules)));
}

}  // namespace
}  // namespace seatlock::domain::testing
