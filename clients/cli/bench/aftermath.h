// What is done once the calls have ended: giving back what the run holds, and reading what the
// service says of it. Blocks; every call has the client library's timeout and retries.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "clients/cli/bench/judge.h"
#include "clients/cli/bench/names.h"
#include "seatlock/client.h"

namespace seatlock::cli::bench {

// Unlocks what the run's sessions hold in one of its showtimes and cancels its orders, then looks
// again.
struct CleanUp {
  uint64_t left = 0;      // seats that are still taken
  uint64_t revision = 0;  // of the showtime after it
  std::string failure;    // why something is left, or may be
};
CleanUp CleanUpShowtime(client::Client& client, const Names& names, uint32_t showtime);

// All changes of a showtime of the run, 1 to `last_revision`. Each message must come within
// `patience_ms`.
History ReadHistory(client::Client& client, const Names& names, uint32_t showtime,
                    uint64_t last_revision, int64_t patience_ms);

// Calls `one` for each showtime, on kReadersMax threads.
void ForEachShowtime(uint32_t showtimes, const std::function<void(uint32_t showtime)>& one);

}  // namespace seatlock::cli::bench
