// What following showtimes over gRPC needs. All that is pointed at outlives the WatchClient.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "edge/stats.h"
#include "edge/timers.h"

namespace seatlock::edge {

struct UpstreamOptions {
  std::string target;  // host:port
  const base::Clock* clock = nullptr;
  base::Executor* executor = nullptr;
  Timers* timers = nullptr;
  Stats* stats = nullptr;
  // Told when the service is lost and when it is back, at most once a second. May be null.
  std::function<void(bool up)> on_upstream = nullptr;
};

}  // namespace seatlock::edge
