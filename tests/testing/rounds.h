// How often a test repeats itself. SEATLOCK_ROUNDS_PERCENT (default 100) scales the rounds: a
// sanitizer's build does fewer, the long form of a test (`./dev test -L long`) does many more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace seatlock::testing {

inline int RoundsPercent() {
  const char* percent = std::getenv("SEATLOCK_ROUNDS_PERCENT");
  return percent == nullptr ? 100 : std::clamp(std::atoi(percent), 1, 100'000);
}

// `full` rounds, scaled; at least one.
inline int Rounds(int full) {
  return static_cast<int>(std::max(int64_t{1}, int64_t{full} * RoundsPercent() / 100));
}

// Whether this is the long form: tests then take more clients and longer faults, too.
inline bool IsLongForm() {
  return RoundsPercent() > 100;
}

}  // namespace seatlock::testing
