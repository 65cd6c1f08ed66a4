// Looks at our programs from outside: pages of their admin listeners, lines of their logs.
// Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "tests/testing/http_get.h"
#include "tests/testing/process.h"

namespace seatlock::testing {

// Whether `condition` comes true within `patience`. Looks at it every 20 ms.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // other processes need the core
  }
  return true;
}

// What `path` of an admin listener says; empty if nobody answers.
inline HttpAnswer PageOf(const std::string& admin_address, const std::string& path) {
  return HttpGet(admin_address, path).value_or(HttpAnswer{});
}

// Whether /readyz says `code` within 20 s, with nobody calling.
inline bool BecomesReady(const std::string& admin_address, int code = 200) {
  return Eventually([&] { return PageOf(admin_address, "/readyz").status == code; });
}

// The lines of its log that have `text`.
inline int LinesWith(const Process& process, const std::string& text) {
  const std::vector<std::string> lines = process.StderrLines();
  return static_cast<int>(
      std::count_if(lines.begin(), lines.end(),
                    [&text](const std::string& line) { return absl::StrContains(line, text); }));
}

}  // namespace seatlock::testing
