// How often a test repeats itself: SEATLOCK_ROUNDS_PERCENT (default 100) scales the long ones, so
// that a sanitizer's build need not take all day.
#pragma once

#include <algorithm>
#include <cstdlib>

namespace seatlock::testing {

// `full` rounds, scaled; at least one.
inline int Rounds(int full) {
  const char* percent = std::getenv("SEATLOCK_ROUNDS_PERCENT");
  const int scale = percent == nullptr ? 100 : std::clamp(std::atoi(percent), 1, 100'000);
  return std::max(1, full * scale / 100);
}

}  // namespace seatlock::testing
