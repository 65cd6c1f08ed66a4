#include "services/seatlock/rpc/proto_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::rpc {
namespace {

const domain::ShowtimeId kShowtime("123");
const domain::Epoch kEpoch("e");

v1::WatchShowtimeResponse ParseWatch(const std::string& bytes) {
  v1::WatchShowtimeResponse response;
  EXPECT_TRUE(response.ParseFromString(bytes));
  return response;
}

domain::SeatAfter Locked(const std::string& seat, uint64_t fence) {
  domain::SeatAfter after;
  after.seat = domain::SeatId(seat);
  after.status = domain::SeatStatus::kLocked;
  after.session = domain::SessionId(std::string(128, 's'));
  after.expire_ms = 1'700'000'060'250;
  after.fence = domain::Fence(fence);
  return after;
}

// A showtime with `seats` locked seats, 100 a change.
domain::Showtime Hall(int seats) {
  domain::Showtime hall;
  for (int first = 0; first < seats; first += 100) {
    domain::Change change;
    change.revision = hall.revision().Next();
    change.commit_ms = 1'700'000'000'000;
    for (int i = first; i < first + 100 && i < seats; ++i) {
      change.seats.push_back(
          Locked(absl::StrCat("seat-", absl::Dec(i, absl::kZeroPad6)), change.revision.value()));
    }
    hall.Apply(change);
  }
  return hall;
}

TEST(ProtoEncoderTest, AChangeSaysWhatHappenedToEachSeat) {
  domain::Change change;
  change.revision = domain::Revision(7);
  change.commit_ms = 1'700'000'000'250;
  change.cause = domain::Cause::kLock;
  change.seats = {Locked("A1", 7)};
  const v1::Change proto =
      ParseWatch(ProtoEncoder().EncodeChange(kShowtime, kEpoch, change)).change();
  EXPECT_EQ(proto.showtime_id(), "123");
  EXPECT_EQ(proto.epoch(), "e");
  EXPECT_EQ(proto.revision(), 7u);
  EXPECT_EQ(proto.commit_time().seconds(), 1'700'000'000);
  EXPECT_EQ(proto.commit_time().nanos(), 250'000'000);
  EXPECT_EQ(proto.cause(), v1::CHANGE_CAUSE_LOCK);
  ASSERT_EQ(proto.seats_size(), 1);
  EXPECT_EQ(proto.seats(0).status(), v1::SEAT_STATUS_LOCKED);
  EXPECT_EQ(proto.seats(0).expire_time().nanos(), 250'000'000);
}

TEST(ProtoEncoderTest, AHeadAndTheSeatsBehindItAreOneMessageHoweverTheSeatsAreDivided) {
  const domain::Showtime hall = Hall(300);
  std::string seats;
  for (const domain::SeatView& seat : hall.TakenFrom(domain::SeatId(), 200)) {
    ProtoEncoder().AppendSeat(seat, seats);
  }
  std::string rest;
  for (const domain::SeatView& seat : hall.TakenFrom(domain::SeatId("seat-000200"), 200)) {
    ProtoEncoder().AppendSeat(seat, rest);
  }
  engine::SnapshotPart part{{kEpoch, hall.revision()}, /*replaces=*/true, /*more=*/true};
  part.seat_bytes = seats.size() + rest.size();
  const std::string head = ProtoEncoder().EncodeSnapshotHead(kShowtime, part);
  const v1::ShowtimeSnapshot snapshot = ParseWatch(head + seats + rest).snapshot();
  EXPECT_EQ(snapshot.showtime_id(), "123");
  EXPECT_EQ(snapshot.epoch(), "e");
  EXPECT_EQ(snapshot.revision(), hall.revision().value());
  EXPECT_TRUE(snapshot.replaces());
  EXPECT_TRUE(snapshot.more());
  ASSERT_EQ(snapshot.seats_size(), 300);
  EXPECT_EQ(snapshot.seats(299).seat_id(), "seat-000299");
  EXPECT_EQ(snapshot.seats(299).expire_time().nanos(), 250'000'000);
}

TEST(ProtoEncoderTest, AnEmptyShowtimeIsAHeadAlone) {
  const v1::ShowtimeSnapshot snapshot =
      ParseWatch(ProtoEncoder().EncodeSnapshotHead(kShowtime, {})).snapshot();
  EXPECT_EQ(snapshot.revision(), 0u);
  EXPECT_FALSE(snapshot.more());
}

}  // namespace
}  // namespace seatlock::rpc
