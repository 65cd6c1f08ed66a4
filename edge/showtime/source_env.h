// What sources stand on: the home strand's. All of it outlives them.
#pragma once

#include "common/base/clock.h"
#include "edge/showtime/history_budget.h"
#include "edge/showtime/upstream.h"
#include "edge/stats.h"
#include "edge/timers.h"

namespace seatlock::edge {

struct SourceEnv {
  const base::Clock& clock;
  Timers& timers;
  Upstream& upstream;
  Stats& stats;
  HistoryBudget& history;
};

}  // namespace seatlock::edge
