#include "edge/upstream/retry_info.h"

#include <algorithm>

#include "edge/limits.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace seatlock::edge {
namespace {

int64_t ToMs(const google::protobuf::Duration& delay) {
  const int64_t seconds = std::clamp<int64_t>(delay.seconds(), 0, kStreamRetryMsMax);
  return std::clamp<int64_t>(seconds * kSecondMs + delay.nanos() / 1'000'000, 0, kStreamRetryMsMax);
}

}  // namespace

int64_t RetryAfterMs(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return 0;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&retry)) return ToMs(retry.retry_delay());
  }
  return 0;
}

}  // namespace seatlock::edge
