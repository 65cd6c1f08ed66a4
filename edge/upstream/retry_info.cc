#include "edge/upstream/retry_info.h"

#include <algorithm>

#include "edge/limits.h"
#include "edge/upstream/details.h"
#include "google/rpc/error_details.pb.h"

namespace seatlock::edge {
namespace {

int64_t ToMs(const google::protobuf::Duration& delay) {
  const int64_t seconds = std::clamp<int64_t>(delay.seconds(), 0, kStreamRetryMsMax);
  return std::clamp<int64_t>(seconds * kSecondMs + delay.nanos() / 1'000'000, 0, kStreamRetryMsMax);
}

}  // namespace

int64_t RetryAfterMs(const grpc::Status& status) {
  const auto retry = FindDetail<google::rpc::RetryInfo>(status, [](const auto&) { return true; });
  return retry ? ToMs(retry->retry_delay()) : 0;
}

}  // namespace seatlock::edge
