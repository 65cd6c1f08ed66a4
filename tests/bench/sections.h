// What the benchmarks of seatlockd have in common: servers, ids, and sections that run by name.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/bench/report.h"
#include "tests/testing/programs.h"

namespace seatlock::bench {

// Something did not work: there is nothing to measure.
[[noreturn]] inline void Die(const std::string& what, const absl::Status& status) {
  std::fprintf(stderr, "bench: %s: %s\n", what.c_str(), std::string(status.message()).c_str());
  std::exit(1);
}

inline std::unique_ptr<testing::Program> StartServer(const std::string& store,
                                                     std::vector<std::string> args = {}) {
  testing::ProgramOptions options;
  options.args = std::move(args);
  options.binary = SEATLOCKD_BINARY;
  options.store = store;
  auto program = testing::StartSeatlockd(options);
  if (!program.ok()) Die("seatlockd", program.status());
  return *std::move(program);
}

inline std::string ShowtimeOf(uint64_t number) {
  return fmt::format("showtime-{:04}", number);
}
inline std::string SeatOf(uint64_t number) {
  return fmt::format("A-{}", number);
}
// As long as 128 random bits in hexadecimal.
inline std::string SessionOf(uint64_t number) {
  return fmt::format("{:032x}", number);
}

struct Section {
  const char* name;
  void (*run)(Report&);
};

// Runs the sections that are named in `wanted`, or all if none is, and prints the table. The exit
// code: a missed bar is a finding, not a failure.
inline int RunSections(std::span<const Section> sections, const std::vector<std::string>& wanted) {
  Report report;
  for (const Section& section : sections) {
    const bool named = std::find(wanted.begin(), wanted.end(), section.name) != wanted.end();
    if (named || wanted.empty()) section.run(report);
  }
  std::printf("\n%d missed\n", report.misses());
  return 0;
}

}  // namespace seatlock::bench
