#include "clients/cli/bench/bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cli/bench/limits.h"
#include "clients/cli/bench/run.h"
#include "clients/cli/bench/targets.h"
#include "clients/cli/bench/ws_url.h"
#include "clients/cli/family.h"
#include "common/base/host_port.h"
#include "common/runtime/net.h"
#include "common/runtime/signals.h"
#include "seatlock/client.h"

namespace seatlock::cli::bench {
namespace {

void Complain(const std::string& what) {
  std::fputs(absl::StrCat("seatctl: ", what, "\n").c_str(), stderr);
}

// Every host that the run would send anything to.
std::vector<std::string> HostsOf(const Options& options) {
  std::vector<std::string> hosts;
  if (options.bench == Bench::kWs) hosts.push_back(ParseWsUrl(options.url)->host);
  if (options.bench == Bench::kWs && options.rate == 0) return hosts;
  for (const std::string& server : options.servers) {
    hosts.push_back(base::ParseHostPort(server)->host);
  }
  return hosts;
}

// Each WebSocket is an open file.
std::string TooFewFiles(const Options& options) {
  if (options.bench != Bench::kWs) return "";
  const auto files = runtime::RaiseOpenFilesLimit();
  const auto needed = static_cast<uint64_t>(options.connections) + kOtherFiles;
  if (!files.ok()) return std::string(files.status().message());
  if (*files >= needed) return "";
  return absl::StrCat("--connections=", options.connections, " needs ", needed,
                      " open files, and the limit is ", *files, " (ulimit -Hn)");
}

// Whether there is a service at all: one line now instead of a run of failures.
absl::Status Probe(const Options& options, const Names& names, client::Client& client) {
  if (options.bench == Bench::kWs && options.rate == 0) return absl::OkStatus();
  v1::GetShowtimeRequest request;
  request.set_showtime_id(names.Showtime(0));
  return client.GetShowtime(std::move(request)).status();
}

Report RunBench(const RunContext& run) {
  switch (run.options.bench) {
    case Bench::kLock:
      return RunLockBench(run);
    case Bench::kWatch:
      return RunWatchBench(run);
    case Bench::kWs:
      return RunWsBench(run);
  }
  return {};
}

int RunAndPrint(const Options& options, const std::atomic<bool>& stop) {
  client::ClientOptions client_options;
  client_options.servers = options.servers;
  client_options.tls = options.tls;
  client_options.timeout = std::chrono::milliseconds(options.timeout_ms);
  client_options.attempt_timeout = std::min(client_options.attempt_timeout, client_options.timeout);
  client::Client client(client_options);
  const Names names;
  if (const absl::Status there = Probe(options, names, client); !there.ok()) {
    const client::CallError error = client::ErrorOf(there);
    Complain(absl::StrCat(error.reason, error.reason.empty() ? "" : ": ", error.message,
                          "\nNothing was loaded. Is seatlockd running on ", options.servers[0],
                          "?"));
    return kExitUnavailable;
  }
  const Report report = RunBench({options, names, client, stop});
  std::fputs((options.json ? Json(report) : Text(report)).c_str(), stdout);
  if (std::fflush(stdout) != 0) return kExitFailed;
  return report.Passes() ? kExitOk : kExitFailed;
}

}  // namespace

int Run(const Options& options) {
  if (const std::string wrong = TooFewFiles(options); !wrong.empty()) {
    Complain(wrong);
    return kExitUsage;
  }
  if (!options.allow_beyond_loopback) {
    if (const std::string wrong = BeyondLoopback(HostsOf(options)); !wrong.empty()) {
      Complain(wrong);
      return kExitUsage;
    }
  }
  runtime::Signals signals;  // before gRPC starts its threads
  std::atomic<bool> stop{false};
  std::thread waiter([&] {
    if (signals.Wait() != 0) stop = true;
  });
  const int ending = RunAndPrint(options, stop);
  signals.Notify();
  waiter.join();
  return ending;
}

}  // namespace seatlock::cli::bench
