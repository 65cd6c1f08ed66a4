// What one thread's rooms and connections stand on. All of it outlives them. Strand-bound but where
// a type says otherwise.
#pragma once

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "edge/core/feed.h"
#include "edge/core/memory_budget.h"
#include "edge/core/stats.h"
#include "edge/core/timers.h"

namespace seatlock::edge {

struct Env {
  const base::Clock& clock;
  Timers& timers;
  base::Executor& executor;  // Tasks for this thread, in the order of their posting.
  Feeds& feeds;
  Stats& stats;          // This thread's own.
  MemoryBudget& budget;  // All threads'.
};

}  // namespace seatlock::edge
