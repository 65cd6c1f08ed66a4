// What a run found, as text for people and as JSON for programs. Values and pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "clients/cli/bench/histogram.h"

namespace seatlock::cli::bench {

struct Verdict {
  std::string name;  // of what must not be: "double holds"
  uint64_t count = 0;
  std::string of;    // "100": the verdict is on `count` of so many, and passes if all are
  std::string note;  // why it fails although the count is right; empty: it does not

  bool Passes() const;
  // "PASS double holds 0", "FAIL connected 99 of 100: ...".
  std::string Line() const;
};

struct Report {
  std::string bench;  // "lock"
  std::string target;
  std::vector<std::pair<std::string, std::string>> settings;
  double seconds = 0;
  bool interrupted = false;

  // How much was asked for and done in a second: {"calls", 500, 499.8}.
  struct Throughput {
    std::string what;
    double asked = 0;
    double achieved = 0;
  };
  std::vector<Throughput> throughput;
  std::vector<std::pair<std::string, Histogram>> times;
  // By what was done and how it ended: results["lock"]["SEAT_TAKEN"].
  std::map<std::string, std::map<std::string, uint64_t>> results;
  std::vector<std::pair<std::string, uint64_t>> counts;  // whatever else was counted
  double cpu_percent = 0;                                // of the generator; 100 is one processor
  bool generator_was_slow = false;
  std::vector<std::string> notes;
  std::vector<std::string> examples;  // of what is wrong
  std::vector<Verdict> verdicts;

  bool Passes() const;
};

std::string Text(const Report& report);
// One line; docs/loading.md has the schema.
std::string Json(const Report& report);

}  // namespace seatlock::cli::bench
