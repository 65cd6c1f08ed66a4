// The service's metrics: what the engine, the log and the rpc layer report, under the names that
// docs/operating.md lists; and the log lines of what they report. Owned by main; outlives those.
// Thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "common/base/clock.h"
#include "common/runtime/grpc_server_metrics.h"
#include "common/runtime/log_throttle.h"
#include "common/runtime/metrics.h"
#include "common/runtime/trace_log.h"
#include "services/seatlock/engine/observer.h"
#include "services/seatlock/rpc/call_observer.h"

namespace seatlock {

class ServiceMetrics final : public engine::Observer, public rpc::CallObserver {
 public:
  // All outlive this.
  ServiceMetrics(runtime::Metrics* metrics, runtime::LogThrottle* store_errors,
                 runtime::TraceLog* calls);

  void OnResult(const domain::Command& command, const engine::Result& result) override;
  void OnAppend(size_t records, int64_t latency_us, log::AppendResult::Outcome outcome) override;
  void OnDeleted(const domain::ShowtimeId& showtime, const std::string& principal) override;
  void OnExpired(size_t locks) override;
  void OnWatcherLagged() override;
  void OnReaderShed() override;
  void OnStoreError(const domain::ShowtimeId& showtime, const absl::Status& status) override;

  void OnStarted(rpc::Method method) override;
  void OnRateLimited(guard::Rate rate) override;
  void OnHandled(rpc::Method method, int code, int64_t us) override;
  bool WantsReport(bool sampled) override { return calls_log_.Wants(sampled); }
  void OnReport(const rpc::CallReport& report) override;

  // A transaction of `appends` appends was made durable in `us` microseconds.
  void OnCommit(size_t appends, int64_t us);

 private:
  // A command's result: ok, then the refusals by reason, then the failures by kind.
  static constexpr int kCommands = 10;
  static constexpr int kResults = 23;
  static constexpr int kOutcomes = static_cast<int>(log::AppendResult::Outcome::kUnknown) + 1;

  runtime::LogThrottle& store_log_;
  runtime::TraceLog& calls_log_;
  runtime::GrpcServerMetrics grpc_;
  std::array<runtime::GrpcMethodMetrics*, rpc::kMethodCount> methods_{};
  std::array<std::array<runtime::Counter*, kResults>, kCommands> commands_{};
  std::array<runtime::Counter*, guard::kRateCount> rate_limited_{};
  runtime::Counter& expired_;
  runtime::Counter& lagged_;
  runtime::Counter& shed_;
  runtime::Counter& store_errors_;
  runtime::Histogram& append_records_;
  runtime::Histogram& append_seconds_;
  std::array<runtime::Counter*, kOutcomes> appends_{};
  std::array<runtime::Counter*, kOutcomes> confirmations_{};
  runtime::Histogram& commit_appends_;
  runtime::Histogram& commit_seconds_;
};

}  // namespace seatlock
