// seatctl bench lock.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "clients/cli/bench/aftermath.h"
#include "clients/cli/bench/judge.h"
#include "clients/cli/bench/progress.h"
#include "clients/cli/bench/run.h"
#include "common/base/mutex.h"

namespace seatlock::cli::bench {
namespace {

struct Judged {
  Findings findings;
  uint64_t checked = 0;
  std::string missing;  // why a history is not whole
};

Judged JudgeAll(const RunContext& run, Workload& workload, const LeftBehind& left) {
  const auto showtimes = static_cast<uint32_t>(run.options.showtimes);
  base::Mutex mu;
  uint32_t done = 0;
  Judged judged;
  const Progress progress([&] {
    base::MutexLock lock(mu);
    return ProgressNow{static_cast<double>(done) / showtimes, "comparing with the streams"};
  });
  ForEachShowtime(showtimes, [&](uint32_t showtime) {
    History history;
    if (left.revisions[showtime] > 0) {
      history = ReadHistory(run.client, run.names, showtime, left.revisions[showtime],
                            run.options.timeout_ms);
    } else if (!left.failure.empty()) {
      history.missing = left.failure;
    }
    std::vector<Told> told = workload.TakeTold(showtime);
    const auto count = static_cast<uint64_t>(
        std::count_if(told.begin(), told.end(), [](const Told& one) { return !one.failed; }));
    const Findings findings = JudgeShowtime(run.names.Showtime(showtime), std::move(told), history);
    base::MutexLock lock(mu);
    ++done;
    judged.checked += count - findings.unchecked;
    judged.findings.Add(findings);
    if (!history.missing.empty()) judged.missing = history.missing;
  });
  return judged;
}

void AddVerdicts(const Judged& judged, uint64_t failed, const LeftBehind& left, Report* report) {
  const Findings& findings = judged.findings;
  report->counts.emplace_back("answers checked", judged.checked);
  report->verdicts.push_back(
      {.name = "double holds", .count = findings.double_holds, .of = "", .note = ""});
  Verdict lost{.name = "lost acknowledgements", .count = findings.lost, .of = "", .note = ""};
  if (findings.unchecked > 0) {
    lost.note = absl::StrCat(findings.unchecked, " could not be checked: ", judged.missing);
  }
  report->verdicts.push_back(std::move(lost));
  report->verdicts.push_back({.name = "errors", .count = failed, .of = "", .note = ""});
  report->verdicts.push_back(VerdictOf(left));
  report->examples.insert(report->examples.end(), findings.examples.begin(),
                          findings.examples.end());
}

}  // namespace

Report RunLockBench(const RunContext& run) {
  Report report = NewReport(run, "lock", absl::StrJoin(run.options.servers, ","));
  CallLoad load(run.options, run.names, Connect(run.options));
  const double cpu_before = CpuSeconds();
  CallLoad::Result result;
  {
    const Progress progress([&load] {
      const CallLoad::Progress now = load.progress();
      return ProgressNow{static_cast<double>(now.ended) / static_cast<double>(now.calls),
                         absl::StrCat(now.ended, " calls, ", now.in_flight, " in flight, ",
                                      now.failed, " failed")};
    });
    result = load.Run(run.stop);
  }
  report.seconds = result.seconds;
  report.interrupted = run.stop;
  AddCalls(run, load, result, &report);
  const double late_share =
      result.sent == 0 ? 0 : static_cast<double>(result.late) / static_cast<double>(result.sent);
  AddGenerator(cpu_before, result.seconds, late_share, &report);
  const LeftBehind left = CleanUpAll(run);
  const Judged judged = JudgeAll(run, load.workload(), left);
  AddVerdicts(judged, load.workload().tally().failed, left, &report);
  return report;
}

}  // namespace seatlock::cli::bench
