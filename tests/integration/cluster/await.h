// Waits for what other processes do, and looks at what a server says of itself. For tests.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {

// Whether `done` comes true within 60 s: far longer than anything takes on a machine that works.
template <typename F>
bool Await(F done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // between two looks
  }
  return true;
}

// Whether /readyz says `code` in time, with nobody calling.
inline bool BecomesReady(const TestServer& server, int code = 200) {
  return Await([&] {
    const auto answer = HttpGet(server.admin_address(), "/readyz");
    return answer.ok() && answer->status == code;
  });
}

// How many lines of its log have `text`.
inline int LinesWith(TestServer& server, const std::string& text) {
  const std::vector<std::string> lines = server.process().StderrLines();
  return static_cast<int>(
      std::count_if(lines.begin(), lines.end(),
                    [&text](const std::string& line) { return absl::StrContains(line, text); }));
}

}  // namespace seatlock::testing
