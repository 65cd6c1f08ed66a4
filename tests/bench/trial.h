// One server with its crowd: started, filled with connections, given changes at a set pace, and
// measured. Thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/contestant.h"
#include "tests/bench/crowd.h"

namespace seatlock::bench {

// How changes come. Each step hands `burst` changes at once to each of `rooms_a_step` rooms, which
// take turns. Where there is one room, a step also waits until everybody has what came before.
struct Pace {
  int burst = 1;
  int rooms_a_step = 1;
  milliseconds every{250};
  milliseconds length{8000};
};

struct Figures {
  std::string title;
  int connections = 0;
  double rest_bytes = 0;   // user memory a connection, once all follow their room
  double after_bytes = 0;  // the same after the changes
  double cpu_us = 0;       // of the server, a delivery
  double per_second = 0;   // deliveries; what was offered, unless it fell behind
  double p50_ms = 0;       // from handing a change over until the last connection has it
  double p99_ms = 0;
  size_t samples = 0;
  double text_bytes = 0;  // of a delivery
  uint64_t missing = 0;   // deliveries that did not come
  int refused = 0;        // connections that were
  int closed = 0;         // connections that the server closed
};

struct TrialOptions {
  const Entry* entry = nullptr;
  StartOptions start = {};
  int connections = 0;
  std::vector<std::string> rooms = {};
  int stoppable_every = 0;
};

class Trial {
 public:
  // Starts the server and opens all connections. Blocks; what the server or the crowd could not do.
  static absl::StatusOr<std::unique_ptr<Trial>> Open(const TrialOptions& options);

  // A short warm-up at the same pace, then the phase itself. Blocks until all has arrived, for at
  // most some seconds more than the phase is long.
  Figures Measure(const Pace& pace);

  // Hands over `changes` changes to the first room in bursts of 20, as fast as they arrive, for at
  // most `timeout`. How many it came to.
  int Flood(int changes, milliseconds timeout);

  Contestant& server() { return *server_; }
  Crowd& crowd() { return *crowd_; }
  // The most user memory that the server had in any look at it, above what it had before the
  // first connection.
  double PeakBytes();

 private:
  Trial(TrialOptions options, std::unique_ptr<Contestant> server);
  void Settle();
  double Bytes();
  void Run(const Pace& pace, int steps);

  const TrialOptions options_;
  const std::unique_ptr<Contestant> server_;
  const std::vector<pid_t> pids_;
  const double bytes_before_;
  std::unique_ptr<Crowd> crowd_;
  double peak_bytes_ = 0;
  size_t turn_ = 0;
};

}  // namespace seatlock::bench
