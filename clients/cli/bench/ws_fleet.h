// Many WebSocket connections to an edge, as browsers make them: each is opened at its time,
// subscribes to one showtime, is checked frame by frame, now and then cut on purpose, and opened
// again with its position whenever it has ended. All of them live on one thread.
//
//   state       | opened when     | a frame | it ends, or is refused | Finish
//   kWaiting    | its time, and   |         |                        | stays
//               | a place is free |         |                        |
//   kConnecting |                 |         | kWaiting, a pause      | cut, then kOver
//   kOpen       |                 | checked | kWaiting, a pause      | cut, then kOver
//   kOver       |                 |         |                        |
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "clients/cli/bench/followers.h"
#include "clients/cli/bench/names.h"
#include "clients/cli/bench/options.h"

namespace seatlock::cli::bench {

class WsFleet {
 public:
  // Opens options.connections to options.url, spread over the run's showtimes.
  WsFleet(const Options& options, const Names& names);
  ~WsFleet();

  uint64_t connected() const;
  uint64_t changes() const;
  // How often the thread came late to its own timer: the generator is too slow.
  double late_share() const;

  // As WatchFleet has it.
  Followers Finish(const std::vector<uint64_t>& revisions, std::chrono::milliseconds patience);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::cli::bench
