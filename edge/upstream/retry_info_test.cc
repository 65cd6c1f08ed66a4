#include "edge/upstream/retry_info.h"

#include <gtest/gtest.h>

#include <limits>

#include "edge/limits.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace seatlock::edge {
namespace {

grpc::Status AskingFor(int64_t seconds, int32_t nanos) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  retry.mutable_retry_delay()->set_nanos(nanos);
  google::rpc::Status details;
  details.add_details()->PackFrom(google::rpc::ErrorInfo());
  details.add_details()->PackFrom(retry);
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "", details.SerializeAsString()};
}

TEST(RetryAfterMs, IsWhatTheServiceAsksForWithinBounds) {
  constexpr int64_t kLongest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(RetryAfterMs(AskingFor(1, 250'000'000)), 1250);
  EXPECT_EQ(RetryAfterMs(AskingFor(3600, 0)), kStreamRetryMsMax);
  EXPECT_EQ(RetryAfterMs(AskingFor(kLongest, 999'999'999)), kStreamRetryMsMax);
  EXPECT_EQ(RetryAfterMs(AskingFor(-5, -1)), 0);
}

TEST(RetryAfterMs, IsNothingWithoutAWordOfIt) {
  EXPECT_EQ(RetryAfterMs(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone")), 0);
  EXPECT_EQ(RetryAfterMs(grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone", "\xff no proto")), 0);
}

}  // namespace
}  // namespace seatlock::edge
