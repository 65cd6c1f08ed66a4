#include "services/seatlock/rpc/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "seatlock/v1/seats.pb.h"

namespace seatlock::rpc {
namespace {

using domain::Reason;
using engine::Failure;
using grpc::StatusCode;

struct Rich {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  google::rpc::RetryInfo retry;
  v1::SeatConflicts conflicts;
  bool has_retry = false;
};

Rich Unpack(const grpc::Status& status) {
  google::rpc::Status proto;
  EXPECT_TRUE(proto.ParseFromString(status.error_details()));
  EXPECT_EQ(proto.code(), status.error_code());
  EXPECT_EQ(proto.message(), status.error_message());
  Rich rich;
  for (const google::protobuf::Any& detail : proto.details()) {
    if (detail.UnpackTo(&rich.retry)) rich.has_retry = true;
    detail.UnpackTo(&rich.info);
    detail.UnpackTo(&rich.bad_request);
    detail.UnpackTo(&rich.conflicts);
  }
  EXPECT_EQ(rich.info.domain(), "seatlock");
  return rich;
}

// The contract's table, as callers see it.
const std::map<std::string, StatusCode>& Contract() {
  static const auto* table = new std::map<std::string, StatusCode>{
      {"INVALID_FIELD", StatusCode::INVALID_ARGUMENT},
      {"REQUEST_ID_REUSED", StatusCode::INVALID_ARGUMENT},
      {"UNKNOWN_SEAT", StatusCode::NOT_FOUND},
      {"UNKNOWN_ORDER", StatusCode::NOT_FOUND},
      {"ORDER_CANCELLED", StatusCode::FAILED_PRECONDITION},
      {"ORDER_MISMATCH", StatusCode::FAILED_PRECONDITION},
      {"NOTHING_HELD", StatusCode::FAILED_PRECONDITION},
      {"SEAT_TAKEN", StatusCode::FAILED_PRECONDITION},
      {"NOT_LOCK_HOLDER", StatusCode::FAILED_PRECONDITION},
      {"STALE_FENCE", StatusCode::FAILED_PRECONDITION},
      {"SHOWTIME_CLOSED", StatusCode::FAILED_PRECONDITION},
      {"SESSION_SEAT_LIMIT", StatusCode::FAILED_PRECONDITION},
      {"ORDER_SEAT_LIMIT", StatusCode::FAILED_PRECONDITION},
      {"EXTEND_LIMIT", StatusCode::FAILED_PRECONDITION},
      {"LOCK_EXPIRED", StatusCode::ABORTED},
      {"OVERLOADED", StatusCode::RESOURCE_EXHAUSTED},
      {"RATE_LIMITED", StatusCode::RESOURCE_EXHAUSTED},
      {"STORE_UNAVAILABLE", StatusCode::UNAVAILABLE},
      {"OUTCOME_UNKNOWN", StatusCode::UNAVAILABLE},
      {"DRAINING", StatusCode::UNAVAILABLE},
      {"TOKEN_MISSING", StatusCode::UNAUTHENTICATED},
      {"TOKEN_INVALID", StatusCode::UNAUTHENTICATED},
      {"TOKEN_EXPIRED", StatusCode::UNAUTHENTICATED},
      {"SCOPE_MISSING", StatusCode::PERMISSION_DENIED},
  };
  return *table;
}

TEST(StatusTest, OverloadedSaysAfterHowLongToTryAgain) {
  domain::Refusal refusal;
  refusal.reason = Reason::kOverloaded;
  EXPECT_EQ(Unpack(ToStatus(refusal)).retry.retry_delay().seconds(), 1);
  refusal.retry_after_ms = 1'800'500;
  const google::protobuf::Duration left = Unpack(ToStatus(refusal)).retry.retry_delay();
  EXPECT_EQ(left.seconds(), 1800);
  EXPECT_EQ(left.nanos(), 500'000'000);
}

TEST(StatusTest, RateLimitedSaysWhichLimitAndAfterHowLongToTryAgain) {
  const Rich usual = Unpack(RateLimited({guard::Rate::kLocks, 1'000}));
  EXPECT_EQ(usual.info.reason(), "RATE_LIMITED");
  EXPECT_EQ(usual.info.metadata().at("limit"), "locks");
  EXPECT_EQ(usual.retry.retry_delay().seconds(), 1);
  EXPECT_EQ(usual.retry.retry_delay().nanos(), 0);
  const Rich longer = Unpack(RateLimited({guard::Rate::kLocksPerSession, 9'100}));
  EXPECT_EQ(longer.info.metadata().at("limit"), "locks_per_session");
  EXPECT_EQ(longer.retry.retry_delay().seconds(), 9);
  EXPECT_EQ(longer.retry.retry_delay().nanos(), 100'000'000);
}

TEST(StatusTest, EveryReasonHasTheNameAndCodeOfTheContract) {
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(Reason::kOverloaded); ++i) {
    domain::Refusal refusal;
    refusal.reason = static_cast<Reason>(i);
    const grpc::Status status = ToStatus(refusal);
    const std::string reason = Unpack(status).info.reason();
    ASSERT_TRUE(Contract().contains(reason)) << i;
    EXPECT_EQ(status.error_code(), Contract().at(reason)) << reason;
    seen.insert(reason);
  }
  for (Failure::Kind kind :
       {Failure::Kind::kStoreUnavailable, Failure::Kind::kDamaged, Failure::Kind::kOutcomeUnknown,
        Failure::Kind::kDraining, Failure::Kind::kOverloaded}) {
    const grpc::Status status = ToStatus(Failure{kind, "why"});
    const Rich rich = Unpack(status);
    EXPECT_EQ(status.error_code(), Contract().at(rich.info.reason()));
    EXPECT_TRUE(rich.has_retry) << rich.info.reason();
    seen.insert(rich.info.reason());
  }
  for (const grpc::Status& status :
       {ToStatus(guard::Denied::kMissing), ToStatus(guard::Denied::kInvalid),
        ToStatus(guard::Denied::kExpired), ScopeMissing(guard::Need::kLock)}) {
    const std::string reason = Unpack(status).info.reason();
    EXPECT_EQ(status.error_code(), Contract().at(reason)) << reason;
    seen.insert(reason);
  }
  const grpc::Status limited = RateLimited({guard::Rate::kLocks, 1'000});
  EXPECT_EQ(limited.error_code(), Contract().at(Unpack(limited).info.reason()));
  seen.insert(Unpack(limited).info.reason());
  EXPECT_EQ(seen.size(), Contract().size());
}

TEST(StatusTest, ADamagedShowtimeIsToldFromAStoreThatCannotBeUsed) {
  const Rich damaged = Unpack(ToStatus(Failure{Failure::Kind::kDamaged, ""}));
  EXPECT_EQ(damaged.info.reason(), "STORE_UNAVAILABLE");
  EXPECT_EQ(damaged.info.metadata().at("outcome"), "none");
  EXPECT_EQ(damaged.info.metadata().at("showtime"), "damaged");
  const Rich store = Unpack(ToStatus(Failure{Failure::Kind::kStoreUnavailable, ""}));
  EXPECT_FALSE(store.info.metadata().contains("showtime"));
}

TEST(StatusTest, UnavailableSaysWhetherAnythingMayHaveBeenDone) {
  EXPECT_EQ(
      Unpack(ToStatus(Failure{Failure::Kind::kStoreUnavailable, ""})).info.metadata().at("outcome"),
      "none");
  EXPECT_EQ(Unpack(ToStatus(Failure{Failure::Kind::kDraining, ""})).info.metadata().at("outcome"),
            "none");
  EXPECT_EQ(
      Unpack(ToStatus(Failure{Failure::Kind::kOutcomeUnknown, ""})).info.metadata().at("outcome"),
      "unknown");
}

TEST(StatusTest, NamesEverySeatThatStoodInTheWay) {
  domain::Refusal refusal;
  refusal.reason = Reason::kSeatTaken;
  refusal.conflicts = {
      {domain::SeatId("A1"), domain::SeatStatus::kLocked, Reason::kSeatTaken},
      {domain::SeatId("A2"), domain::SeatStatus::kAvailable, Reason::kNotLockHolder}};
  const Rich rich = Unpack(ToStatus(refusal));
  ASSERT_EQ(rich.conflicts.conflicts_size(), 2);
  EXPECT_EQ(rich.conflicts.conflicts(0).seat_id(), "A1");
  EXPECT_EQ(rich.conflicts.conflicts(0).status(), v1::SEAT_STATUS_LOCKED);
  EXPECT_EQ(rich.conflicts.conflicts(0).reason(), "SEAT_TAKEN");
  EXPECT_EQ(rich.conflicts.conflicts(1).status(), v1::SEAT_STATUS_AVAILABLE);
  EXPECT_EQ(rich.conflicts.conflicts(1).reason(), "NOT_LOCK_HOLDER");
}

TEST(StatusTest, LimitsSayWhatTheyAre) {
  for (Reason reason : {Reason::kSessionSeatLimit, Reason::kOrderSeatLimit}) {
    domain::Refusal seats;
    seats.reason = reason;
    seats.limit = 4;
    seats.held = 3;
    EXPECT_EQ(Unpack(ToStatus(seats)).info.metadata().at("limit"), "4");
    EXPECT_EQ(Unpack(ToStatus(seats)).info.metadata().at("held"), "3");
  }
  domain::Refusal extend;
  extend.reason = Reason::kExtendLimit;
  extend.max_expire_ms = 1'769'860'800'250;
  EXPECT_EQ(Unpack(ToStatus(extend)).info.metadata().at("max_expire_time"),
            "2026-01-31T12:00:00.250Z");
}

TEST(StatusTest, InvalidFieldsNameEachField) {
  const grpc::Status status =
      InvalidFields({{"seat_ids[3]", "must have 1 to 40 bytes"}, {"ttl", "must be 1 s to 2 h"}});
  const Rich rich = Unpack(status);
  EXPECT_EQ(rich.info.reason(), "INVALID_FIELD");
  ASSERT_EQ(rich.bad_request.field_violations_size(), 2);
  EXPECT_EQ(rich.bad_request.field_violations(0).field(), "seat_ids[3]");
  EXPECT_EQ(rich.bad_request.field_violations(1).description(), "must be 1 s to 2 h");
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("seat_ids[3]"));
}

TEST(StatusTest, ASnapshotThatIsTooLargeSaysWhatToDo) {
  const grpc::Status status = SnapshotTooLarge();
  EXPECT_EQ(Unpack(status).info.reason(), "SNAPSHOT_TOO_LARGE");
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("WatchShowtime"));
}

}  // namespace
}  // namespace seatlock::rpc
