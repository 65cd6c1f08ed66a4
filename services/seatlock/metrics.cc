#include "services/seatlock/metrics.h"

#include <iterator>
#include <string>
#include <variant>

#include "absl/strings/ascii.h"
#include "common/runtime/logging.h"
#include "services/seatlock/rpc/status.h"

namespace seatlock {
namespace {

constexpr int kReasons = static_cast<int>(domain::Reason::kOverloaded) + 1;
// Streams alone end with kShed.
constexpr int kFailures = static_cast<int>(engine::Failure::Kind::kCancelled) + 1;

// In the order of domain::Command::body.
constexpr const char* kCommandNames[] = {"lock",   "unlock", "extend",  "book",    "cancel",
                                         "expire", "block",  "unblock", "release", "close"};
// In the order of log::AppendResult::Outcome.
constexpr const char* kOutcomeNames[] = {"appended", "conflict", "not_appended", "no_room",
                                         "unknown"};
// In the order of engine::Failure::Kind; told apart from the refusal OVERLOADED.
constexpr const char* kFailureNames[] = {"store_unavailable", "showtime_damaged", "outcome_unknown",
                                         "draining",          "queue_full",       "cancelled"};

std::string ResultName(int index) {
  if (index == 0) return "ok";
  if (index <= kReasons) {
    return absl::AsciiStrToLower(
        std::string(rpc::RowOf(static_cast<domain::Reason>(index - 1)).name));
  }
  return kFailureNames[index - 1 - kReasons];
}

int ResultIndex(const engine::Result& result) {
  if (auto* refusal = std::get_if<domain::Refusal>(&result)) {
    return 1 + static_cast<int>(refusal->reason);
  }
  if (auto* failure = std::get_if<engine::Failure>(&result)) {
    return 1 + kReasons + static_cast<int>(failure->kind);
  }
  return 0;
}

}  // namespace

ServiceMetrics::ServiceMetrics(runtime::Metrics* metrics, runtime::LogThrottle* store_errors,
                               runtime::TraceLog* calls)
    : store_log_(*store_errors),
      calls_log_(*calls),
      grpc_(metrics),
      expired_(metrics->AddCounter("seatlock_locks_expired_total",
                                   "Locks that the server freed because they had lapsed.")),
      lagged_(metrics->AddCounter(
          "seatlock_watchers_lagged_total",
          "Watchers that fell behind and were sent a snapshot in place of changes.")),
      shed_(metrics->AddCounter(
          "seatlock_readers_shed_total",
          "Streams and reads that were ended because those that nobody reads held too much.")),
      store_errors_(
          metrics->AddCounter("seatlock_store_errors_total",
                              "Loads, snapshots and recoveries that the store could not do.")),
      append_records_(metrics->AddHistogram("seatlock_append_records",
                                            "Changes in one append of one showtime.",
                                            runtime::PowersOfTwo(512))),
      append_seconds_(metrics->AddHistogram(
          "seatlock_append_seconds", "From handing an append over until its result was known.",
          runtime::LatencyBounds())),
      commit_appends_(metrics->AddHistogram("seatlock_commit_appends",
                                            "Appends in one transaction of the store.",
                                            runtime::PowersOfTwo(1024))),
      commit_seconds_(metrics->AddHistogram("seatlock_commit_seconds",
                                            "From the start of a transaction until it was durable.",
                                            runtime::LatencyBounds())) {
  static_assert(kResults == 1 + kReasons + kFailures);
  static_assert(kCommands == std::variant_size_v<decltype(domain::Command::body)>);
  for (int method = 0; method < rpc::kMethodCount; ++method) {
    const auto which = static_cast<rpc::Method>(method);
    const auto type = which == rpc::Method::kWatchShowtime ? runtime::GrpcType::kServerStream
                                                           : runtime::GrpcType::kUnary;
    methods_[method] = &grpc_.AddMethod(type, std::string(rpc::ServiceName(which)),
                                        std::string(rpc::MethodName(which)));
  }
  for (int command = 0; command < kCommands; ++command) {
    for (int result = 0; result < kResults; ++result) {
      commands_[command][result] = &metrics->AddCounter(
          "seatlock_commands_total", "Commands by what was asked and what became of them.",
          {{"command", kCommandNames[command]}, {"result", ResultName(result)}});
    }
  }
  for (int rate = 0; rate < guard::kRateCount; ++rate) {
    rate_limited_[rate] = &metrics->AddCounter(
        "seatlock_rate_limited_total", "Calls that were refused with RATE_LIMITED, by the limit.",
        {{"limit", std::string(guard::RateName(static_cast<guard::Rate>(rate)))}});
  }
  static_assert(kOutcomes == std::size(kOutcomeNames));
  for (int outcome = 0; outcome < kOutcomes; ++outcome) {
    appends_[outcome] =
        &metrics->AddCounter("seatlock_appends_total", "Appends by what became of them.",
                             {{"outcome", kOutcomeNames[outcome]}});
    confirmations_[outcome] = &metrics->AddCounter(
        "seatlock_confirmations_total",
        "Questions to a shared store whether a showtime's head is still the one in memory.",
        {{"outcome", kOutcomeNames[outcome]}});
  }
}

void ServiceMetrics::OnResult(const domain::Command& command, const engine::Result& result) {
  commands_[command.body.index()][ResultIndex(result)]->Increment();
}

void ServiceMetrics::OnAppend(size_t records, int64_t latency_us,
                              log::AppendResult::Outcome outcome) {
  if (records == 0) return confirmations_[static_cast<int>(outcome)]->Increment();
  append_records_.Observe(static_cast<double>(records));
  append_seconds_.Observe(static_cast<double>(latency_us) / 1e6);
  appends_[static_cast<int>(outcome)]->Increment();
}

void ServiceMetrics::OnDeleted(const domain::ShowtimeId& showtime, const std::string& principal) {
  runtime::LogInfo("showtime deleted", {{"showtime", showtime.value()}, {"principal", principal}});
}

void ServiceMetrics::OnExpired(size_t locks) {
  expired_.Increment(locks);
}

void ServiceMetrics::OnReaderShed() {
  shed_.Increment();
}

void ServiceMetrics::OnWatcherLagged() {
  lagged_.Increment();
}

void ServiceMetrics::OnStoreError(const domain::ShowtimeId& showtime, const absl::Status& status) {
  store_errors_.Increment();
  store_log_.Log("showtime " + showtime.value() + ": " + status.ToString());
}

void ServiceMetrics::OnRateLimited(guard::Rate rate) {
  rate_limited_[static_cast<int>(rate)]->Increment();
}

void ServiceMetrics::OnStarted(rpc::Method method) {
  methods_[static_cast<int>(method)]->Started();
}

void ServiceMetrics::OnHandled(rpc::Method method, int code, int64_t us) {
  methods_[static_cast<int>(method)]->Handled(code, static_cast<double>(us) / 1e6);
}

void ServiceMetrics::OnReport(const rpc::CallReport& report) {
  const base::TraceContext none;
  const base::TraceContext& trace = report.trace == nullptr ? none : *report.trace;
  calls_log_.Write(trace.sampled, "call",
                   {{"trace", trace.trace_id},
                    {"span", trace.parent_id},
                    {"method", rpc::MethodName(report.method)},
                    {"showtime", report.showtime},
                    {"principal", report.principal},
                    {"revision", report.revision},
                    {"outcome", report.outcome},
                    {"ms", static_cast<double>(report.us) / 1e3}});
}

void ServiceMetrics::OnCommit(size_t appends, int64_t us) {
  commit_appends_.Observe(static_cast<double>(appends));
  commit_seconds_.Observe(static_cast<double>(us) / 1e6);
}

}  // namespace seatlock
