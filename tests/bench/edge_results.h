// What ./dev bench edge has found out: tables as they come, verdicts, plots, and the folder that
// all of it is written to. Thread-compatible.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/report.h"
#include "tests/bench/svg.h"
#include "tests/bench/trial.h"

namespace seatlock::bench {

class EdgeResults {
 public:
  // Makes `folder` and opens the report in it.
  static absl::StatusOr<std::unique_ptr<EdgeResults>> Create(const std::string& folder);

  void Text(const std::string& text);
  // A heading and the head of a table of Row()s.
  void Table(const std::string& heading);
  void Row(const Figures& figures);
  void Skipped(const std::string& title, const std::string& why);

  void Judge(const std::string& what, const std::string& measured, const std::string& bar,
             bool pass);
  // Judges ours / peer's. Without a peer's figure it says so.
  void JudgeRatio(const std::string& what, double ours, double peers, const std::string& peer,
                  double bar);

  SvgPage& plots() { return plots_; }
  // Prints the verdicts and writes the plots. The number of bars that were missed.
  int Finish();

 private:
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  struct Verdict {
    std::string what;
    std::string measured;
    std::string bar;
    bool judged = true;
    bool pass = false;
  };

  explicit EdgeResults(std::string folder);

  const std::string folder_;
  std::unique_ptr<std::FILE, FileCloser> report_;
  std::vector<Verdict> verdicts_;
  SvgPage plots_{"seatlock-edge and its peers"};
};

}  // namespace seatlock::bench
