// seatlockd: reads its configuration, opens the store, and puts engine and server together.
#include <grpc/support/log.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/base/ticker.h"
#include "common/runtime/admin_server.h"
#include "common/runtime/health.h"
#include "common/runtime/log_throttle.h"
#include "common/runtime/logging.h"
#include "common/runtime/metrics.h"
#include "common/runtime/net.h"
#include "common/runtime/signals.h"
#include "common/runtime/version.h"
#include "services/seatlock/config.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/metrics.h"
#include "services/seatlock/rpc/proto_encoder.h"
#include "services/seatlock/rpc/server.h"
#include "services/seatlock/store/command.h"
#include "services/seatlock/store_opening.h"

namespace seatlock {
namespace {

// Ten looks a second at the wake index, so that a lapsed lock is freed well within its second.
constexpr std::chrono::milliseconds kTick{100};
constexpr size_t kEpochBytes = 8;

void AddGauges(const engine::Engine& engine, runtime::Metrics& metrics) {
  metrics.AddGaugeCallback("seatlock_live_showtimes", "Showtimes in memory.",
                           [&engine] { return static_cast<double>(engine.live_showtimes()); });
  metrics.AddGaugeCallback("seatlock_watchers", "Open WatchShowtime streams.",
                           [&engine] { return static_cast<double>(engine.watchers()); });
  metrics.AddGaugeCallback("seatlock_held_for_readers_bytes",
                           "Encoded bytes that only readers who lag behind need.",
                           [&engine] { return static_cast<double>(engine.held_for_readers()); });
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "seatlockd: %s\n", std::string(status.message()).c_str());
  return 1;
}

int Serve(const Config& config, runtime::Signals& signals) {
  ServiceClock service_clock(config.store);
  base::SlewedClock& clock = service_clock.clock();
  runtime::Metrics metrics;
  runtime::LogThrottle store_errors(clock, [](const std::string& error, uint64_t left_out) {
    runtime::LogError("store", {{"error", error}, {"left_out", left_out}});
  });
  ServiceMetrics service_metrics(&metrics, &store_errors);
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
  AddGauges(engine, metrics);
  AddClockGauges(service_clock, metrics);
  auto server =
      rpc::Server::Start(config.listen.host, config.listen.port, engine, clock, service_metrics);
  if (!server.ok()) return Fail(server.status());
  std::atomic<bool> draining{false};
  auto admin = runtime::AdminServer::Start(
      config.admin_listen,
      {[&] {
         if (draining) return absl::UnavailableError("draining");
         if (!(*log)->Healthy()) return absl::UnavailableError((*log)->WhyUnhealthy());
         return absl::OkStatus();
       },
       [&metrics] { return metrics.Text(); }, runtime::VersionJson("seatlockd")});
  if (!admin.ok()) return Fail(admin.status());
  StoreWatch store_watch(config, service_clock, **log);
  auto ticker = std::make_unique<base::Ticker>(kTick, [&] {
    store_watch.Tick();
    engine.Tick();
    (*server)->SetServing((*log)->Healthy());
    store_errors.Tick();
  });
  runtime::LogInfo("admin listening", {{"address", (*admin)->address().ToString()}});
  runtime::LogInfo(
      "listening",
      {{"address", runtime::HostPort{config.listen.host, (*server)->port()}.ToString()}});
  const int signal = signals.Wait();
  draining = true;
  (*server)->StopServing();
  runtime::LogInfo("not ready any more",
                   {{"signal", signal}, {"drain_delay_ms", config.drain_delay_ms}});
  signals.Delay(std::chrono::milliseconds(config.drain_delay_ms));
  runtime::LogInfo("draining");
  engine.Drain();
  (*server)->Shutdown(config.drain_ms);
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
  runtime::Signals signals;
  return Serve(config, signals);
}

}  // namespace
}  // namespace seatlock

int main(int argc, char** argv) {
  return seatlock::Main(argc, argv);
}
