// No change, record or answer is larger than the 4 MiB that a stock client takes as one message,
// whatever the ids: the figures of domain/limits.h, measured on the largest of each kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "seatlock/v1/seatlock_service.pb.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/log/codec/record_codec.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/page_token.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::rpc {
namespace {

using domain::Change;
using domain::Command;
using ::seatlock::testing::IsOk;
using ::testing::Le;

constexpr int64_t kNowMs = 253'402'300'000'999;        // the year 9999, with milliseconds
constexpr uint64_t kRevision = 0x8000'0000'0000'0000;  // ten bytes as a varint
constexpr domain::Rules kRules{.max_session_seats = domain::kSessionSeatsMax};

const domain::ShowtimeId kShowtime(std::string(domain::kShowtimeIdBytesMax, 'w'));
const domain::Epoch kEpoch(std::string(128, 'e'));
const domain::SessionId kSession(std::string(domain::kSessionIdBytesMax, 's'));
const domain::OrderId kOrder(std::string(domain::kOrderIdBytesMax, 'o'));

domain::SeatId Seat(size_t number) {
  return domain::SeatId(absl::StrCat(absl::Dec(number, absl::kZeroPad16), std::string(24, 'x')));
}

// A showtime in which kSession has `locked` seats and kOrder the `booked` ones after them.
domain::Showtime Hall(size_t locked, size_t booked) {
  domain::ShowtimeParts parts{.revision = domain::Revision(kRevision), .commit_ms = kNowMs};
  for (size_t i = 0; i < locked + booked; ++i) {
    domain::SeatState seat{.seat = Seat(i),
                           .status = domain::SeatStatus::kBooked,
                           .session = kSession,
                           .order = kOrder};
    if (i < locked) {
      seat = {.seat = Seat(i),
              .status = domain::SeatStatus::kLocked,
              .session = kSession,
              .expire_ms = kNowMs + 1000,
              .granted_ms = kNowMs,
              .fence = domain::Fence(kRevision),
              .last_grant_session = kSession,
              .last_grant_fence = domain::Fence(kRevision)};
    }
    parts.seats.push_back(std::move(seat));
  }
  if (booked > 0) {
    domain::OrderEntry order{.order = kOrder};
    for (size_t i = locked; i < locked + booked; ++i) order.seats.push_back(Seat(i));
    parts.orders.push_back(std::move(order));
  }
  absl::StatusOr<domain::Showtime> hall = domain::Showtime::Restore(std::move(parts));
  EXPECT_THAT(hall, IsOk());
  return *std::move(hall);
}

Command With(decltype(Command::body) body) {
  return {.request_id = domain::RequestId(std::string(domain::kRequestIdBytesMax, 'r')),
          .body = std::move(body)};
}

Change MadeBy(const domain::Showtime& hall, const Command& command) {
  EXPECT_TRUE(domain::Validate(command).empty());
  domain::Decision decision = domain::Decide(hall, command, kNowMs, kRules);
  EXPECT_TRUE(std::holds_alternative<Change>(decision)) << decision.index();
  return std::get<Change>(std::move(decision));
}

// The change, its record and `seats` seats of it are within what limits.h says.
void ExpectWithinBounds(const Change& change, size_t seats) {
  EXPECT_EQ(change.seats.size(), seats);
  const size_t most = domain::kEnvelopeBytesMax + seats * domain::kSeatBytesMax;
  EXPECT_THAT(ProtoEncoder().EncodeChange(kShowtime, kEpoch, change).size(), Le(most));
  EXPECT_THAT(log::EncodeChange(change).size(),
              Le(most + change.unchanged.size() * domain::kSeatBytesMax +
                 change.kept.size() * domain::kSeatIdInListBytesMax));
  EXPECT_THAT(log::EncodeChange(change).size(), Le(domain::kMessageBytesMax));
  EXPECT_THAT(most, Le(domain::kMessageBytesMax));
}

template <typename Response, typename Request>
size_t AnswerBytes(const Command& command, const Change& change) {
  Request request;
  request.set_showtime_id(kShowtime.value());
  Response response;
  FillResponse(request, domain::AnswerFor(command, change), &response);
  SetTime(kNowMs, response.mutable_server_time());
  return response.ByteSizeLong();
}

TEST(MessageSizeTest, Lock) {
  domain::LockSeats lock{.session = kSession};
  for (size_t i = 0; i < domain::kSeatsPerCallMax; ++i) {
    lock.release.push_back(Seat(i));
    lock.seats.push_back(Seat(1000 + i));
  }
  const Command command = With(lock);
  const Change change = MadeBy(Hall(domain::kSeatsPerCallMax, 0), command);
  ExpectWithinBounds(change, 2 * domain::kSeatsPerCallMax);
  const size_t bytes = AnswerBytes<v1::LockSeatsResponse, v1::LockSeatsRequest>(command, change);
  EXPECT_THAT(bytes, Le(domain::kMessageBytesMax));
}

TEST(MessageSizeTest, UnlockOfAllThatASessionMayHold) {
  const Command command = With(domain::UnlockSeats{.session = kSession, .all = true});
  ExpectWithinBounds(MadeBy(Hall(domain::kSessionSeatsMax, 0), command), domain::kSessionSeatsMax);
}

TEST(MessageSizeTest, ExtensionOfAllThatASessionMayHold) {
  const Command command = With(domain::ExtendLocks{.session = kSession, .all = true});
  const Change change = MadeBy(Hall(domain::kSessionSeatsMax, 0), command);
  ExpectWithinBounds(change, domain::kSessionSeatsMax);
  const size_t bytes =
      AnswerBytes<v1::ExtendLocksResponse, v1::ExtendLocksRequest>(command, change);
  EXPECT_THAT(bytes, Le(domain::kMessageBytesMax));
  EXPECT_THAT(bytes, ::testing::Gt(domain::kMessageBytesMax / 2));  // it is the largest
}

TEST(MessageSizeTest, ListOfAllThatASessionMayHold) {
  const domain::Showtime hall = Hall(domain::kSessionSeatsMax, 0);
  v1::ListSessionLocksResponse response;
  response.set_revision(kRevision);
  SetTime(kNowMs, response.mutable_server_time());
  for (const domain::SeatId& id : hall.HeldBy(kSession)) {
    const domain::SeatView seat = *hall.FindSeat(id);
    SetLock(kShowtime, {id, seat.session, seat.expire_ms, seat.fence}, response.add_locks());
  }
  EXPECT_EQ(response.locks_size(), static_cast<int>(domain::kSessionSeatsMax));
  EXPECT_THAT(response.ByteSizeLong(), Le(domain::kMessageBytesMax));
}

TEST(MessageSizeTest, BookingOfAWholeOrder) {
  const Command command = With(domain::BookSeats{.session = kSession, .order = kOrder});
  const Change change = MadeBy(Hall(domain::kOrderSeatsMax, 0), command);
  ExpectWithinBounds(change, domain::kOrderSeatsMax);
  const size_t bytes = AnswerBytes<v1::BookSeatsResponse, v1::BookSeatsRequest>(command, change);
  EXPECT_THAT(bytes, Le(domain::kMessageBytesMax));
}

TEST(MessageSizeTest, AdditionToAnOrderRepeatsIdsAlone) {
  domain::BookSeats book{.session = kSession, .order = kOrder, .add_to_order = true};
  book.seats.push_back(Seat(0));
  const Change change = MadeBy(Hall(1, domain::kOrderSeatsMax - 1), With(book));
  EXPECT_EQ(change.kept.size(), domain::kOrderSeatsMax - 1);
  ExpectWithinBounds(change, 1);
}

TEST(MessageSizeTest, CancellationOfTheLargestOrder) {
  const Command all = With(domain::CancelBooking{.order = kOrder, .all = true});
  ExpectWithinBounds(MadeBy(Hall(0, domain::kOrderSeatsMax), all), domain::kOrderSeatsMax);
  // An order of an earlier version.
  ExpectWithinBounds(MadeBy(Hall(0, domain::kSeatsPerChangeMax), all), domain::kSeatsPerChangeMax);
}

TEST(MessageSizeTest, ControlAChangeOfTwiceTheSeatsIsTooLargeAndIsNotDecided) {
  const Command all = With(domain::CancelBooking{.order = kOrder, .all = true});
  Change change = MadeBy(Hall(0, domain::kSeatsPerChangeMax), all);
  change.seats.reserve(2 * change.seats.size());
  std::copy_n(change.seats.begin(), domain::kSeatsPerChangeMax, std::back_inserter(change.seats));
  EXPECT_GT(ProtoEncoder().EncodeChange(kShowtime, kEpoch, change).size(),
            domain::kMessageBytesMax);
  const domain::Decision decision =
      domain::Decide(Hall(0, domain::kSeatsPerChangeMax + 1), all, kNowMs, kRules);
  EXPECT_TRUE(std::holds_alternative<domain::Refusal>(decision));
}

TEST(MessageSizeTest, APageOfShowtimes) {
  v1::ListShowtimesResponse response;
  for (int i = 0; i < kListPageMax; ++i) {
    const engine::Summary summary{
        .showtime = kShowtime,
        .position = {kEpoch, domain::Revision(kRevision)},
        .last_commit_ms = kNowMs,
        .seats = domain::SeatCounts{.locked = UINT32_MAX, .booked = UINT32_MAX, .blocked = 1}};
    SetSummary(summary, response.add_showtimes());
  }
  response.set_next_page_token(PageTokenAfter(kShowtime));
  EXPECT_THAT(response.ByteSizeLong(), Le(kListPageMax * kSummaryBytesMax));
  EXPECT_THAT(response.ByteSizeLong(), Le(domain::kMessageBytesMax / 8)) << "far below the bound";
}

TEST(MessageSizeTest, GetOrderOfTheLargestOrder) {
  const domain::Showtime hall = Hall(0, domain::kOrderSeatsMax);
  v1::GetOrderResponse response;
  for (const domain::SeatId& seat : hall.FindOrder(kOrder)->seats) {
    response.add_seat_ids(seat.value());
  }
  EXPECT_THAT(response.ByteSizeLong(), Le(domain::kMessageBytesMax));
}

}  // namespace
}  // namespace seatlock::rpc
