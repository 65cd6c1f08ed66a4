#include "edge/upstream/refusal.h"

#include <algorithm>
#include <string>

#include "edge/limits.h"
#include "edge/upstream/details.h"
#include "edge/upstream/retry_info.h"
#include "google/rpc/error_details.pb.h"

namespace seatlock::edge {
namespace {

// The service's own words for why, or empty: something else has failed, or answered in its place.
google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  return FindDetail<google::rpc::ErrorInfo>(
             status, [](const auto& info) { return info.domain() == "seatlock"; })
      .value_or(google::rpc::ErrorInfo());
}

// What the service says for all showtimes: it goes, its store cannot be used and will be again, or
// it does not take the edge's key, until somebody mends one of the two.
// A history that is damaged is said with the same reason, and concerns that showtime alone.
bool OfAllShowtimes(const google::rpc::ErrorInfo& info) {
  if (info.reason() == "DRAINING" || info.reason() == "SCOPE_MISSING" ||
      info.reason() == "TOKEN_MISSING" || info.reason() == "TOKEN_INVALID" ||
      info.reason() == "TOKEN_EXPIRED") {
    return true;
  }
  const auto showtime = info.metadata().find("showtime");
  const bool damaged = showtime != info.metadata().end() && showtime->second == "damaged";
  return info.reason() == "STORE_UNAVAILABLE" && !damaged;
}

bool TooMany(const grpc::Status& status, const std::string& reason) {
  return status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED || reason == "OVERLOADED";
}

// In our words: the service's may name what pages need not know.
const char* MessageFor(const grpc::Status& status, const std::string& reason) {
  if (TooMany(status, reason)) {
    return "the seat service has no room for this showtime now";
  }
  if (status.error_code() == grpc::StatusCode::DATA_LOSS || reason == "STORE_UNAVAILABLE") {
    return "the seat service cannot read this showtime now";
  }
  return "the seat service does not serve this showtime";
}

}  // namespace

std::optional<Refusal> RefusalOf(const grpc::Status& status) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  // gRPC itself says RESOURCE_EXHAUSTED for the service's bound on memory.
  const bool refused = !info.reason().empty() ||
                       status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED ||
                       status.error_code() == grpc::StatusCode::DATA_LOSS;
  if (!refused || OfAllShowtimes(info)) return std::nullopt;
  return Refusal{MessageFor(status, info.reason()),
                 std::max(RetryAfterMs(status), kRefusedRetryMs)};
}

bool OthersMayServe(const grpc::Status& status) {
  return !RefusalOf(status) || TooMany(status, InfoOf(status).reason());
}

}  // namespace seatlock::edge
