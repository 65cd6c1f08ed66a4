#include "services/seatlock/rpc/status.h"

#include <google/protobuf/util/time_util.h>

#include <array>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "seatlock/v1/seats.pb.h"
#include "services/seatlock/guard/limits.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/limits.h"

namespace seatlock::rpc {
namespace {

using domain::Reason;
using engine::Failure;

// After which a refused call is worth another try: by then a queue of some thousand is worked off
// and a proxy has noticed that the server drains.
constexpr int64_t kRetryDelayMs = 1000;

// Collects the parts of a rich status.
class StatusBuilder {
 public:
  StatusBuilder(const ReasonRow& row, std::string message)
      : row_(row), message_(std::move(message)) {
    info_.set_domain("seatlock");
    info_.set_reason(std::string(row.name));
  }

  StatusBuilder& Metadata(const std::string& key, std::string value) {
    (*info_.mutable_metadata())[key] = std::move(value);
    return *this;
  }

  template <typename Detail>
  StatusBuilder& Add(const Detail& detail) {
    status_.add_details()->PackFrom(detail);
    return *this;
  }

  // In place of kRetryDelayMs; only for a row with `retry`.
  StatusBuilder& RetryAfter(int64_t ms) {
    retry_after_ms_ = ms;
    return *this;
  }

  grpc::Status Build() {
    google::rpc::Status rich;
    rich.set_code(row_.code);
    rich.set_message(message_);
    rich.add_details()->PackFrom(info_);
    for (google::protobuf::Any& detail : *status_.mutable_details()) {
      rich.add_details()->Swap(&detail);
    }
    if (row_.retry) {
      google::rpc::RetryInfo retry;
      *retry.mutable_retry_delay() =
          google::protobuf::util::TimeUtil::MillisecondsToDuration(retry_after_ms_);
      rich.add_details()->PackFrom(retry);
    }
    return grpc::Status(row_.code, message_, rich.SerializeAsString());
  }

 private:
  const ReasonRow row_;
  const std::string message_;
  int64_t retry_after_ms_ = kRetryDelayMs;
  google::rpc::ErrorInfo info_;
  google::rpc::Status status_;
};

v1::SeatConflicts ToProto(const std::vector<domain::Conflict>& conflicts) {
  v1::SeatConflicts proto;
  for (const domain::Conflict& conflict : conflicts) {
    v1::SeatConflict* added = proto.add_conflicts();
    added->set_seat_id(conflict.seat.value());
    added->set_status(rpc::ToProto(conflict.status));
    added->set_reason(std::string(RowOf(conflict.reason).name));
  }
  return proto;
}

google::rpc::BadRequest ToProto(const std::vector<domain::FieldViolation>& violations) {
  google::rpc::BadRequest proto;
  for (const domain::FieldViolation& violation : violations) {
    if (proto.field_violations_size() == kViolationsMax) {
      proto.add_field_violations()->set_description(
          absl::StrCat("and ", violations.size() - kViolationsMax, " more"));
      break;
    }
    auto* added = proto.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  return proto;
}

}  // namespace

ReasonRow RowOf(Reason reason) {
  switch (reason) {
    case Reason::kInvalidField:
      return {"INVALID_FIELD", grpc::StatusCode::INVALID_ARGUMENT, false};
    case Reason::kRequestIdReused:
      return {"REQUEST_ID_REUSED", grpc::StatusCode::INVALID_ARGUMENT, false};
    case Reason::kUnknownSeat:
      return {"UNKNOWN_SEAT", grpc::StatusCode::NOT_FOUND, false};
    case Reason::kUnknownOrder:
      return {"UNKNOWN_ORDER", grpc::StatusCode::NOT_FOUND, false};
    case Reason::kOrderCancelled:
      return {"ORDER_CANCELLED", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kOrderMismatch:
      return {"ORDER_MISMATCH", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kNothingHeld:
      return {"NOTHING_HELD", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kSeatTaken:
      return {"SEAT_TAKEN", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kNotLockHolder:
      return {"NOT_LOCK_HOLDER", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kStaleFence:
      return {"STALE_FENCE", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kShowtimeClosed:
      return {"SHOWTIME_CLOSED", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kSessionSeatLimit:
      return {"SESSION_SEAT_LIMIT", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kOrderSeatLimit:
      return {"ORDER_SEAT_LIMIT", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kExtendLimit:
      return {"EXTEND_LIMIT", grpc::StatusCode::FAILED_PRECONDITION, false};
    case Reason::kLockExpired:
      return {"LOCK_EXPIRED", grpc::StatusCode::ABORTED, false};
    case Reason::kOverloaded:
      return {"OVERLOADED", grpc::StatusCode::RESOURCE_EXHAUSTED, true};
  }
  return {"", grpc::StatusCode::INTERNAL, false};
}

std::optional<ReasonRow> RowOf(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::kStoreUnavailable:
    case Failure::Kind::kDamaged:
      return ReasonRow{"STORE_UNAVAILABLE", grpc::StatusCode::UNAVAILABLE, true};
    case Failure::Kind::kOutcomeUnknown:
      return ReasonRow{"OUTCOME_UNKNOWN", grpc::StatusCode::UNAVAILABLE, true};
    case Failure::Kind::kDraining:
      return ReasonRow{"DRAINING", grpc::StatusCode::UNAVAILABLE, true};
    case Failure::Kind::kOverloaded:
      return RowOf(Reason::kOverloaded);
    case Failure::Kind::kShed:
      return ReasonRow{"OVERLOADED", grpc::StatusCode::UNAVAILABLE, true};
    case Failure::Kind::kCancelled:
      return std::nullopt;
  }
  return std::nullopt;
}

grpc::Status ToStatus(const domain::Refusal& refusal) {
  StatusBuilder builder(RowOf(refusal.reason), refusal.message);
  if (refusal.reason == Reason::kSessionSeatLimit || refusal.reason == Reason::kOrderSeatLimit) {
    builder.Metadata("limit", absl::StrCat(refusal.limit));
    builder.Metadata("held", absl::StrCat(refusal.held));
  }
  if (refusal.reason == Reason::kExtendLimit) {
    builder.Metadata("max_expire_time", Rfc3339(refusal.max_expire_ms));
  }
  if (refusal.retry_after_ms > 0) builder.RetryAfter(refusal.retry_after_ms);
  if (!refusal.violations.empty()) builder.Add(ToProto(refusal.violations));
  if (!refusal.conflicts.empty()) builder.Add(ToProto(refusal.conflicts));
  return builder.Build();
}

grpc::Status ToStatus(const Failure& failure) {
  const std::optional<ReasonRow> row = RowOf(failure.kind);
  if (!row) return grpc::Status(grpc::StatusCode::CANCELLED, failure.message);
  StatusBuilder builder(*row, failure.message);
  if (row->code == grpc::StatusCode::UNAVAILABLE) {
    const bool unknown = failure.kind == Failure::Kind::kOutcomeUnknown;
    builder.Metadata("outcome", unknown ? "unknown" : "none");
  }
  if (failure.kind == Failure::Kind::kDamaged) builder.Metadata("showtime", "damaged");
  return builder.Build();
}

grpc::Status ToStatus(guard::Denied denied) {
  constexpr grpc::StatusCode kCode = grpc::StatusCode::UNAUTHENTICATED;
  switch (denied) {
    case guard::Denied::kMissing:
      return StatusBuilder({"TOKEN_MISSING", kCode, false},
                           "send authorization: Bearer with a key or token")
          .Build();
    case guard::Denied::kInvalid:
      return StatusBuilder({"TOKEN_INVALID", kCode, false}, "the key or token is not taken here")
          .Build();
    case guard::Denied::kExpired:
      return StatusBuilder({"TOKEN_EXPIRED", kCode, false}, "the token has expired").Build();
  }
  return {kCode, ""};
}

grpc::Status ScopeMissing(guard::Need need) {
  const std::string scope(guard::NameOf(need));
  return StatusBuilder({"SCOPE_MISSING", grpc::StatusCode::PERMISSION_DENIED, false},
                       absl::StrCat("the caller lacks a scope that this call needs: ", scope))
      .Metadata("scope", scope)
      .Build();
}

grpc::Status InvalidFields(std::vector<domain::FieldViolation> violations) {
  domain::Refusal refusal;
  refusal.reason = Reason::kInvalidField;
  refusal.message = absl::StrCat(violations.front().field, ": ", violations.front().description);
  refusal.violations = std::move(violations);
  return ToStatus(refusal);
}

namespace {

grpc::Status BuildRateLimited(const guard::Rates::Refused& refused) {
  return StatusBuilder({"RATE_LIMITED", grpc::StatusCode::RESOURCE_EXHAUSTED, true},
                       "calls come faster than this server allows; try again a little later")
      .Metadata("limit", std::string(guard::RateName(refused.rate)))
      .RetryAfter(refused.retry_after_ms)
      .Build();
}

}  // namespace

// In a storm most calls get one of these, so they are made once and copied.
grpc::Status RateLimited(const guard::Rates::Refused& refused) {
  static const auto* usual = [] {
    auto* made = new std::array<grpc::Status, guard::kRateCount>();
    for (int rate = 0; rate < guard::kRateCount; ++rate) {
      (*made)[rate] = BuildRateLimited({static_cast<guard::Rate>(rate), guard::kRetryMsMin});
    }
    return made;
  }();
  if (refused.retry_after_ms != guard::kRetryMsMin) return BuildRateLimited(refused);
  return (*usual)[static_cast<size_t>(refused.rate)];
}

grpc::Status SnapshotTooLarge() {
  return StatusBuilder({"SNAPSHOT_TOO_LARGE", grpc::StatusCode::FAILED_PRECONDITION, false},
                       "the showtime has too many seats for one answer; use WatchShowtime")
      .Build();
}

grpc::Status NoAdminHere() {
  return StatusBuilder({"SCOPE_MISSING", grpc::StatusCode::PERMISSION_DENIED, false},
                       "this listener can be reached from other machines and does not know its "
                       "callers: administration needs identity, or a listener on loopback")
      .Metadata("scope", "admin")
      .Build();
}

grpc::Status Unparsed() {
  return {grpc::StatusCode::UNIMPLEMENTED, ""};
}

std::string OutcomeOf(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::ErrorInfo info;
  if (!status.error_details().empty() && rich.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : rich.details()) {
      if (detail.UnpackTo(&info)) return info.reason();
    }
  }
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

std::string Rfc3339(int64_t ms) {
  google::protobuf::Timestamp time;
  SetTime(ms, &time);
  return google::protobuf::util::TimeUtil::ToString(time);
}

}  // namespace seatlock::rpc
