// The table that the benchmark prints. Thread-compatible.
#pragma once

#include <cstdio>
#include <string>

namespace seatlock::bench {

class Report {
 public:
  Report() {
    std::printf("| what | measured | bar | |\n|---|---|---|---|\n");
    std::fflush(stdout);
  }

  // A number that only informs.
  void Inform(const std::string& what, const std::string& measured) { Row(what, measured, "", ""); }
  void Judge(const std::string& what, const std::string& measured, const std::string& bar,
             bool pass) {
    Row(what, measured, bar, pass ? "pass" : "**miss**");
    if (!pass) ++misses_;
  }
  int misses() const { return misses_; }

 private:
  void Row(const std::string& what, const std::string& measured, const std::string& bar,
           const std::string& verdict) {
    std::printf("| %s | %s | %s | %s |\n", what.c_str(), measured.c_str(), bar.c_str(),
                verdict.c_str());
    std::fflush(stdout);
  }

  int misses_ = 0;
};

}  // namespace seatlock::bench
