// A real seatlockd on a real Redis: how tests start it, wait for it, and read what it says.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

inline constexpr char kMarker[] = "{sl:meta}:installation";

inline std::string UrlOf(const RedisServer& redis, const std::string& parameters = "") {
  return absl::StrCat("redis://127.0.0.1:", redis.port(), parameters);
}

struct Ended {
  int code = -1;
  std::vector<std::string> out;
  std::vector<std::string> err;
};

// Runs seatlockd until it ends.
inline Ended RunSeatlockd(std::vector<std::string> args, TestServer::Env env = {}) {
  absl::StatusOr<std::unique_ptr<Process>> process =
      Process::Start({.binary = SEATLOCKD_BINARY, .args = std::move(args), .env = std::move(env)});
  EXPECT_THAT(process, IsOk());
  if (!process.ok()) return {};
  const absl::StatusOr<ProcessExit> exit = (*process)->Wait(kStartTimeout);
  EXPECT_THAT(exit, IsOk());
  return {exit.ok() ? exit->code : -1, (*process)->StdoutLines(), (*process)->StderrLines()};
}

inline Ended Store(std::vector<std::string> args, const std::string& store) {
  args.insert(args.begin(), "store");
  args.push_back("--store=" + store);
  return RunSeatlockd(std::move(args));
}

// Whether /readyz says `code` within 20 s, with nobody calling.
inline bool BecomesReady(const TestServer& server, int code = 200) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto answer = HttpGet(server.admin_address(), "/readyz");
    if (answer.ok() && answer->status == code) return true;
    std::this_thread::sleep_for(
        std::chrono::milliseconds(50));  // between two looks at another process
  }
  return false;
}

inline int LinesWith(TestServer& server, const std::string& text) {
  const std::vector<std::string> lines = server.process().StderrLines();
  return static_cast<int>(
      std::count_if(lines.begin(), lines.end(),
                    [&text](const std::string& line) { return absl::StrContains(line, text); }));
}

}  // namespace seatlock::testing
