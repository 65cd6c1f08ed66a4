#include "clients/cpp/call_error.h"

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace seatlock::client {
namespace {

constexpr char kDetailsUrl[] = "type.googleapis.com/google.rpc.Status";

std::chrono::milliseconds ToMs(const google::protobuf::Duration& duration) {
  return std::chrono::seconds(duration.seconds()) +
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

}  // namespace

bool CallError::NothingHappened() const {
  const auto outcome = metadata.find("outcome");
  return outcome != metadata.end() && outcome->second == "none";
}

CallError ErrorOf(const absl::Status& status) {
  CallError error;
  error.code = status.code();
  error.message = std::string(status.message());
  const absl::optional<absl::Cord> payload = status.GetPayload(kDetailsUrl);
  google::rpc::Status details;
  if (!payload.has_value() || !details.ParseFromString(std::string(*payload))) return error;
  for (const google::protobuf::Any& detail : details.details()) TakeDetail(detail, &error);
  return error;
}

absl::Status MakeStatus(absl::StatusCode code, std::string_view message, std::string_view details) {
  absl::Status status(code, {message.data(), message.size()});
  if (!details.empty()) {
    status.SetPayload(kDetailsUrl, absl::Cord(absl::string_view(details.data(), details.size())));
  }
  return status;
}

}  // namespace seatlock::client
