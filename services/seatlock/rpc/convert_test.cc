#include "services/seatlock/rpc/convert.h"

#include <gtest/gtest.h>

#include <limits>

namespace seatlock::rpc {
namespace {

int64_t TtlOf(int64_t seconds, int32_t nanos) {
  v1::LockSeatRequest request;
  request.mutable_ttl()->set_seconds(seconds);
  request.mutable_ttl()->set_nanos(nanos);
  return std::get<domain::LockSeats>(ToCommand(request).body).ttl_ms.value();
}

TEST(ConvertTest, DurationsBecomeWholeMillisecondsAndNonsenseIsOutOfBounds) {
  EXPECT_EQ(TtlOf(1, 0), 1000);
  EXPECT_EQ(TtlOf(0, 999'999'999), 999);
  EXPECT_EQ(TtlOf(-1, 0), 0);
  EXPECT_EQ(TtlOf(1, -1), 0);
  EXPECT_EQ(TtlOf(1, std::numeric_limits<int32_t>::max()), 0);
  EXPECT_GT(TtlOf(std::numeric_limits<int64_t>::max(), 0), domain::kTtlMsMax);
}

TEST(ConvertTest, WhatIsNotGivenIsNotThere) {
  const domain::Command command = ToCommand(v1::LockSeatRequest());
  EXPECT_FALSE(command.request_id.has_value());
  EXPECT_FALSE(std::get<domain::LockSeats>(command.body).ttl_ms.has_value());
}

TEST(ConvertTest, AnEmptyRequestIdIsGivenAndSoOutOfBounds) {
  v1::LockSeatRequest request;
  request.set_request_id("");
  const domain::Command command = ToCommand(request);
  ASSERT_TRUE(command.request_id.has_value());
  EXPECT_FALSE(domain::Validate(command).empty());
}

TEST(ConvertTest, FencesAreOrderedSoThatEqualRequestsHaveEqualBodies) {
  v1::BookSeatsRequest one;
  v1::BookSeatsRequest two;
  for (const char* seat : {"A1", "A2", "A3"}) (*one.mutable_fences())[seat] = 7;
  for (const char* seat : {"A3", "A2", "A1"}) (*two.mutable_fences())[seat] = 7;
  EXPECT_EQ(domain::BodyHash(ToCommand(one)), domain::BodyHash(ToCommand(two)));
}

TEST(ConvertTest, LockSeatAndLockSeatsOfOneSeatAreTheSameCommand) {
  v1::LockSeatRequest one;
  one.set_seat_id("A1");
  one.set_session_id("s");
  v1::LockSeatsRequest many;
  many.add_seat_ids("A1");
  many.set_session_id("s");
  EXPECT_EQ(domain::BodyHash(ToCommand(one)), domain::BodyHash(ToCommand(many)));
}

TEST(ConvertTest, ASummaryWhoseSeatsNobodyCanCountHasNoNumbers) {
  engine::Summary summary{.showtime = domain::ShowtimeId("1"),
                          .position = {domain::Epoch("e"), domain::Revision(7)},
                          .last_commit_ms = 1500,
                          .seats = domain::SeatCounts{}};
  v1::ShowtimeSummary whole;
  SetSummary(summary, &whole);
  EXPECT_TRUE(whole.has_locked() && whole.has_booked() && whole.has_blocked());
  EXPECT_TRUE(whole.has_closed());
  EXPECT_EQ(whole.last_change_time().nanos(), 500'000'000);

  summary.seats = std::nullopt;
  v1::ShowtimeSummary damaged;
  SetSummary(summary, &damaged);
  EXPECT_FALSE(damaged.has_locked() || damaged.has_booked() || damaged.has_blocked());
  EXPECT_FALSE(damaged.has_closed());
  EXPECT_EQ(damaged.revision(), 7u);
  EXPECT_TRUE(damaged.has_last_change_time());

  summary.position = {};
  v1::ShowtimeSummary unknown;
  SetSummary(summary, &unknown);
  EXPECT_FALSE(unknown.has_last_change_time());
}

}  // namespace
}  // namespace seatlock::rpc
