#include "clients/cli/bench/run.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "clients/cli/bench/aftermath.h"
#include "clients/cli/bench/limits.h"
#include "clients/cli/bench/progress.h"
#include "common/base/mutex.h"

namespace seatlock::cli::bench {
namespace {

// Processors that this process may use.
int Processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void AddTimes(const Tally& tally, Report* report) {
  report->times.emplace_back("all calls", tally.AllTimes());
  for (const Kind kind : kKinds) {
    const Histogram& times = tally.times[static_cast<size_t>(kind)];
    if (times.count() > 0) report->times.emplace_back(kKindNames[static_cast<size_t>(kind)], times);
  }
}

void NoteLateness(const CallLoad::Result& result, Report* report) {
  if (result.held_back > 0) {
    report->notes.push_back(absl::StrCat(
        "Sent late because --in-flight calls waited for their answers: ", result.held_back,
        ". The service is slower than --rate. Times count from when a call was due."));
  }
  if (result.never_sent > 0) {
    report->notes.push_back(
        absl::StrCat("Due and never sent: ", result.never_sent,
                     ". They are in the times with what they had waited when the run ended."));
  }
}

}  // namespace

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

Report NewReport(const RunContext& run, const char* bench, const std::string& target) {
  Report report;
  report.bench = bench;
  report.target = target;
  report.settings = {
      {"showtimes", absl::StrCat(run.names.prefix(), "0 .. ", run.options.showtimes - 1)}};
  if (run.options.rate == 0) return report;
  const Options& options = run.options;
  report.settings.emplace_back("seats", absl::StrCat(options.seats));
  report.settings.emplace_back("sessions", absl::StrCat(options.sessions));
  report.settings.emplace_back("rate", absl::StrCat(options.rate, "/s"));
  report.settings.emplace_back("mix", MixText(options.mix));
  if (options.hot_percent > 0) {
    report.settings.emplace_back("hot", absl::StrCat(options.hot_percent, "%"));
  }
  report.settings.emplace_back("in-flight", absl::StrCat(options.in_flight));
  report.settings.emplace_back("ttl", absl::FormatDuration(absl::Milliseconds(options.ttl_ms)));
  return report;
}

void AddCalls(const RunContext& run, CallLoad& load, const CallLoad::Result& result,
              Report* report) {
  const Tally& tally = load.workload().tally();
  const uint64_t ended = tally.AllTimes().count() - result.never_sent;
  report->throughput.push_back(
      {.what = "calls",
       .asked = static_cast<double>(run.options.rate),
       .achieved = result.seconds > 0 ? static_cast<double>(ended) / result.seconds : 0});
  AddTimes(tally, report);
  for (const Kind kind : kKinds) {
    const auto& results = tally.results[static_cast<size_t>(kind)];
    if (!results.empty()) report->results[kKindNames[static_cast<size_t>(kind)]] = results;
  }
  report->counts.emplace_back("retries", tally.retries);
  report->counts.emplace_back("sent late", result.late + result.held_back);
  report->counts.emplace_back("never sent", result.never_sent);
  NoteLateness(result, report);
  for (const std::string& failure : tally.failures) {
    report->examples.push_back(absl::StrCat("failed call: ", failure));
  }
}

void AddGenerator(double cpu_before, double seconds, double late_share, Report* report) {
  const double cpu = seconds > 0 ? (CpuSeconds() - cpu_before) / seconds : 0;
  report->cpu_percent = cpu * 100;
  const int processors = Processors();
  if (late_share > kLateShareMax) {
    report->generator_was_slow = true;
    report->notes.push_back(absl::StrFormat(
        "The load generator was the bottleneck, or its machine is busy with other things: it was "
        "late by itself with %.1f %% of what it had to do. The times are longer than the "
        "service's.",
        late_share * 100));
  }
  if (cpu > kCpuShareMax * processors) {
    report->generator_was_slow = true;
    report->notes.push_back(absl::StrFormat(
        "The load generator was the bottleneck: it used %.0f %% of its %d processors. The times "
        "are longer than the service's.",
        cpu * 100 / processors, processors));
  }
}

std::string ClockNote(const ClockOffset& offset) {
  if (!offset.known) {
    return "Delays are between two machines' clocks, and no call told how far they are apart.";
  }
  return absl::StrFormat(
      "Delays are between two clocks: the server's is %.1f ms %s this machine's, give or take "
      "%.1f ms.",
      static_cast<double>(std::abs(offset.ahead_us)) / 1'000,
      offset.ahead_us < 0 ? "behind" : "ahead of", static_cast<double>(offset.within_us) / 1'000);
}

LeftBehind CleanUpAll(const RunContext& run) {
  const auto showtimes = static_cast<uint32_t>(run.options.showtimes);
  base::Mutex mu;
  uint32_t done = 0;
  LeftBehind left;
  left.revisions.resize(showtimes);
  const Progress progress([&] {
    base::MutexLock lock(mu);
    return ProgressNow{static_cast<double>(done) / showtimes, "giving seats back"};
  });
  ForEachShowtime(showtimes, [&](uint32_t showtime) {
    const CleanUp one = CleanUpShowtime(run.client, run.names, showtime);
    base::MutexLock lock(mu);
    ++done;
    left.seats += one.left;
    left.revisions[showtime] = one.revision;
    if (!one.failure.empty()) left.failure = one.failure;
  });
  return left;
}

Verdict VerdictOf(const LeftBehind& left) {
  return {.name = "seats left behind", .count = left.seats, .of = "", .note = left.failure};
}

}  // namespace seatlock::cli::bench
