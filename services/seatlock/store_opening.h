// The store that seatlockd serves from, opened as its configuration says, and what follows from
// whose it is: the clock that locks are judged by, and what is watched while it is open.
//
// Owned by main; outlives engine and server. Thread-compatible, but for the log and the clock.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/executor.h"
#include "common/base/followed_clock_source.h"
#include "common/base/slewed_clock.h"
#include "common/runtime/clock_watch.h"
#include "common/runtime/log_throttle.h"
#include "common/runtime/metrics.h"
#include "services/seatlock/config.h"
#include "services/seatlock/log/showtime_log.h"
#include "services/seatlock/metrics.h"

namespace seatlock {

// The time that locks are judged by: the machine's, or that of a store that several servers share,
// followed slowly.
class ServiceClock {
 public:
  explicit ServiceClock(const StoreConfig& store)
      : is_stores_(store.kind == StoreConfig::Kind::kRedis),
        clock_(is_stores_ ? static_cast<const base::ClockSource&>(store_)
                          : base::SystemClockSource()) {}

  base::SlewedClock& clock() { return clock_; }
  bool is_stores() const { return is_stores_; }
  const base::FollowedClockSource& store() const { return store_; }

  // An answer of the store, as base::FollowedClockSource::Heard. The first sets the clock. Any
  // thread.
  void Heard(int64_t store_us, int64_t sent_boot_us, int64_t received_boot_us) {
    store_.Heard(store_us, sent_boot_us, received_boot_us);
    clock_.Adopt();
  }

 private:
  const bool is_stores_;
  base::FollowedClockSource store_;
  base::SlewedClock clock_;
};

// Opens it. A shared store that cannot be reached is open and unhealthy, and has said why. What the
// arguments name outlives the log.
absl::StatusOr<std::unique_ptr<log::ShowtimeLog>> OpenStore(const Config& config,
                                                            ServiceClock& clock,
                                                            ServiceMetrics& metrics,
                                                            runtime::LogThrottle& errors);

void AddClockGauges(ServiceClock& clock, runtime::Metrics& metrics);
// What the store is, and how it does. `log` is what OpenStore gave for it.
void AddStoreGauges(const StoreConfig& config, const log::ShowtimeLog& log,
                    runtime::Metrics& metrics);

// Says what should be said once about clock and store. Main calls Tick ten times a second.
class StoreWatch {
 public:
  // What is handed in outlives this.
  StoreWatch(const Config& config, ServiceClock& clock, const log::ShowtimeLog& log);

  void Tick();

 private:
  // Compares this server's limits with those of the others on its store, once that is reached.
  void NoteLimits();

  const Config& config_;
  ServiceClock& clock_;
  const log::ShowtimeLog& log_;
  runtime::ClockWatch clock_watch_;
  runtime::ClockWatch skew_watch_;
  // Of this start, the same for each try: one that was only half answered is known again.
  const std::string start_id_;
  int limits_tries_left_;
  int64_t limits_next_ms_ = 0;
  std::atomic<bool> limits_noted_{false};
  // Asks Redis, and waits for it. Last, so that it goes first.
  std::unique_ptr<base::ThreadExecutor> asker_;
};

}  // namespace seatlock
