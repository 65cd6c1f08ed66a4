// seatlockd: reads its configuration, opens the store, and puts engine and server together.
#include <grpc/support/log.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/base/ticker.h"
#include "common/runtime/admin_server.h"
#include "common/runtime/health.h"
#include "common/runtime/log_throttle.h"
#include "common/runtime/logging.h"
#include "common/runtime/metrics.h"
#include "common/runtime/net.h"
#include "common/runtime/process_metrics.h"
#include "common/runtime/service_manager.h"
#include "common/runtime/signals.h"
#include "common/runtime/supervision.h"
#include "common/runtime/trace_log.h"
#include "common/runtime/version.h"
#include "services/seatlock/config.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/metrics.h"
#include "services/seatlock/port_certificate.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "services/seatlock/rpc/server.h"
#include "services/seatlock/store/command.h"
#include "services/seatlock/store_opening.h"
#include "services/seatlock/watched.h"

namespace seatlock {
namespace {

// Ten looks a second at the wake index, so that a lapsed lock is freed well within its second.
constexpr std::chrono::milliseconds kTick{100};
// Looks at files that may be replaced, on a thread of its own: their disk may hang.
constexpr std::chrono::milliseconds kFilesTick{1000};
constexpr size_t kEpochBytes = 8;
// What the service manager grants beside the drain: for the store to be closed, on a slow disk.
constexpr int64_t kCloseMsMax = 60'000;

void AddGauges(const engine::Engine& engine, runtime::Metrics& metrics) {
  metrics.AddGaugeCallback("seatlock_live_showtimes", "Showtimes in memory.",
                           [&engine] { return static_cast<double>(engine.live_showtimes()); });
  metrics.AddGaugeCallback("seatlock_watchers", "Open WatchShowtime streams.",
                           [&engine] { return static_cast<double>(engine.watchers()); });
  metrics.AddGaugeCallback("seatlock_pending_calls",
                           "Commands and reads that were taken and have no answer yet.",
                           [&engine] { return static_cast<double>(engine.pending()); });
  metrics.AddGaugeCallback("seatlock_state_bytes", "What the showtimes in memory hold, estimated.",
                           [&engine] { return static_cast<double>(engine.state_bytes()); });
  metrics.AddGaugeCallback("seatlock_oldest_due_lock_seconds",
                           "How long the earliest lock that should have ended is overdue; 0: none.",
                           [&engine] { return static_cast<double>(engine.overdue_ms()) / 1e3; });
  metrics.AddGaugeCallback("seatlock_held_for_readers_bytes",
                           "Encoded bytes that only readers who lag behind need.",
                           [&engine] { return static_cast<double>(engine.held_for_readers()); });
}

void AddAllGauges(const Config& config, ServiceClock& clock, const engine::Engine& engine,
                  const log::ShowtimeLog& log, runtime::Metrics& metrics) {
  AddGauges(engine, metrics);
  AddClockGauges(clock, metrics);
  AddStoreGauges(config.store, log, metrics);
  runtime::AddProcessMetrics("seatlockd", &metrics);
}

void LogStoreError(const std::string& error, uint64_t left_out) {
  runtime::LogError("store", {{"error", error}, {"left_out", left_out}});
}

// What /readyz says.
absl::Status ReadyOf(bool draining, const log::ShowtimeLog& log) {
  if (draining) return absl::UnavailableError("draining");
  if (!log.Healthy()) return absl::UnavailableError(log.WhyUnhealthy());
  return absl::OkStatus();
}

// For the service manager. A shared store that is away at start is waited for, so READY says that
// the server runs, and this line whether it serves.
std::string StatusLine(const log::ShowtimeLog& log, const std::string& address) {
  return log.Healthy() ? absl::StrCat("serving on ", address)
                       : absl::StrCat("not serving: ", log.WhyUnhealthy());
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "seatlockd: %s\n", std::string(status.message()).c_str());
  return 1;
}

// Returns once the calls under way have ended, or their time is over.
void Drain(const Config& config, int signal, runtime::Signals& signals, engine::Engine& engine,
           rpc::Server& server) {
  server.StopServing();
  runtime::LogInfo("not ready any more",
                   {{"signal", signal}, {"drain_delay_ms", config.drain_delay_ms}});
  signals.Delay(std::chrono::milliseconds(config.drain_delay_ms));
  runtime::LogInfo("draining");
  engine.Drain();
  server.Shutdown(config.drain_ms);
}

int Serve(const Config& config, runtime::Signals& signals, runtime::ServiceManager& manager) {
  ServiceClock service_clock(config.store);
  base::SlewedClock& clock = service_clock.clock();
  runtime::Metrics metrics;
  runtime::LogThrottle store_errors(clock, LogStoreError);
  auto certificate = OpenPortCertificate(config.tls, clock, metrics);
  if (!certificate.ok()) return Fail(certificate.status());
  runtime::TraceLog calls(clock);
  ServiceMetrics service_metrics(&metrics, &store_errors, &calls);
  auto log = OpenStore(config, service_clock, service_metrics, store_errors);
  if (!log.ok()) return Fail(log.status());
  clock.StartFrom((*log)->LatestCommitMs());
  const rpc::ProtoEncoder encoder;
  base::ThreadExecutor completions;
  base::ThreadExecutor background;
  base::ThreadExecutor maintenance;
  engine::Engine engine({**log,
                         clock,
                         encoder,
                         service_metrics,
                         completions,
                         background,
                         maintenance,
                         {static_cast<uint32_t>(config.max_session_seats), config.max_lock_age_ms},
                         [] { return base::RandomHex(kEpochBytes); }});
  AddAllGauges(config, service_clock, engine, **log, metrics);
  auto server = rpc::Server::Start(config.listen.host, config.listen.port, engine, clock,
                                   service_metrics, certificate->get());
  if (!server.ok()) return Fail(server.status());
  std::atomic<bool> draining{false};
  const auto ready = [&draining, &log = **log] { return ReadyOf(draining, log); };
  metrics.AddGaugeCallback("seatlock_ready", "1 if /readyz says 200, else 0.",
                           [ready] { return ready().ok() ? 1.0 : 0.0; });
  auto admin = runtime::AdminServer::Start(
      config.admin_listen,
      {ready, [&metrics] { return metrics.Text(); }, runtime::VersionJson("seatlockd")});
  if (!admin.ok()) return Fail(admin.status());
  const std::string listening = runtime::HostPort{config.listen.host, (*server)->port()}.ToString();
  StoreWatch store_watch(config, service_clock, **log);
  runtime::Supervision supervision(
      manager, clock, WatchedOf({**log, **server, completions, background, maintenance}),
      [&log = **log, &listening] { return StatusLine(log, listening); });
  supervision.Ready();
  auto ticker = std::make_unique<base::Ticker>(kTick, [&] {
    supervision.Tick();
    store_watch.Tick();
    engine.Tick();
    (*server)->SetServing((*log)->Healthy());
    store_errors.Tick();
    calls.Tick();
  });
  const base::Ticker files(kFilesTick, [&certificate] {
    if (*certificate != nullptr) (*certificate)->Tick();
  });
  WarnOfPortCertificate(config.tls, clock, certificate->get());
  runtime::LogInfo("admin listening", {{"address", (*admin)->address().ToString()}});
  runtime::LogInfo("listening", {{"address", listening}});
  const int signal = signals.Wait();
  draining = true;
  manager.Stopping("draining", config.drain_delay_ms + config.drain_ms + kCloseMsMax);
  Drain(config, signal, signals, engine, **server);
  ticker.reset();
  engine.Stop();
  runtime::LogInfo("stopped");
  return 0;
}

// gRPC writes to stderr in a format of its own, also what is told to the caller as a status.
void LogGrpc(gpr_log_func_args* args) {
  runtime::LogDebug("grpc", {{"message", std::string_view(args->message)}});
}

int Main(int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == "store") {
    return store::RunStoreCommand({argv + 2, argv + argc}, {stdout, stderr, base::SystemClock()});
  }
  const bool health = argc > 1 && std::string_view(argv[1]) == "health";
  Config config;
  if (const auto exit_code = ReadConfig(argc - health, argv + health, &config)) return *exit_code;
  if (health) return runtime::RunHealth("seatlockd", config.admin_listen);
  runtime::InitLogging("seatlockd", config.logging);
  gpr_set_log_function(LogGrpc);
  runtime::ServiceManager manager;
  runtime::Signals signals;
  return Serve(config, signals, manager);
}

}  // namespace
}  // namespace seatlock

int main(int argc, char** argv) {
  return seatlock::Main(argc, argv);
}
