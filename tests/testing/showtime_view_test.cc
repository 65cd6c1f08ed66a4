#include "tests/testing/showtime_view.h"

#include <gmock/gmock.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kBroken = absl::StatusCode::kFailedPrecondition;

v1::Seat SeatOf(const std::string& id, v1::SeatStatus status, const std::string& session,
                const std::string& order = "") {
  v1::Seat seat;
  seat.set_seat_id(id);
  seat.set_status(status);
  seat.set_session_id(session);
  seat.set_order_id(order);
  return seat;
}

v1::WatchShowtimeResponse ChangeOf(uint64_t revision, v1::ChangeCause cause, const v1::Seat& seat,
                                   const std::string& epoch = "e1") {
  v1::WatchShowtimeResponse message;
  message.mutable_change()->set_epoch(epoch);
  message.mutable_change()->set_revision(revision);
  message.mutable_change()->set_cause(cause);
  *message.mutable_change()->add_seats() = seat;
  return message;
}

v1::WatchShowtimeResponse LockOf(uint64_t revision, const std::string& id,
                                 const std::string& session) {
  return ChangeOf(revision, v1::CHANGE_CAUSE_LOCK, SeatOf(id, v1::SEAT_STATUS_LOCKED, session));
}

v1::WatchShowtimeResponse SnapshotOf(uint64_t revision, const std::vector<v1::Seat>& seats) {
  v1::WatchShowtimeResponse message;
  message.mutable_snapshot()->set_epoch("e1");
  message.mutable_snapshot()->set_revision(revision);
  message.mutable_snapshot()->mutable_seats()->Assign(seats.begin(), seats.end());
  return message;
}

TEST(ShowtimeViewTest, FoldsSnapshotAndChanges) {
  ShowtimeView view;
  const v1::Seat booked = SeatOf("B1", v1::SEAT_STATUS_BOOKED, "", "o1");

  EXPECT_THAT(view.Apply(SnapshotOf(7, {booked})), IsOk());
  EXPECT_THAT(view.Apply(LockOf(8, "A1", "s1")), IsOk());
  EXPECT_THAT(view.Apply(ChangeOf(9, v1::CHANGE_CAUSE_UNLOCK,
                                  SeatOf("A1", v1::SEAT_STATUS_AVAILABLE, "s1"))),
              IsOk());

  EXPECT_THAT(view.DifferencesFrom(SnapshotOf(9, {booked}).snapshot()), IsEmpty());
  EXPECT_THAT(view.DifferencesFrom(SnapshotOf(9, {}).snapshot()), HasSubstr("missing"));
  EXPECT_THAT(view.DifferencesFrom(SnapshotOf(8, {booked}).snapshot()), HasSubstr("position"));
}

TEST(ShowtimeViewTest, ObjectsToHolesAndRepeats) {
  ShowtimeView view;
  ASSERT_THAT(view.Apply(LockOf(1, "A1", "s1")), IsOk());

  EXPECT_THAT(view.Apply(LockOf(1, "A1", "s1")), StatusIs(kBroken));
  EXPECT_THAT(view.Apply(LockOf(3, "A2", "s1")), StatusIs(kBroken));
  EXPECT_THAT(view.Apply(LockOf(2, "A2", "s1")), IsOk());
}

TEST(ShowtimeViewTest, ObjectsToAnotherEpochWithoutASnapshot) {
  ShowtimeView view;
  ASSERT_THAT(view.Apply(LockOf(1, "A1", "s1")), IsOk());

  EXPECT_THAT(view.Apply(ChangeOf(2, v1::CHANGE_CAUSE_LOCK,
                                  SeatOf("A2", v1::SEAT_STATUS_LOCKED, "s1"), "e2")),
              StatusIs(kBroken));
}

TEST(ShowtimeViewTest, ObjectsToASecondHolder) {
  ShowtimeView view;
  ASSERT_THAT(view.Apply(LockOf(1, "A1", "s1")), IsOk());

  EXPECT_THAT(view.Apply(LockOf(2, "A1", "s2")), StatusIs(kBroken));
  EXPECT_THAT(view.Apply(ChangeOf(2, v1::CHANGE_CAUSE_BOOK,
                                  SeatOf("A1", v1::SEAT_STATUS_BOOKED, "s2", "o1"))),
              StatusIs(kBroken));
  EXPECT_THAT(view.Apply(ChangeOf(2, v1::CHANGE_CAUSE_UNLOCK,
                                  SeatOf("A1", v1::SEAT_STATUS_AVAILABLE, "s2"))),
              StatusIs(kBroken));
}

TEST(ShowtimeViewTest, JoinsASnapshotOfSeveralMessages) {
  ShowtimeView view;
  v1::WatchShowtimeResponse first = SnapshotOf(5, {SeatOf("A1", v1::SEAT_STATUS_LOCKED, "s1")});
  first.mutable_snapshot()->set_more(true);

  EXPECT_THAT(view.Apply(first), IsOk());
  EXPECT_THAT(view.Apply(LockOf(6, "A9", "s1")), StatusIs(kBroken));
  EXPECT_THAT(view.Apply(SnapshotOf(5, {SeatOf("A2", v1::SEAT_STATUS_LOCKED, "s1")})), IsOk());

  EXPECT_EQ(view.seats().size(), 2u);
  EXPECT_EQ(view.snapshots(), 1);
}

TEST(ShowtimeViewTest, ObjectsToASecondSnapshotThatReplacesNothing) {
  ShowtimeView view;
  ASSERT_THAT(view.Apply(SnapshotOf(5, {})), IsOk());

  EXPECT_THAT(view.Apply(SnapshotOf(6, {})), StatusIs(kBroken));
  v1::WatchShowtimeResponse replacing = SnapshotOf(6, {});
  replacing.mutable_snapshot()->set_replaces(true);
  EXPECT_THAT(view.Apply(replacing), IsOk());
  EXPECT_EQ(view.replaces(), 1);
}

TEST(ShowtimeViewTest, ObjectsToProgressThatDoesNotFit) {
  ShowtimeView view;
  v1::WatchShowtimeResponse message;
  message.mutable_progress()->set_revision(0);
  EXPECT_THAT(view.Apply(message), IsOk());
  message.mutable_progress()->set_revision(1);
  EXPECT_THAT(view.Apply(message), StatusIs(kBroken));
}

}  // namespace
}  // namespace seatlock::testing
