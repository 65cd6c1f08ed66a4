// One look at a deployment from outside: what each program's admin pages say, and what each server
// says of itself over gRPC. Everything is asked at once, each within the same bounded time, so that
// one that hangs delays nobody's answer beyond it. Values and a function; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clients/cli/operate/prometheus_text.h"
#include "seatlock/tls_options.h"

namespace seatlock::cli::operate {

// A program, by its admin listener.
struct ProgramLook {
  std::string address;     // as it was named
  std::string error = {};  // why it could not be asked; empty if it could

  std::string program = {};  // "seatlockd", "seatlock-edge"
  std::string version = {};
  std::string revision = {};  // of the source
  bool ready = false;
  std::string ready_text = {};            // the first line of /readyz
  std::vector<std::string> details = {};  // its other lines
  std::string metrics_error = {};         // why there are no metrics; empty if there are
  Samples metrics = {};

  bool is_edge() const { return program == "seatlock-edge"; }
  bool well() const { return error.empty() && ready; }
};

// A server, by its gRPC port.
struct ServerLook {
  std::string address;
  bool answered = false;
  bool serving = false;
  std::string text = {};  // why not; empty if it serves
};

struct Look {
  int64_t unix_ms = 0;       // when it was begun
  int64_t monotonic_ms = 0;  // the same, for the time between two looks
  std::vector<ProgramLook> programs;
  std::vector<ServerLook> servers;

  bool AllWell() const;
};

// Speaks TLS with the servers if `tls` is given; admin listeners have none. Blocks until every
// answer is there, `timeout` at most (and what a thread takes to notice).
Look LookAt(const std::vector<std::string>& admins, const std::vector<std::string>& servers,
            const std::optional<client::TlsOptions>& tls, std::chrono::milliseconds timeout);

// What /version and /readyz said, put into `look`. For LookAt and its test.
void TakeVersion(const std::string& body, ProgramLook* look);
void TakeReady(int status, const std::string& body, ProgramLook* look);

}  // namespace seatlock::cli::operate
