// A real seatlockd on a real Redis: how tests run it to its end.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/test_server.h"
#include "tests/testing/redis_server.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {

inline constexpr char kMarker[] = "{sl:meta}:installation";

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

}  // namespace seatlock::testing
