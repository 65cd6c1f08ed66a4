// seatctl bench watch and seatctl bench ws: followers, and somebody who changes seats meanwhile.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/bench/followers.h"
#include "clients/cli/bench/progress.h"
#include "clients/cli/bench/run.h"
#include "clients/cli/bench/watch_fleet.h"
#include "clients/cli/bench/ws_fleet.h"

namespace seatlock::cli::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook(20);

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Waits until all are connected, for --timeout and as long as the ramp takes at most.
template <typename Fleet>
void AwaitConnected(const RunContext& run, const Fleet& fleet, int64_t wanted) {
  const auto end =
      Clock::now() + milliseconds(run.options.timeout_ms + wanted * 1'000 / run.options.ramp);
  const Progress progress([&] {
    return ProgressNow{static_cast<double>(fleet.connected()) / static_cast<double>(wanted),
                       absl::StrCat(fleet.connected(), " of ", wanted, " connected")};
  });
  while (!run.stop && fleet.connected() < static_cast<uint64_t>(wanted) && Clock::now() < end) {
    std::this_thread::sleep_for(kLook);
  }
}

// Changes seats for --duration, or merely waits so long if nobody is to.
template <typename Fleet>
std::optional<CallLoad::Result> Change(const RunContext& run, const Fleet& fleet, CallLoad* load) {
  const Clock::time_point start = Clock::now();
  const double duration = static_cast<double>(run.options.duration_ms) / 1'000;
  const Progress progress([&] {
    return ProgressNow{SecondsSince(start) / duration,
                       absl::StrCat(fleet.changes(), " changes arrived, ",
                                    load == nullptr ? 0 : load->progress().ended, " calls")};
  });
  if (load != nullptr) return load->Run(run.stop);
  while (!run.stop && SecondsSince(start) < duration) std::this_thread::sleep_for(kLook);
  return std::nullopt;
}

template <typename Fleet>
Report RunWith(const RunContext& run, Report report, Fleet& fleet, int64_t wanted,
               const std::string& what) {
  const double cpu_before = CpuSeconds();
  const Clock::time_point start = Clock::now();
  std::unique_ptr<CallLoad> load;
  if (run.options.rate > 0) {
    load = std::make_unique<CallLoad>(run.options, run.names, Connect(run.options));
  }
  AwaitConnected(run, fleet, wanted);
  const bool nobody = fleet.connected() == 0;
  if (nobody) {
    load.reset();
    report.notes.push_back("Nothing was loaded, because nobody could follow it.");
  }
  const Clock::time_point changing = Clock::now();
  const auto result = nobody ? std::nullopt : Change(run, fleet, load.get());
  const double changed_for = SecondsSince(changing);
  LeftBehind left;
  left.revisions.resize(static_cast<size_t>(run.options.showtimes));
  if (load != nullptr) left = CleanUpAll(run);
  const Followers found = fleet.Finish(left.revisions, milliseconds(run.options.timeout_ms));
  report.seconds = SecondsSince(start);
  report.interrupted = run.stop;
  AddFollowers(found, what, changed_for, &report);
  double late_share = fleet.late_share();
  if (result.has_value()) {
    AddCalls(run, *load, *result, &report);
    report.notes.push_back(ClockNote(result->clock_offset));
    report.verdicts.push_back(
        {.name = "errors", .count = load->workload().tally().failed, .of = "", .note = ""});
    report.verdicts.push_back(VerdictOf(left));
    if (result->sent > 0) {
      late_share = std::max(late_share,
                            static_cast<double>(result->late) / static_cast<double>(result->sent));
    }
  }
  AddGenerator(cpu_before, report.seconds, late_share, &report);
  return report;
}

}  // namespace

Report RunWatchBench(const RunContext& run) {
  Report report = NewReport(run, "watch", absl::StrJoin(run.options.servers, ","));
  report.settings.emplace_back("watchers", absl::StrCat(run.options.watchers));
  report.settings.emplace_back("reconnect", absl::StrCat(run.options.reconnect_percent, "%/s"));
  WatchFleet fleet(run.options, run.names, Connect(run.options));
  return RunWith(run, std::move(report), fleet, run.options.watchers, "streams");
}

Report RunWsBench(const RunContext& run) {
  Report report = NewReport(run, "ws", run.options.url);
  if (run.options.rate > 0) {
    report.settings.emplace_back("changes by", absl::StrJoin(run.options.servers, ","));
  }
  report.settings.emplace_back("connections", absl::StrCat(run.options.connections));
  report.settings.emplace_back("reconnect", absl::StrCat(run.options.reconnect_percent, "%/s"));
  WsFleet fleet(run.options, run.names);
  return RunWith(run, std::move(report), fleet, run.options.connections, "connections");
}

}  // namespace seatlock::cli::bench
