// Waits for what other threads and processes do.
#pragma once

#include <chrono>
#include <thread>

namespace seatlock::testing {

// Whether `condition` comes true within `patience`; by default far longer than anything takes on a
// machine that works. Looks at it every 10 ms: whoever is waited for needs the core.
template <typename F>
bool Eventually(F condition, std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace seatlock::testing
