// What every actor of an engine stands on. Owned by the Engine, outlives its actors' calls.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/gate.h"
#include "services/seatlock/domain/decide.h"
#include "services/seatlock/engine/history_slots.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/observer.h"
#include "services/seatlock/engine/watch_encoder.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::engine {

struct Context {
  log::ShowtimeLog& log;
  const base::Clock& clock;
  const WatchEncoder& encoder;
  Observer& observer;
  domain::Rules rules;
  // Mints epochs: unguessable, never the same twice.
  std::function<std::string()> new_epoch;
  // Runs what follows an append. One thread at most.
  base::Executor& completions;
  // Runs loads, snapshots and pages of history, which may take milliseconds. One thread at most.
  base::Executor& background;

  base::Gate gate;  // calls into the log
  std::atomic<bool> draining{false};
  std::atomic<size_t> pending{0};   // commands and reads that wait, in all showtimes
  std::atomic<size_t> watchers{0};  // open watches
  HistorySlots history{kHistoryPagesMax};
};

}  // namespace seatlock::engine
