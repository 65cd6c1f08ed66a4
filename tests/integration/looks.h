// Looks at our programs from outside: pages of their admin listeners, lines of their logs. `Server`
// is a TestServer or a Program. Thread-safe.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/testing/eventually.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {

// What `path` of its admin listener says; empty if nobody answers.
template <typename Server>
HttpAnswer PageOf(const Server& server, const std::string& path) {
  return HttpGet(server.admin_address(), path).value_or(HttpAnswer{});
}

// Whether /readyz says `code` in time, with nobody calling.
template <typename Server>
bool BecomesReady(const Server& server, int code = 200) {
  return Eventually([&] { return PageOf(server, "/readyz").status == code; });
}

// Whether /readyz is 503 because of `why` in time.
template <typename Server>
::testing::AssertionResult SaysWhy(const Server& server, const std::string& why) {
  HttpAnswer last;
  const bool said = Eventually([&] {
    last = PageOf(server, "/readyz");
    return last.status == 503 && absl::StrContains(last.body, why);
  });
  if (said) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "the last answer was " << last.status << ": " << last.body;
}

// How many lines of its log have `text`.
template <typename Server>
int LinesWith(Server& server, const std::string& text) {
  const std::vector<std::string> lines = server.process().StderrLines();
  return static_cast<int>(
      std::count_if(lines.begin(), lines.end(),
                    [&text](const std::string& line) { return absl::StrContains(line, text); }));
}

// Whether its log has a line with `text`, now or soon.
template <typename Server>
bool Says(Server& server, const std::string& text) {
  return Eventually([&] { return LinesWith(server, text) > 0; });
}

}  // namespace seatlock::testing
