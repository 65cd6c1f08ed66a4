// Starts our own programs for a test, on loopback and free ports, and says where they listen.
//
//   TempDir dir;
//   auto server = StartSeatlockd({.binary = SEATLOCKD_BINARY, .store = "sqlite:" +
//   dir.File("db")}); ASSERT_THAT(server, IsOk()); auto channel =
//   grpc::CreateChannel((*server)->address(), ...);
//
// The program is killed with the object, see Process. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/process.h"

namespace seatlock::testing {

// Long enough for a sanitizer's build on a busy machine.
inline constexpr Process::Milliseconds kStartTimeout{30'000};

class Program {
 public:
  Program(std::unique_ptr<Process> process, std::string address, std::string admin_address)
      : process_(std::move(process)),
        address_(std::move(address)),
        admin_address_(std::move(admin_address)) {}

  Process& process() { return *process_; }
  // "127.0.0.1:PORT" of the service, and of the admin listener.
  const std::string& address() const { return address_; }
  const std::string& admin_address() const { return admin_address_; }
  // SIGTERM, then waits for the end. Blocks; kDeadlineExceeded.
  absl::StatusOr<ProcessExit> Stop(Process::Milliseconds timeout = kStartTimeout);

 private:
  const std::unique_ptr<Process> process_;
  const std::string address_;
  const std::string admin_address_;
};

struct ProgramOptions {
  std::string binary;
  std::string listen = "127.0.0.1:0";
  std::string admin_listen = "127.0.0.1:0";
  std::string store = "memory:";  // seatlockd alone
  std::string upstream = {};      // seatlock-edge alone: the address of a seatlockd
  std::vector<std::string> args;  // more of them
  std::vector<std::pair<std::string, std::string>> env = {};
};

// Waits until the program listens on both. kUnavailable where it ended instead, with its output.
absl::StatusOr<std::unique_ptr<Program>> StartSeatlockd(const ProgramOptions& options);
absl::StatusOr<std::unique_ptr<Program>> StartEdge(const ProgramOptions& options);

// What a sanitizer has found in the program up to now, as it reported it; empty for nothing.
std::string SanitizerReport(const Process& process);

// The field `name` of a log line (a JSON object); empty where it has none.
std::string LogField(const std::string& line, const std::string& name);

}  // namespace seatlock::testing
