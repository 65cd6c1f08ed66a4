// What must hold for every input of a fuzzer: ends the process, and so keeps the input, where it
// does not.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace seatlock::testing {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace seatlock::testing
