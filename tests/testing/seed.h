// The seed of a random test: SEATLOCK_SEED if it is set, else a new one. It is printed with the way
// to run the test again. The timing of threads and processes is not part of it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace seatlock::testing {

inline uint64_t TestSeed() {
  const char* given = std::getenv("SEATLOCK_SEED");
  const uint64_t seed =
      given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
  std::cout << "run again with SEATLOCK_SEED=" << seed << "\n";
  return seed;
}

}  // namespace seatlock::testing
