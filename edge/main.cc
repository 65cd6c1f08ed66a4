// seatlock-edge: reads its configuration and puts hub, upstream and server together on one
// io_context, which one thread runs.
#include <grpc/support/log.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/runtime/admin_server.h"
#include "common/runtime/logging.h"
#include "common/runtime/metrics.h"
#include "common/runtime/net.h"
#include "common/runtime/signals.h"
#include "common/runtime/version.h"
#include "edge/config.h"
#include "edge/core/hub.h"
#include "edge/core/limits.h"
#include "edge/core/stats.h"
#include "edge/metrics.h"
#include "edge/upstream/watch_client.h"
#include "edge/ws/io_strand.h"
#include "edge/ws/server.h"

namespace seatlock::edge {
namespace {

// Descriptors kept back for the upstream, the admin listener, logs and what libraries open.
constexpr uint64_t kReservedFiles = 64;
constexpr int64_t kDrainPollMs = 20;
constexpr std::chrono::seconds kStreamEndMax{2};

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "seatlock-edge: %s\n", std::string(status.message()).c_str());
  return 1;
}

struct Limits {
  uint64_t open_files = 0;
  size_t connections_max = 0;
};

// Each connection is a file.
absl::StatusOr<Limits> RaiseLimits(const Config& config) {
  const absl::StatusOr<uint64_t> files = runtime::RaiseOpenFilesLimit();
  if (!files.ok()) return files.status();
  const uint64_t possible = *files > 2 * kReservedFiles ? *files - kReservedFiles : *files / 2;
  const uint64_t wanted = static_cast<uint64_t>(config.connections_max);
  return Limits{*files, wanted == 0 ? possible : std::min(wanted, possible)};
}

void LogUpstream(bool up) {
  if (up) {
    runtime::LogInfo("the seat service is back");
  } else {
    runtime::LogWarn("the seat service is lost; browsers stay and are told");
  }
}

// Everything that lives on the strand.
class Edge {
 public:
  Edge(const Config& config, Stats& stats)
      : config_(config),
        stats_(stats),
        strand_(io_),
        upstream_({config.upstream.ToString(), &clock_, &strand_, &strand_, &stats, LogUpstream}),
        hub_(std::make_unique<Hub>(Env{clock_, strand_, upstream_, stats})) {}

  // Ends all streams: their tasks need the strand a last time.
  ~Edge() {
    server_.reset();
    hub_.reset();
    const auto deadline = std::chrono::steady_clock::now() + kStreamEndMax;
    io_.restart();
    while (upstream_.streams() > 0 && std::chrono::steady_clock::now() < deadline) {
      io_.run_one_until(deadline);
    }
  }

  absl::Status Listen(size_t connections_max) {
    auto server =
        Server::Listen(io_, config_.listen.host, config_.listen.port,
                       {hub_.get(), &strand_, &stats_, config_.allowed_origins, connections_max});
    if (!server.ok()) return server.status();
    server_ = *std::move(server);
    hub_->Start();
    return absl::OkStatus();
  }

  runtime::HostPort address() const { return {config_.listen.host, server_->port()}; }

  // Serves until Drain() is done.
  void Run() { io_.run(); }

  // Thread-safe.
  void Drain() {
    strand_.Post([this] {
      server_->StopAccepting();
      hub_->Drain();
      StopWhenEmpty(clock_.MonotonicMs() + kDrainMsMax);
    });
  }

 private:
  void StopWhenEmpty(int64_t deadline_ms) {
    if (hub_->connections() == 0 || clock_.MonotonicMs() >= deadline_ms) {
      io_.stop();
      return;
    }
    strand_.After(kDrainPollMs, [this, deadline_ms] { StopWhenEmpty(deadline_ms); });
  }

  const Config& config_;
  const base::Clock& clock_ = base::SystemClock();
  Stats& stats_;
  boost::asio::io_context io_{1};
  IoStrand strand_;
  WatchClient upstream_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<Server> server_;
};

int Serve(const Config& config, runtime::Signals& signals) {
  const absl::StatusOr<Limits> limits = RaiseLimits(config);
  if (!limits.ok()) return Fail(limits.status());
  Stats stats;
  runtime::Metrics metrics;
  AddMetrics(stats, &metrics);
  Edge edge(config, stats);
  if (const absl::Status status = edge.Listen(limits->connections_max); !status.ok()) {
    return Fail(status);
  }
  std::atomic<bool> draining{false};
  const auto ready = [&draining] {
    return draining ? absl::UnavailableError("draining") : absl::OkStatus();
  };
  auto admin = runtime::AdminServer::Start(
      config.admin_listen,
      {ready, [&metrics] { return metrics.Text(); }, runtime::VersionJson("seatlock-edge")});
  if (!admin.ok()) return Fail(admin.status());
  // Only now: a start that fails is one line.
  runtime::LogInfo(
      "limits", {{"open_files", limits->open_files}, {"connections_max", limits->connections_max}});
  runtime::LogInfo("admin listening", {{"address", (*admin)->address().ToString()}});
  runtime::LogInfo("listening", {{"address", edge.address().ToString()},
                                 {"upstream", config.upstream.ToString()}});
  std::thread waiter([&] {
    const int signal = signals.Wait();
    runtime::LogInfo("draining", {{"signal", signal}, {"connections", stats.connections.load()}});
    draining = true;
    edge.Drain();
  });
  edge.Run();
  waiter.join();
  admin->reset();
  runtime::LogInfo("stopped");
  return 0;
}

// gRPC writes to stderr in a format of its own, also what is told to the caller as a status.
void LogGrpc(gpr_log_func_args* args) {
  runtime::LogDebug("grpc", {{"message", std::string_view(args->message)}});
}

int Main(int argc, const char* const* argv) {
  Config config;
  if (const std::optional<int> exit_code = ReadConfig(argc, argv, &config)) return *exit_code;
  runtime::InitLogging("seatlock-edge", config.logging);
  gpr_set_log_function(LogGrpc);
  runtime::Signals signals;
  return Serve(config, signals);
}

}  // namespace
}  // namespace seatlock::edge

int main(int argc, char** argv) {
  return seatlock::edge::Main(argc, argv);
}
