// The wall clock of programs under test, which a test can set while they run.
//
//   ShiftedClock clock;
//   StartSeatlockd({..., .env = clock.Env()});
//   clock.SetMs(3'600'000);   // an hour ahead, from now on
//
// The programs are started with SHIFTED_CLOCK_LIBRARY preloaded (shifted_clock_preload.cc), which
// CMake's seatlock::testing_shifted_clock builds and names. Outlives the programs.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/temp_dir.h"

namespace seatlock::testing {

class ShiftedClock {
 public:
  ShiftedClock() { SetMs(0); }

  // For ProgramOptions::env.
  std::vector<std::pair<std::string, std::string>> Env() const {
    const char* const asan = std::getenv("ASAN_OPTIONS");
    // AddressSanitizer wants to be the first library of a program, and need not be.
    const std::string options =
        std::string(asan == nullptr ? "" : asan) + ":verify_asan_link_order=0";
    return {{"LD_PRELOAD", SHIFTED_CLOCK_LIBRARY},
            {"SHIFTED_CLOCK_FILE", file()},
            {"ASAN_OPTIONS", options}};
  }

  // Sets the clock to the true time plus `ms`.
  void SetMs(int64_t ms) {
    // In place: the programs have the file's page in memory.
    std::fstream out(file(), std::ios::binary | std::ios::in | std::ios::out);
    if (!out.is_open()) out.open(file(), std::ios::binary | std::ios::out);
    out.write(reinterpret_cast<const char*>(&ms), sizeof(ms));
  }

 private:
  std::string file() const { return dir_.File("shift_ms"); }

  const TempDir dir_;
};

}  // namespace seatlock::testing
