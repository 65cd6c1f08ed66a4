// The table that a benchmark prints, and writes to a file too where it is given one. The file is
// the caller's. Thread-compatible.
#pragma once

#include <cstdio>
#include <string>

namespace seatlock::bench {

class Report {
 public:
  explicit Report(std::FILE* copy = nullptr) : copy_(copy) {
    Print("| what | measured | bar | |\n|---|---|---|---|\n");
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
    Print("| " + what + " | " + measured + " | " + bar + " | " + verdict + " |\n");
  }
  void Print(const std::string& text) {
    for (std::FILE* file : {stdout, copy_}) {
      if (file == nullptr) continue;
      std::fputs(text.c_str(), file);
      std::fflush(file);
    }
  }

  std::FILE* const copy_;
  int misses_ = 0;
};

}  // namespace seatlock::bench
