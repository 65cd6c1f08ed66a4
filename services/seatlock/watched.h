// The threads of seatlockd that must get on, for the watchdog (common/runtime/watchdog.h): gRPC's,
// the store's writer and reader (or the Redis log's one), and the four of the engine. The ticker,
// which goes through what is due in the engine, is watched because it calls Tick. Not watched: the
// admin listener, and the threads that look up names.
//
// A store that is away is no standstill: its threads answer that it is. One that blocks its thread
// for WatchdogSec, such as a disk that does not answer, is.
#pragma once

#include <vector>

#include "common/base/executor.h"
#include "common/runtime/watchdog.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/rpc/server.h"

namespace seatlock {

struct WatchedParts {
  log::ShowtimeLog& log;
  rpc::Server& server;
  base::ThreadExecutor& completions;
  base::ThreadExecutor& selling_completions;
  base::ThreadExecutor& background;
  base::ThreadExecutor& maintenance;
};

// What `parts` names outlives the watchdog.
std::vector<runtime::Watchdog::Watched> WatchedOf(const WatchedParts& parts);

}  // namespace seatlock
