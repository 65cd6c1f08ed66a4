#include "services/seatlock/rpc/proto_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/rpc/limits.h"

namespace seatlock::rpc {
namespace {

const domain::ShowtimeId kShowtime("123");
const domain::Epoch kEpoch("e");

v1::WatchShowtimeResponse Parse(const engine::Bytes& bytes) {
  v1::WatchShowtimeResponse response;
  EXPECT_TRUE(response.ParseFromString(*bytes));
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
  const v1::Change proto = Parse(ProtoEncoder().EncodeChange(kShowtime, kEpoch, change)).change();
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

TEST(ProtoEncoderTest, ALargeSnapshotComesInMessagesOfAtMostAMebibyte) {
  const domain::Showtime hall = Hall(20'000);
  const auto messages = ProtoEncoder().EncodeSnapshot(kShowtime, kEpoch, hall, true);
  ASSERT_GT(messages.size(), 1u);
  int seats = 0;
  std::string last;
  for (size_t i = 0; i < messages.size(); ++i) {
    EXPECT_LE(messages[i]->size(), kSnapshotMessageBytesMax);
    const v1::ShowtimeSnapshot snapshot = Parse(messages[i]).snapshot();
    EXPECT_EQ(snapshot.more(), i + 1 < messages.size());
    EXPECT_TRUE(snapshot.replaces());
    EXPECT_EQ(snapshot.revision(), hall.revision().value());
    EXPECT_EQ(snapshot.epoch(), "e");
    for (const v1::Seat& seat : snapshot.seats()) {
      EXPECT_LT(last, seat.seat_id());
      last = seat.seat_id();
      ++seats;
    }
  }
  EXPECT_EQ(seats, 20'000);
}

TEST(ProtoEncoderTest, AnEmptyShowtimeIsOneMessage) {
  const auto messages =
      ProtoEncoder().EncodeSnapshot(kShowtime, domain::Epoch(), domain::Showtime(), false);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(Parse(messages[0]).snapshot().revision(), 0u);
  EXPECT_FALSE(Parse(messages[0]).snapshot().more());
}

}  // namespace
}  // namespace seatlock::rpc
