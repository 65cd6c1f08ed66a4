// What a fleet of followers found, whether they watch over gRPC or over WebSockets. Values and pure
// functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/bench/histogram.h"
#include "clients/cli/bench/report.h"
#include "clients/cli/bench/stream_check.h"

namespace seatlock::cli::bench {

struct Followers {
  uint64_t wanted = 0;
  uint64_t connected = 0;  // were told at least once where their showtime stands
  uint64_t caught_up = 0;  // have the last revision of their showtime
  uint64_t changes = 0;    // that arrived, at all followers together
  uint64_t missing = 0;
  uint64_t out_of_order = 0;
  uint64_t snapshots_again = 0;
  uint64_t resumed = 0;               // cut on purpose, and connected again
  uint64_t lost = 0;                  // lost otherwise, or refused
  uint64_t late_messages = 0;         // committed while the follower was away: not in `delays`
  uint64_t early_messages = 0;        // arrived before their commit: the clocks differ
  Histogram connect;                  // from the time that each was to be opened
  Histogram delays;                   // from the change's time to its arrival
  std::vector<std::string> failures;  // the first few, each once

  void AddFailure(std::string what);
  // One follower, whose showtime ends at `last_revision`.
  void Add(const StreamCheck& check, uint64_t last_revision);
};

// Adds what they found. `what` are they: "streams".
void AddFollowers(const Followers& followers, const std::string& what, double seconds,
                  Report* report);

}  // namespace seatlock::cli::bench
