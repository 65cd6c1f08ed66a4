// A gRPC server's metrics under the names and labels of go-grpc-prometheus, so that dashboards made
// for those fit: grpc_server_started_total, grpc_server_handled_total and
// grpc_server_handling_seconds, by grpc_type, grpc_service and grpc_method (handled also by
// grpc_code). Owned by main, beside the Metrics that it adds to. Knows no gRPC header. Thread-safe.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "common/runtime/metrics.h"

namespace seatlock::runtime {

enum class GrpcType { kUnary, kServerStream };

// The metrics of one method; a call costs additions and no look-up.
class GrpcMethodMetrics {
 public:
  // gRPC's status codes are 0 to 16; what is beyond counts as Unknown.
  static constexpr int kCodes = 17;

  // A call came in.
  void Started() { started_->Increment(); }
  // It was answered with `grpc_code`, `seconds` after it came in (a stream: after its end).
  void Handled(int grpc_code, double seconds);

 private:
  friend class GrpcServerMetrics;

  Counter* started_ = nullptr;
  std::array<Counter*, kCodes> handled_{};
  Histogram* seconds_ = nullptr;
};

class GrpcServerMetrics {
 public:
  // `metrics` outlives this.
  explicit GrpcServerMetrics(Metrics* metrics) : metrics_(metrics) {}

  // Adds a method, such as (kUnary, "seatlock.v1.SeatLockService", "LockSeat"), with every code at
  // 0. Once each; the result lives as long as this. Called at start, from one thread.
  GrpcMethodMetrics& AddMethod(GrpcType type, const std::string& service,
                               const std::string& method);

 private:
  Metrics* const metrics_;
  std::vector<std::unique_ptr<GrpcMethodMetrics>> methods_;
};

}  // namespace seatlock::runtime
