#include "edge/upstream/refusal.h"

#include <gmock/gmock.h>

#include "clients/cpp/scripted_service.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

using client::Refusal;
using grpc::StatusCode;
using ::testing::HasSubstr;
using ::testing::Not;

// As the service says it (services/seatlock/rpc/status.cc).
grpc::Status Said(StatusCode code, const std::string& reason, int64_t retry_seconds = 1) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(retry_seconds);
  return Refusal(code, reason, {{"outcome", "none"}}, retry);
}

grpc::Status Damaged() {
  return Refusal(StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE",
                 {{"outcome", "none"}, {"showtime", "damaged"}}, google::rpc::RetryInfo());
}

TEST(RefusalOf, WhatTheServiceItselfSaysOfAShowtimeIsARefusal) {
  const auto full = RefusalOf(Said(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED"));
  ASSERT_TRUE(full.has_value());
  EXPECT_THAT(full->message, HasSubstr("no room"));
  EXPECT_EQ(full->retry_after_ms, kRefusedRetryMs);
  const auto shed = RefusalOf(Said(StatusCode::UNAVAILABLE, "OVERLOADED"));
  ASSERT_TRUE(shed.has_value());
  const auto damaged = RefusalOf(Damaged());
  ASSERT_TRUE(damaged.has_value());
  EXPECT_THAT(damaged->message, HasSubstr("cannot read"));
  EXPECT_TRUE(RefusalOf(Said(StatusCode::INVALID_ARGUMENT, "INVALID_FIELD")).has_value());
  EXPECT_TRUE(RefusalOf(grpc::Status(StatusCode::DATA_LOSS, "")).has_value());
  EXPECT_TRUE(RefusalOf(grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "")).has_value())
      << "gRPC's own, for the service's bound on memory";
}

TEST(RefusalOf, AServiceThatIsAwayOrGoesAwayRefusesNobody) {
  EXPECT_FALSE(RefusalOf(Said(StatusCode::UNAVAILABLE, "DRAINING")).has_value());
  EXPECT_FALSE(RefusalOf(Said(StatusCode::UNAVAILABLE, "STORE_UNAVAILABLE")).has_value())
      << "its store as a whole";
  for (const StatusCode code : {StatusCode::UNAVAILABLE, StatusCode::UNIMPLEMENTED,
                                StatusCode::INTERNAL, StatusCode::UNKNOWN, StatusCode::CANCELLED,
                                StatusCode::DEADLINE_EXCEEDED, StatusCode::OK}) {
    EXPECT_FALSE(RefusalOf(grpc::Status(code, "from a proxy")).has_value()) << code;
  }
}

TEST(RefusalOf, TheServicesWordsAreNotPassedOn) {
  grpc::Status status = Damaged();
  status = {status.error_code(), "disk I/O error in /var/lib/seatlock.db", status.error_details()};
  EXPECT_THAT(RefusalOf(status)->message, Not(HasSubstr("seatlock.db")));
}

TEST(RefusalOf, ALongerWaitThanOursIsTheServices) {
  const auto refusal = RefusalOf(Said(StatusCode::RESOURCE_EXHAUSTED, "OVERLOADED", 30));
  EXPECT_EQ(refusal->retry_after_ms, 30 * kSecondMs);
}

}  // namespace
}  // namespace seatlock::edge
