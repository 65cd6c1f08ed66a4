#include "services/seatlock/log/codec/record_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "google/protobuf/stubs/logging.h"
#include "seatlock/log/v1/record.pb.h"
#include "services/seatlock/domain/limits.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::log {
namespace {

namespace pb = ::seatlock::log::v1;
using domain::Cause;
using domain::Change;
using domain::Fence;
using domain::OrderId;
using domain::Revision;
using domain::SeatAfter;
using domain::SeatId;
using domain::SeatStatus;
using domain::SessionId;
using domain::ShowtimeParts;
using ::seatlock::testing::IsOk;
using ::seatlock::testing::StatusIs;

SeatAfter Locked(const char* seat) {
  return {.seat = SeatId(seat),
          .status = SeatStatus::kLocked,
          .session = SessionId("s1"),
          .expire_ms = 1'700'000'600'000,
          .fence = Fence(7)};
}

Change Swap() {
  return {.revision = Revision(7),
          .commit_ms = 1'700'000'000'000,
          .cause = Cause::kSwap,
          .seats = {Locked("A1"), {.seat = SeatId("Ä2"), .session = SessionId("s1")}},
          .unchanged = {Locked("A3")},
          .request = domain::RequestKey{domain::RequestId("r1"), std::string(16, '\0')}};
}

Change Cancel() {
  return {.revision = Revision(1),
          .commit_ms = 0,
          .cause = Cause::kCancel,
          .seats = {{.seat = SeatId("A1"), .session = SessionId("s1"), .order = OrderId("o1")}},
          .order = OrderId("o1"),
          .order_closed = true};
}

Change Block() {
  return {
      .revision = Revision(9),
      .commit_ms = 1'700'000'000'000,
      .cause = Cause::kBlock,
      .seats = {{.seat = SeatId("A1"), .status = SeatStatus::kBlocked, .session = SessionId("s1")}},
      .principal = "box-office",
      .note = "camera stands here"};
}

Change Close() {
  return {.revision = Revision(10), .commit_ms = 1'700'000'000'000, .cause = Cause::kClose};
}

Change AddedTo() {
  return {.revision = Revision(8),
          .commit_ms = 1'700'000'000'000,
          .cause = Cause::kBook,
          .seats = {{.seat = SeatId("A9"),
                     .status = SeatStatus::kBooked,
                     .session = SessionId("s1"),
                     .order = OrderId("o1")}},
          .kept = {SeatId("A1"), SeatId("A2")},
          .order = OrderId("o1")};
}

ShowtimeParts Parts() {
  return {.revision = Revision(9),
          .commit_ms = 1'700'000'000'000,
          .closed = true,
          .seats = {{.seat = SeatId("A1"),
                     .status = SeatStatus::kLocked,
                     .session = SessionId("s1"),
                     .expire_ms = 1'700'000'600'000,
                     .granted_ms = 1'699'999'999'000,
                     .fence = Fence(7),
                     .last_grant_session = SessionId("s1"),
                     .last_grant_fence = Fence(7),
                     .other_grant_fence = Fence(3)},
                    {.seat = SeatId("A2"),
                     .last_grant_session = SessionId("s2"),
                     .last_grant_fence = Fence(2),
                     .freed_ms = 1'699'999'999'000},
                    {.seat = SeatId("A3"),
                     .status = SeatStatus::kBooked,
                     .session = SessionId("s3"),
                     .order = OrderId("o1")}},
          .orders = {{.order = OrderId("o1"),
                      .seats = {SeatId("A3")},
                      .cancelled = {SeatId("A4"), SeatId("A5")}},
                     {.order = OrderId("o2"), .closed = true}},
          .requests = {{.key = {domain::RequestId("r1"), std::string(16, '\xff')},
                        .revision = Revision(4),
                        .commit_ms = 1'699'999'999'000}},
          .shares = {{SessionId("s1"), 1'699'999'999'000, 3, 1}}};
}

TEST(RecordCodec, ChangesSurviveAndEncodeTheSameAgain) {
  for (const Change& change : {Swap(), Cancel(), AddedTo(), Block(), Close()}) {
    const std::string bytes = EncodeChange(change);
    const auto decoded = DecodeChange(bytes);
    ASSERT_THAT(decoded, IsOk());
    EXPECT_EQ(*decoded, change);
    EXPECT_EQ(EncodeChange(*decoded), bytes);
  }
}

TEST(RecordCodec, EveryCauseAndStatusHasItsNumber) {
  const std::vector<std::pair<Cause, pb::ChangeCause>> causes = {
      {Cause::kLock, pb::CHANGE_CAUSE_LOCK},       {Cause::kUnlock, pb::CHANGE_CAUSE_UNLOCK},
      {Cause::kSwap, pb::CHANGE_CAUSE_SWAP},       {Cause::kExtend, pb::CHANGE_CAUSE_EXTEND},
      {Cause::kExpired, pb::CHANGE_CAUSE_EXPIRED}, {Cause::kBook, pb::CHANGE_CAUSE_BOOK},
      {Cause::kCancel, pb::CHANGE_CAUSE_CANCEL},   {Cause::kBlock, pb::CHANGE_CAUSE_BLOCK},
      {Cause::kUnblock, pb::CHANGE_CAUSE_UNBLOCK}, {Cause::kRelease, pb::CHANGE_CAUSE_RELEASE},
      {Cause::kClose, pb::CHANGE_CAUSE_CLOSE},     {Cause::kReopen, pb::CHANGE_CAUSE_REOPEN}};
  for (const auto& [cause, stored] : causes) {
    pb::Record record;
    ASSERT_TRUE(record.ParseFromString(EncodeChange({.revision = Revision(1), .cause = cause})));
    EXPECT_EQ(record.cause(), stored);
  }
  const std::vector<std::pair<SeatStatus, pb::SeatStatus>> statuses = {
      {SeatStatus::kAvailable, pb::SEAT_STATUS_AVAILABLE},
      {SeatStatus::kLocked, pb::SEAT_STATUS_LOCKED},
      {SeatStatus::kBooked, pb::SEAT_STATUS_BOOKED},
      {SeatStatus::kBlocked, pb::SEAT_STATUS_BLOCKED}};
  for (const auto& [status, stored] : statuses) {
    pb::Snapshot snapshot;
    ASSERT_TRUE(snapshot.ParseFromString(
        EncodeSnapshot({.seats = {{.seat = SeatId("A1"), .status = status}}})));
    EXPECT_EQ(snapshot.seats(0).status(), stored);
  }
}

// Bytes that a version before has written are read for ever.
TEST(RecordCodec, RecordOfTheFirstVersionIsRead) {
  const std::string bytes =
      absl::HexStringToBytes("08021080d095ffbc31180122130a02413110021a02733120c09fbaffbc312802");
  const auto decoded = DecodeChange(bytes);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(decoded->revision, Revision(2));
  EXPECT_EQ(decoded->commit_ms, 1'700'000'000'000);
  EXPECT_EQ(decoded->cause, Cause::kLock);
  ASSERT_EQ(decoded->seats.size(), 1u);
  EXPECT_EQ(decoded->seats[0], (SeatAfter{.seat = SeatId("A1"),
                                          .status = SeatStatus::kLocked,
                                          .session = SessionId("s1"),
                                          .expire_ms = 1'700'000'600'000,
                                          .fence = Fence(2)}));
  EXPECT_EQ(EncodeChange(*decoded), bytes);
}

TEST(RecordCodec, SnapshotsSurviveAndEncodeTheSameAgain) {
  const std::string bytes = EncodeSnapshot(Parts());
  const auto decoded = DecodeSnapshot(bytes);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(*decoded, Parts());
  EXPECT_EQ(EncodeSnapshot(*decoded), bytes);
  ASSERT_THAT(DecodeSnapshot(EncodeSnapshot({})), IsOk());
}

TEST(RecordCodec, BytesThatAreNoRecordAreLost) {
  for (const std::string& bytes :
       {std::string(), std::string("\xff\xff\xff"), std::string(64, 'x'), std::string(16, '\0')}) {
    EXPECT_THAT(DecodeChange(bytes), StatusIs(absl::StatusCode::kDataLoss));
  }
  for (const std::string& bytes : {std::string("\xff\xff\xff"), std::string(16, '\0')}) {
    EXPECT_THAT(DecodeSnapshot(bytes), StatusIs(absl::StatusCode::kDataLoss));
  }
}

// A record that is cut or altered is lost, or is another change: never the same, never a crash.
TEST(RecordCodec, CutAndAlteredBytesNeverPassForTheChange) {
  const google::protobuf::LogSilencer silencer;  // it logs each string that is not UTF-8
  const std::string bytes = EncodeChange(Swap());
  int lost = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = DecodeChange(std::string_view(bytes).substr(0, size));
    if (!decoded.ok()) {
      EXPECT_THAT(decoded, StatusIs(absl::StatusCode::kDataLoss));
      ++lost;
      continue;
    }
    EXPECT_NE(*decoded, Swap()) << "cut at " << size;
  }
  EXPECT_GT(lost, static_cast<int>(bytes.size() / 2));
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    std::string altered = bytes;
    altered[i / 8] = static_cast<char>(altered[i / 8] ^ (1 << (i % 8)));
    const auto decoded = DecodeChange(altered);
    if (!decoded.ok()) {
      EXPECT_THAT(decoded, StatusIs(absl::StatusCode::kDataLoss));
    } else {
      EXPECT_NE(*decoded, Swap()) << "bit " << i;
    }
  }
}

TEST(RecordCodec, ABookingRepeatsTheIdsOfItsOrderAlone) {
  const std::string bytes = EncodeChange(AddedTo());
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(bytes));
  EXPECT_EQ(record.unchanged_size(), 0);
  EXPECT_THAT(record.kept_seat_ids(), ::testing::ElementsAre("A1", "A2"));
  const auto decoded = DecodeChange(bytes);
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(*decoded, AddedTo());
}

TEST(RecordCodec, ABookingOfAnEarlierVersionStillDecodes) {
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(EncodeChange(AddedTo())));
  record.clear_kept_seat_ids();
  for (const char* seat : {"A1", "A2"}) {
    pb::SeatAfter* kept = record.add_unchanged();
    kept->set_seat_id(seat);
    kept->set_status(pb::SEAT_STATUS_BOOKED);
    kept->set_session_id("s1");
    kept->set_order_id("o1");
  }
  const auto decoded = DecodeChange(record.SerializeAsString());
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(*decoded, AddedTo());
}

using SpoilRecord = void (*)(pb::Record&);
class RecordOutOfRange : public ::testing::TestWithParam<std::pair<const char*, SpoilRecord>> {};

TEST_P(RecordOutOfRange, IsLost) {
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(EncodeChange(Swap())));
  GetParam().second(record);
  EXPECT_THAT(DecodeChange(record.SerializeAsString()), StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(
    RecordCodec, RecordOutOfRange,
    ::testing::Values(
        std::pair{"NoRevision", SpoilRecord([](auto& r) { r.set_revision(0); })},
        std::pair{"TimeBelowZero", SpoilRecord([](auto& r) { r.set_commit_ms(-1); })},
        std::pair{"NoCause", SpoilRecord([](auto& r) { r.clear_cause(); })},
        std::pair{"UnknownCause",
                  SpoilRecord([](auto& r) { r.set_cause(static_cast<pb::ChangeCause>(13)); })},
        std::pair{"OrderOfALock", SpoilRecord([](auto& r) { r.set_order_id("o1"); })},
        std::pair{"BookWithoutOrder",
                  SpoilRecord([](auto& r) { r.set_cause(pb::CHANGE_CAUSE_BOOK); })},
        std::pair{"SeatWithoutId",
                  SpoilRecord([](auto& r) { r.mutable_seats(0)->clear_seat_id(); })},
        std::pair{"SeatWithoutStatus",
                  SpoilRecord([](auto& r) { r.mutable_seats(0)->clear_status(); })},
        std::pair{"UnknownStatus", SpoilRecord([](auto& r) {
                    r.mutable_unchanged(0)->set_status(static_cast<pb::SeatStatus>(5));
                  })},
        std::pair{"LockWithoutFence",
                  SpoilRecord([](auto& r) { r.mutable_seats(0)->clear_fence(); })},
        std::pair{"LockWithoutHolder",
                  SpoilRecord([](auto& r) { r.mutable_seats(0)->clear_session_id(); })},
        std::pair{"FreeWithExpiry",
                  SpoilRecord([](auto& r) { r.mutable_seats(1)->set_expire_ms(5); })},
        std::pair{"RequestWithoutId",
                  SpoilRecord([](auto& r) { r.mutable_request()->clear_id(); })},
        std::pair{"TimeBeyondTheYear9999",
                  SpoilRecord([](auto& r) { r.set_commit_ms(domain::kTimeMsMax + 1); })},
        std::pair{"ExpiryBeyondTheYear9999", SpoilRecord([](auto& r) {
                    r.mutable_seats(0)->set_expire_ms(domain::kTimeMsMax + 1);
                  })},
        std::pair{"SeatIdTooLong", SpoilRecord([](auto& r) {
                    r.mutable_seats(0)->set_seat_id(std::string(41, 'a'));
                  })},
        std::pair{"SessionIdTooLong", SpoilRecord([](auto& r) {
                    r.mutable_seats(1)->set_session_id(std::string(129, 's'));
                  })},
        std::pair{"OrderIdTooLong", SpoilRecord([](auto& r) {
                    r.set_cause(pb::CHANGE_CAUSE_BOOK);
                    r.set_order_id(std::string(129, 'o'));
                  })},
        std::pair{"RequestIdTooLong",
                  SpoilRecord([](auto& r) { r.mutable_request()->set_id(std::string(65, 'r')); })},
        std::pair{"PrincipalTooLong",
                  SpoilRecord([](auto& r) { r.set_principal(std::string(256, 'p')); })},
        std::pair{"NoteTooLong", SpoilRecord([](auto& r) { r.set_note(std::string(257, 'n')); })},
        std::pair{"KeptSeatsOfALock", SpoilRecord([](auto& r) { r.add_kept_seat_ids("A1"); })},
        std::pair{"KeptSeatWithoutId", SpoilRecord([](auto& r) {
                    r.set_cause(pb::CHANGE_CAUSE_BOOK);
                    r.set_order_id("o1");
                    r.add_kept_seat_ids("");
                  })},
        std::pair{"RequestWithShortHash",
                  SpoilRecord([](auto& r) { r.mutable_request()->set_body_hash("short"); })}),
    [](const auto& test) { return std::string(test.param.first); });

using SpoilSnapshot = void (*)(pb::Snapshot&);
class SnapshotOutOfRange : public ::testing::TestWithParam<std::pair<const char*, SpoilSnapshot>> {
};

TEST_P(SnapshotOutOfRange, IsLost) {
  pb::Snapshot snapshot;
  ASSERT_TRUE(snapshot.ParseFromString(EncodeSnapshot(Parts())));
  GetParam().second(snapshot);
  EXPECT_THAT(DecodeSnapshot(snapshot.SerializeAsString()), StatusIs(absl::StatusCode::kDataLoss));
}

INSTANTIATE_TEST_SUITE_P(
    RecordCodec, SnapshotOutOfRange,
    ::testing::Values(
        std::pair{"SeatWithoutStatus",
                  SpoilSnapshot([](auto& s) { s.mutable_seats(0)->clear_status(); })},
        std::pair{"SeatWithoutId",
                  SpoilSnapshot([](auto& s) { s.mutable_seats(0)->clear_seat_id(); })},
        std::pair{"TimeBelowZero",
                  SpoilSnapshot([](auto& s) { s.mutable_seats(0)->set_expire_ms(-1); })},
        std::pair{"CommitBelowZero", SpoilSnapshot([](auto& s) { s.set_commit_ms(-1); })},
        std::pair{"RequestBelowZero",
                  SpoilSnapshot([](auto& s) { s.mutable_requests(0)->set_commit_ms(-1); })},
        std::pair{"FreedBeyondTheYear9999", SpoilSnapshot([](auto& s) {
                    s.mutable_seats(1)->set_freed_ms(domain::kTimeMsMax + 1);
                  })},
        std::pair{"GrantSessionTooLong", SpoilSnapshot([](auto& s) {
                    s.mutable_seats(1)->set_last_grant_session_id(std::string(129, 's'));
                  })},
        std::pair{"OrderWithASeatWithoutId",
                  SpoilSnapshot([](auto& s) { s.mutable_orders(0)->add_seat_ids(""); })},
        std::pair{"CancelledSeatTooLong", SpoilSnapshot([](auto& s) {
                    s.mutable_orders(0)->add_cancelled_seat_ids(std::string(41, 'a'));
                  })},
        std::pair{"ShareWithoutSession",
                  SpoilSnapshot([](auto& s) { s.mutable_shares(0)->clear_session_id(); })},
        std::pair{"ShareBelowZero",
                  SpoilSnapshot([](auto& s) { s.mutable_shares(0)->set_since_ms(-1); })},
        std::pair{"OrderWithoutId",
                  SpoilSnapshot([](auto& s) { s.mutable_orders(0)->clear_order_id(); })},
        std::pair{"RequestWithoutKey",
                  SpoilSnapshot([](auto& s) { s.mutable_requests(0)->clear_key(); })},
        std::pair{"RequestWithoutRevision",
                  SpoilSnapshot([](auto& s) { s.mutable_requests(0)->clear_revision(); })}),
    [](const auto& test) { return std::string(test.param.first); });

}  // namespace
}  // namespace seatlock::log
