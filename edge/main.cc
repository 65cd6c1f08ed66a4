// seatlock-edge: reads its configuration, and puts its threads and the upstream together.
#include <grpc/support/log.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/slewed_clock.h"
#include "common/base/ticker.h"
#include "common/runtime/admin_server.h"
#include "common/runtime/clock_watch.h"
#include "common/runtime/health.h"
#include "common/runtime/logging.h"
#include "common/runtime/metrics.h"
#include "common/runtime/net.h"
#include "common/runtime/process_metrics.h"
#include "common/runtime/service_manager.h"
#include "common/runtime/signals.h"
#include "common/runtime/supervision.h"
#include "common/runtime/version.h"
#include "edge/config.h"
#include "edge/fanout/memory_budget.h"
#include "edge/limits.h"
#include "edge/metrics.h"
#include "edge/showtime/history_budget.h"
#include "edge/showtime/sources.h"
#include "edge/showtime/thread_feeds.h"
#include "edge/stats.h"
#include "edge/trace_lines.h"
#include "edge/upstream/resolver.h"
#include "edge/upstream/watch_client.h"
#include "edge/upstream_tls.h"
#include "edge/ws/admission.h"
#include "edge/ws/server.h"
#include "edge/ws/worker.h"

namespace seatlock::edge {
namespace {

// How often the machine's clock and the threads are looked at, also while nothing happens.
constexpr std::chrono::milliseconds kTick{100};
// What the service manager grants beside the drain, for the threads to be ended.
constexpr int64_t kEndMsMax = 10'000;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "seatlock-edge: %s\n", std::string(status.message()).c_str());
  return 1;
}

struct Limits {
  uint64_t open_files = 0;
  int64_t threads = 0;
  int64_t sockets_max = 0;
  int64_t handshakes_max = 0;
  int64_t connections_max = 0;
};

int64_t Threads(const Config& config) {
  if (config.threads > 0) return config.threads;
  cpu_set_t cores;
  const int count = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return std::clamp<int64_t>(count, 1, kThreadsMax);
}

// Each connection is a file.
absl::StatusOr<Limits> RaiseLimits(const Config& config) {
  const absl::StatusOr<uint64_t> files = runtime::RaiseOpenFilesLimit();
  if (!files.ok()) return files.status();
  Limits limits{.open_files = *files, .threads = Threads(config)};
  const uint64_t reserved =
      kReservedFiles + kReservedFilesAThread * static_cast<uint64_t>(limits.threads);
  limits.sockets_max = static_cast<int64_t>(*files > 2 * reserved ? *files - reserved : *files / 2);
  limits.handshakes_max =
      std::clamp(limits.sockets_max / kHandshakeFilesShare, limits.threads, kHandshakesMax);
  const int64_t possible = std::max<int64_t>(1, limits.sockets_max - limits.handshakes_max);
  limits.connections_max =
      config.connections_max == 0 ? possible : std::min(config.connections_max, possible);
  return limits;
}

void LogUpstream(bool up) {
  if (up) {
    runtime::LogInfo("the seat service is back");
  } else {
    runtime::LogWarn("the seat service is lost; browsers stay and are told");
  }
}

void LogServer(const std::string& server, bool up) {
  if (up) {
    runtime::LogInfo("a seat server is back", {{"server", server}});
  } else {
    runtime::LogWarn("a seat server is away, or says that it does not serve", {{"server", server}});
  }
}

void LogName(const std::string& name, const std::string& problem) {
  if (problem.empty()) {
    runtime::LogInfo("the addresses of the seat service are found", {{"name", name}});
  } else {
    runtime::LogWarn("the addresses of the seat service are not found",
                     {{"name", name}, {"reason", problem}});
  }
}

std::vector<std::string> Targets(const Config& config) {
  std::vector<std::string> targets;
  for (const runtime::HostPort& upstream : config.upstreams) targets.push_back(upstream.ToString());
  return targets;
}

// For people who look at /readyz: a line a server.
std::string ServerLines(const std::vector<ServerStatus>& servers) {
  std::string lines;
  for (const ServerStatus& server : servers) {
    absl::StrAppend(&lines, server.address, ": ", NameOf(server.state), ", ", server.streams,
                    " streams\n");
  }
  return lines;
}

// One that reaches none of several servers is more likely cut off itself than they are all away, so
// browsers may fare better elsewhere. If there is one server they would not.
absl::Status ReadyOf(const std::vector<ServerStatus>& servers) {
  const auto is_away = [](const ServerStatus& one) { return one.state == ServerState::kAway; };
  if (servers.size() < 2 || !std::all_of(servers.begin(), servers.end(), is_away)) {
    return absl::OkStatus();
  }
  return absl::UnavailableError("none of the seat servers can be reached");
}

void LogUntrustedForwarder(const std::string& peer) {
  runtime::LogWarn(
      "a peer sends X-Forwarded-For and is not in --trusted-proxies: if it is a proxy, all of its "
      "clients count as one address",
      {{"peer", peer}});
}

// All threads and what they share. The first thread is also the home strand, where the showtimes
// are followed. Made and destroyed by the main thread.
class Edge {
 public:
  Edge(const Config& config, const Limits& limits,
       std::shared_ptr<grpc::ChannelCredentials> upstream_credentials, const base::Clock& clock,
       Tracer& tracer)
      : config_(config),
        clock_(clock),
        admission_({.sockets_max = limits.sockets_max,
                    .connections_max = limits.connections_max,
                    .connections_per_address_max = config.connections_per_address_max,
                    .new_showtimes_per_address_max = config.new_showtimes_per_address_max,
                    .trusted_proxies = config.trusted_proxies,
                    .allowed_origins = config.allowed_origins,
                    .on_untrusted_forwarder = LogUntrustedForwarder}),
        budget_(static_cast<size_t>(config.memory_budget_mib) << 20),
        workers_(MakeWorkers(limits, tracer)),
        upstream_({.targets = Targets(config),
                   .credentials = std::move(upstream_credentials),
                   .clock = &clock_,
                   .executor = &home().strand(),
                   .timers = &home().strand(),
                   .stats = &home().stats(),
                   .resolver = &resolver_,
                   .on_upstream = LogUpstream,
                   .on_server = LogServer,
                   .on_name = LogName}),
        sources_(std::make_unique<Sources>(
            SourceEnv{clock_, home().strand(), upstream_, home().stats(), history_})) {}

  // Then the members go: the upstream waits until gRPC touches nothing of theirs any more, and what
  // is left on its way to a strand is destroyed with the strands.
  ~Edge() {
    for (const auto& worker : workers_) worker->Stop();
    upstream_.Silence();
  }

  // Serves from now on, on all threads. Once.
  absl::Status Start() {
    std::vector<boost::asio::io_context*> ios;
    for (const auto& worker : workers_) ios.push_back(&worker->io());
    auto acceptors = Listen(ios, config_.listen.host, config_.listen.port);
    if (!acceptors.ok()) return acceptors.status();
    address_ = {config_.listen.host, acceptors->front().local_endpoint().port()};
    for (size_t i = 0; i < workers_.size(); ++i) {
      Worker& worker = *workers_[i];
      worker.Start(std::move((*acceptors)[i]),
                   std::make_unique<ThreadFeeds>(home().strand(), *sources_, worker.strand()));
    }
    return absl::OkStatus();
  }

  const runtime::HostPort& address() const { return address_; }

  void AddMetricsTo(runtime::Metrics* metrics) const {
    std::vector<const Stats*> threads;
    for (const auto& worker : workers_) threads.push_back(&worker->stats());
    AddMetrics(std::move(threads), admission_, budget_, metrics);
    AddServerMetrics([this] { return servers(); }, metrics);
  }

  std::vector<ServerStatus> servers() const { return upstream_.servers(); }

  int64_t connections() const { return ConnectionsOf(workers_); }

  // For the watchdog: every thread that serves browsers, the first of which also follows the
  // showtimes. gRPC's own threads are not asked.
  std::vector<runtime::Watchdog::Watched> Watched() {
    std::vector<runtime::Watchdog::Watched> watched;
    for (const auto& worker : workers_) {
      watched.push_back(runtime::Watchdog::Of(absl::StrCat("browsers ", watched.size()),
                                              static_cast<base::Executor&>(worker->strand())));
    }
    return watched;
  }

  // Sends everybody away; returns once all are gone or their time is over.
  void Drain() { DrainAll(workers_, config_.drain_window_ms); }

 private:
  std::vector<std::unique_ptr<Worker>> MakeWorkers(const Limits& limits, Tracer& tracer) {
    const auto handshakes_each = static_cast<size_t>(limits.handshakes_max / limits.threads);
    std::vector<std::unique_ptr<Worker>> workers;
    for (int64_t i = 0; i < limits.threads; ++i) {
      workers.push_back(std::make_unique<Worker>(
          Worker::Shared{clock_, admission_, budget_, handshakes_each, &tracer}));
    }
    return workers;
  }
  Worker& home() { return *workers_.front(); }

  const Config& config_;
  const base::Clock& clock_;
  Admission admission_;
  MemoryBudget budget_;
  const std::vector<std::unique_ptr<Worker>> workers_;
  HistoryBudget history_{home().stats()};
  SystemResolver resolver_;
  WatchClient upstream_;
  std::unique_ptr<Sources> sources_;
  runtime::HostPort address_;
};

std::string StatusLine(const Edge& edge) {
  const std::vector<ServerStatus> servers = edge.servers();
  const bool away = std::none_of(servers.begin(), servers.end(), [](const ServerStatus& one) {
    return one.state != ServerState::kAway;
  });
  return absl::StrCat("serving on ", edge.address().ToString(),
                      away ? "; the seat service is away" : "");
}

int Serve(const Config& config, runtime::Signals& signals, runtime::ServiceManager& manager) {
  const absl::StatusOr<Limits> limits = RaiseLimits(config);
  if (!limits.ok()) return Fail(limits.status());
  auto upstream_tls = OpenUpstreamTls(config.upstream_tls);
  if (!upstream_tls.ok()) return Fail(upstream_tls.status());
  const base::SlewedClock clock;
  TraceLines trace_lines(clock);
  Edge edge(config, *limits, *std::move(upstream_tls), clock, trace_lines);
  runtime::Metrics metrics;
  edge.AddMetricsTo(&metrics);
  metrics.AddGaugeCallback(
      "seatlock_edge_clock_offset_seconds",
      "The machine's clock minus the one that the edge goes by, which follows it slowly.",
      [&clock] { return static_cast<double>(clock.OffsetUs()) / 1e6; });
  if (const absl::Status status = edge.Start(); !status.ok()) return Fail(status);
  std::atomic<bool> draining{false};
  const auto ready = [&draining, &edge] {
    return draining ? absl::UnavailableError("draining") : ReadyOf(edge.servers());
  };
  metrics.AddGaugeCallback("seatlock_edge_ready", "1 if /readyz says 200, else 0.",
                           [ready] { return ready().ok() ? 1.0 : 0.0; });
  runtime::AddProcessMetrics("seatlock-edge", &metrics);
  auto admin = runtime::AdminServer::Start(
      config.admin_listen,
      {ready, [&metrics] { return metrics.Text(); }, runtime::VersionJson("seatlock-edge"),
       [&edge] { return ServerLines(edge.servers()); }});
  if (!admin.ok()) return Fail(admin.status());
  runtime::ClockWatch clock_watch(clock);
  runtime::Supervision supervision(manager, clock, edge.Watched(),
                                   [&edge] { return StatusLine(edge); });
  supervision.Ready();
  const base::Ticker ticker(kTick, [&clock_watch, &supervision, &trace_lines] {
    clock_watch.Tick();
    supervision.Tick();
    trace_lines.Tick();
  });
  // Only now: a start that fails is one line.
  WarnOfUpstreamKey(config.upstream_tls);
  runtime::LogInfo("limits", {{"open_files", limits->open_files},
                              {"connections_max", limits->connections_max},
                              {"handshakes_max", limits->handshakes_max},
                              {"threads", limits->threads}});
  runtime::LogInfo("admin listening", {{"address", (*admin)->address().ToString()}});
  runtime::LogInfo("listening",
                   {{"address", edge.address().ToString()}, {"upstream", UpstreamsText(config)}});
  const int signal = signals.Wait();
  draining = true;
  manager.Stopping("draining",
                   config.drain_delay_ms + config.drain_window_ms + kDrainMsMax + kEndMsMax);
  runtime::LogInfo("not ready any more",
                   {{"signal", signal}, {"drain_delay_ms", config.drain_delay_ms}});
  signals.Delay(std::chrono::milliseconds(config.drain_delay_ms));
  runtime::LogInfo("draining", {{"connections", edge.connections()}});
  edge.Drain();
  admin->reset();
  runtime::LogInfo("stopped");
  return 0;
}

// gRPC writes to stderr in a format of its own, also what is told to the caller as a status.
void LogGrpc(gpr_log_func_args* args) {
  runtime::LogDebug("grpc", {{"message", std::string_view(args->message)}});
}

int Main(int argc, const char* const* argv) {
  const bool health = argc > 1 && std::string_view(argv[1]) == "health";
  Config config;
  if (const auto exit_code = ReadConfig(argc - health, argv + health, &config)) return *exit_code;
  if (health) return runtime::RunHealth("seatlock-edge", config.admin_listen);
  runtime::InitLogging("seatlock-edge", config.logging);
  gpr_set_log_function(LogGrpc);
  runtime::ServiceManager manager;
  runtime::Signals signals;
  return Serve(config, signals, manager);
}

}  // namespace
}  // namespace seatlock::edge

int main(int argc, char** argv) {
  return seatlock::edge::Main(argc, argv);
}
