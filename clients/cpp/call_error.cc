#include "seatlock/call_error.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "clients/cpp/outcome.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace seatlock::client {
namespace {

constexpr char kDetailsUrl[] = "type.googleapis.com/google.rpc.Status";
// Payloads of this client's own. The presence of the first two says it all.
constexpr char kUnknownOutcomeUrl[] = "seatlock.client/unknown-outcome";
constexpr char kNothingDoneUrl[] = "seatlock.client/nothing-done";
constexpr char kServerUrl[] = "seatlock.client/server";

// At most a year, so that callers can add it to a clock: what comes over the wire may be larger
// than milliseconds can hold.
std::chrono::milliseconds ToMs(const google::protobuf::Duration& duration) {
  constexpr int64_t kSecondsMax = 365 * 24 * 3600;
  return std::chrono::seconds(std::clamp<int64_t>(duration.seconds(), 0, kSecondsMax)) +
         std::chrono::milliseconds(duration.nanos() / 1'000'000);
}

void TakeDetail(const google::protobuf::Any& detail, CallError* error) {
  if (google::rpc::ErrorInfo info; detail.UnpackTo(&info)) {
    error->reason = info.reason();
    error->metadata = {info.metadata().begin(), info.metadata().end()};
  } else if (google::rpc::RetryInfo retry; detail.UnpackTo(&retry)) {
    error->retry_after = ToMs(retry.retry_delay());
  } else if (v1::SeatConflicts conflicts; detail.UnpackTo(&conflicts)) {
    error->conflicts = {conflicts.conflicts().begin(), conflicts.conflicts().end()};
  } else if (google::rpc::BadRequest bad; detail.UnpackTo(&bad)) {
    for (const auto& field : bad.field_violations()) {
      error->fields.push_back(field.field() + ": " + field.description());
    }
  }
}

// Without a word of the service's own these come of the connection, a proxy or a limit of gRPC's,
// so the request may have been done. The others are said before a handler runs. clients/typescript
// has the same list.
bool IsInDoubt(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDataLoss:
      return true;
    default:
      return false;
  }
}

// `status` with another message.
absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status changed(status.code(), message);
  status.ForEachPayload([&changed](absl::string_view url, const absl::Cord& payload) {
    changed.SetPayload(url, payload);
  });
  return changed;
}

}  // namespace

bool CallError::NothingHappened() const {
  const auto outcome = metadata.find("outcome");
  return outcome != metadata.end() && outcome->second == "none";
}

bool CallError::MayHaveHappened() const {
  const auto outcome = metadata.find("outcome");
  if (outcome != metadata.end()) return outcome->second != "none";
  return code == absl::StatusCode::kUnavailable || (reason.empty() && IsInDoubt(code));
}

CallError ErrorOf(const absl::Status& status) {
  CallError error;
  error.code = status.code();
  error.message = std::string(status.message());
  const absl::optional<absl::Cord> payload = status.GetPayload(kDetailsUrl);
  google::rpc::Status details;
  if (payload.has_value() && details.ParseFromString(std::string(*payload))) {
    for (const google::protobuf::Any& detail : details.details()) TakeDetail(detail, &error);
  }
  if (const absl::optional<absl::Cord> server = status.GetPayload(kServerUrl)) {
    error.server = std::string(*server);
  }
  if (status.GetPayload(kNothingDoneUrl).has_value()) error.metadata["outcome"] = "none";
  if (status.GetPayload(kUnknownOutcomeUrl).has_value()) error.metadata["outcome"] = "unknown";
  return error;
}

absl::Status MakeStatus(absl::StatusCode code, std::string_view message, std::string_view details) {
  absl::Status status(code, {message.data(), message.size()});
  if (!details.empty()) {
    status.SetPayload(kDetailsUrl, absl::Cord(absl::string_view(details.data(), details.size())));
  }
  return status;
}

absl::Status WithNothingDone(absl::Status status) {
  status.SetPayload(kNothingDoneUrl, absl::Cord());
  return status;
}

absl::Status WithServer(const absl::Status& status, const std::string& server, bool in_message) {
  absl::Status named =
      in_message ? WithMessage(status, absl::StrCat(status.message(), " (", server, ")")) : status;
  named.SetPayload(kServerUrl, absl::Cord(server));
  return named;
}

absl::Status WithUnknownOutcome(const absl::Status& status) {
  // A message that says that nothing was done speaks of the last attempt alone.
  const bool last_did_nothing = ErrorOf(status).NothingHappened();
  absl::Status marked = WithMessage(
      status, last_did_nothing
                  ? absl::StrCat(status.message(), "; an earlier attempt may have happened")
                  : std::string(status.message()));
  marked.SetPayload(kUnknownOutcomeUrl, absl::Cord());
  return marked;
}

}  // namespace seatlock::client
