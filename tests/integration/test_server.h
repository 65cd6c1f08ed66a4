// A real seatlockd of a test, on a SQLite file of its own. It can be stopped or killed and started
// again on the same file and the same port. Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/testing/programs.h"
#include "tests/testing/temp_dir.h"

namespace seatlock::testing {

class TestServer {
 public:
  using Env = std::vector<std::pair<std::string, std::string>>;

  // Keeps its seats in `store` in place of a SQLite file, where that is not empty. `env` is added
  // to its environment.
  explicit TestServer(std::vector<std::string> args = {}, std::string store = "", Env env = {})
      : args_(std::move(args)),
        store_(store.empty() ? "sqlite:" + file() : std::move(store)),
        env_(std::move(env)) {}

  // A sanitizer's findings in the server fail the test, however the server ended.
  ~TestServer() { CheckSanitizer(); }

  // Starts it; after the first time on the port that it had.
  absl::Status Start() {
    ProgramOptions options;
    options.binary = SEATLOCKD_BINARY;
    options.listen = address_;
    options.store = store();
    options.args = args_;
    options.env = env_;
    absl::StatusOr<std::unique_ptr<Program>> program = StartSeatlockd(options);
    if (!program.ok()) return program.status();
    CheckSanitizer();
    program_ = *std::move(program);
    address_ = program_->address();
    return absl::OkStatus();
  }
  // SIGKILL.
  void Kill() { program_->process().Kill(); }
  // SIGTERM; its end.
  absl::StatusOr<ProcessExit> Stop() { return program_->Stop(); }

  Process& process() { return program_->process(); }
  const std::string& address() const { return address_; }
  const std::string& admin_address() const { return program_->admin_address(); }
  std::string file() const { return dir_.File("seatlock.db"); }
  const std::string& store() const { return store_; }

 private:
  void CheckSanitizer() {
    if (program_ == nullptr) return;
    EXPECT_EQ(SanitizerReport(program_->process()), "");
  }

  const TempDir dir_;
  const std::vector<std::string> args_;
  const std::string store_;
  const Env env_;
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<Program> program_;
};

}  // namespace seatlock::testing
