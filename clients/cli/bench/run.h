// What every bench of one run has in common. Used by bench.cc and the benches alone.
#pragma once

#include <atomic>
#include <string>

#include "absl/status/statusor.h"
#include "clients/cli/bench/call_load.h"
#include "clients/cli/bench/names.h"
#include "clients/cli/bench/options.h"
#include "clients/cli/bench/report.h"
#include "seatlock/client.h"

namespace seatlock::cli::bench {

struct RunContext {
  const Options& options;
  const Names& names;
  client::Client& client;
  const std::atomic<bool>& stop;
};

Report RunLockBench(const RunContext& run);
Report RunWatchBench(const RunContext& run);
Report RunWsBench(const RunContext& run);

// A report with what every one begins with.
Report NewReport(const RunContext& run, const char* bench, const std::string& target);
// Adds what the calls of `load` came to.
void AddCalls(const RunContext& run, CallLoad& load, const CallLoad::Result& result,
              Report* report);
// Adds the processor time since `cpu_before` (CpuSeconds), and says so if the generator was slow.
// `late_share` is of what it sent late by itself.
void AddGenerator(double cpu_before, double seconds, double late_share, Report* report);
// How far the server's clock is ahead, in words.
std::string ClockNote(const ClockOffset& offset);

// Processor time that this process has used.
double CpuSeconds();

// What one showtime has after the run: how many seats are left taken, and its last revision.
struct LeftBehind {
  uint64_t seats = 0;
  std::string failure;
  std::vector<uint64_t> revisions;  // by showtime; 0 if it could not be asked
};
// Frees everything that the run has. Shows its progress.
LeftBehind CleanUpAll(const RunContext& run);
Verdict VerdictOf(const LeftBehind& left);

}  // namespace seatlock::cli::bench
