#include "edge/upstream/convert.h"

#include <gmock/gmock.h>

namespace seatlock::edge {
namespace {

TEST(ToEvent, ReadsAChange) {
  v1::WatchShowtimeResponse message;
  v1::Change& change = *message.mutable_change();
  change.set_epoch("e");
  change.set_revision(7);
  change.mutable_commit_time()->set_seconds(5);
  change.mutable_commit_time()->set_nanos(6'000'000);
  change.set_cause(v1::CHANGE_CAUSE_EXPIRED);
  v1::Seat& seat = *change.add_seats();
  seat.set_seat_id("A01");
  seat.set_status(v1::SEAT_STATUS_LOCKED);
  seat.set_session_id("s");
  seat.mutable_expire_time()->set_seconds(9);
  const StreamEvent event = ToEvent(message);
  const auto* read = std::get_if<Change>(&event);
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->position, (Position{"e", 7}));
  EXPECT_EQ(read->commit_ms, 5006);
  EXPECT_EQ(read->cause, Cause::kExpired);
  ASSERT_EQ(read->seats.size(), 1u);
  EXPECT_EQ(read->seats[0].seat_id, "A01");
  EXPECT_EQ(read->seats[0].status, SeatStatus::kLocked);
  EXPECT_EQ(read->seats[0].session_id, "s");
  EXPECT_EQ(read->seats[0].expires_ms, 9000);
}

TEST(ToEvent, ReadsAPartOfASnapshotAndProgress) {
  v1::WatchShowtimeResponse message;
  message.mutable_snapshot()->set_revision(3);
  message.mutable_snapshot()->set_more(true);
  const StreamEvent part = ToEvent(message);
  ASSERT_TRUE(std::holds_alternative<SnapshotPart>(part));
  EXPECT_TRUE(std::get<SnapshotPart>(part).more);
  EXPECT_EQ(std::get<SnapshotPart>(part).position.revision, 3u);
  message.mutable_progress()->set_revision(4);
  EXPECT_EQ(std::get<Progress>(ToEvent(message)).position.revision, 4u);
}

TEST(ToEvent, WhatIsNotKnownIsNotAvailableAndHasNoCause) {
  for (const int status : {v1::SEAT_STATUS_UNSPECIFIED, v1::SEAT_STATUS_BOOKED,
                           v1::SEAT_STATUS_BLOCKED, v1::SeatStatus(99)}) {
    v1::WatchShowtimeResponse message;
    message.mutable_change()->set_cause(static_cast<v1::ChangeCause>(99));
    message.mutable_change()->add_seats()->set_status(static_cast<v1::SeatStatus>(status));
    const StreamEvent event = ToEvent(message);
    EXPECT_EQ(std::get<Change>(event).seats[0].status, SeatStatus::kBooked) << status;
    EXPECT_EQ(std::get<Change>(event).cause, Cause::kUnknown);
  }
}

// Else the browser of who held it would take "booked" for its own booking.
TEST(ToEvent, ASeatThatIsBlockedNamesNobody) {
  v1::WatchShowtimeResponse message;
  message.mutable_change()->set_cause(v1::CHANGE_CAUSE_BLOCK);
  v1::Seat& seat = *message.mutable_change()->add_seats();
  seat.set_status(v1::SEAT_STATUS_BLOCKED);
  seat.set_session_id("s");
  const StreamEvent event = ToEvent(message);
  EXPECT_EQ(std::get<Change>(event).seats[0].status, SeatStatus::kBooked);
  EXPECT_EQ(std::get<Change>(event).seats[0].session_id, "");
  EXPECT_EQ(std::get<Change>(event).cause, Cause::kBlock);
}

TEST(ToEvent, AMessageOfAnotherKindIsNothing) {
  v1::WatchShowtimeResponse message;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(ToEvent(message)));
}

}  // namespace
}  // namespace seatlock::edge
