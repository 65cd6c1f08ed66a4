#include "common/runtime/grpc_server_metrics.h"

namespace seatlock::runtime {
namespace {

// As Go's codes.Code prints them, by number.
constexpr const char* kCodeNames[GrpcMethodMetrics::kCodes] = {
    "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
    "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
    "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
    "DataLoss", "Unauthenticated"};
constexpr int kUnknown = 2;

}  // namespace

void GrpcMethodMetrics::Handled(int grpc_code, double seconds) {
  const bool known = grpc_code >= 0 && grpc_code < kCodes;
  handled_[static_cast<size_t>(known ? grpc_code : kUnknown)]->Increment();
  seconds_->Observe(seconds);
}

GrpcMethodMetrics& GrpcServerMetrics::AddMethod(GrpcType type, const std::string& service,
                                                const std::string& method) {
  const Labels labels = {{"grpc_type", type == GrpcType::kUnary ? "unary" : "server_stream"},
                         {"grpc_service", service},
                         {"grpc_method", method}};
  auto added = std::make_unique<GrpcMethodMetrics>();
  added->started_ = &metrics_->AddCounter("grpc_server_started_total",
                                          "Calls that came in, answered or not.", labels);
  for (size_t code = 0; code < GrpcMethodMetrics::kCodes; ++code) {
    Labels with_code = labels;
    with_code.emplace_back("grpc_code", kCodeNames[code]);
    added->handled_[code] = &metrics_->AddCounter(
        "grpc_server_handled_total", "Calls that were answered, by code.", std::move(with_code));
  }
  added->seconds_ = &metrics_->AddHistogram("grpc_server_handling_seconds",
                                            "Seconds from a call's coming in to its answer.",
                                            LatencyBounds(), labels);
  methods_.push_back(std::move(added));
  return *methods_.back();
}

}  // namespace seatlock::runtime
