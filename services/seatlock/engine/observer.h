// What the engine reports about itself; the composition root turns it into metrics. Thread-safe
// implementations; calls must be cheap and must not block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "services/seatlock/domain/command.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::engine {

class Observer {
 public:
  virtual ~Observer() = default;

  // A caller's command got its result.
  virtual void OnResult(const domain::Command& /*command*/, const Result& /*result*/) {}
  // An append came back: records in it (0: it was a confirmation), microseconds from handing it
  // over.
  virtual void OnAppend(size_t /*records*/, int64_t /*latency_us*/,
                        log::AppendResult::Outcome /*outcome*/) {}
  // A showtime was deleted, for `principal`. No history tells that: what was in it is gone.
  virtual void OnDeleted(const domain::ShowtimeId& /*showtime*/, const std::string& /*principal*/) {
  }
  // Locks freed by the server because they lapsed.
  virtual void OnExpired(size_t /*locks*/) {}
  // A watcher fell behind and will get a snapshot.
  virtual void OnWatcherLagged() {}
  // A watcher, or a caller of GetShowtime, was ended because readers that do not read held too
  // much.
  virtual void OnReaderShed() {}
  // An append failed, a showtime could not be loaded, an outcome could not be settled, or a change
  // that a watch has missed is damaged.
  virtual void OnStoreError(const domain::ShowtimeId& /*showtime*/,
                            const absl::Status& /*status*/) {}
};

}  // namespace seatlock::engine
