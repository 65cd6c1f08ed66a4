// Keeps a log line that may come thousands of times a second to one a second, with a count.
//
// The first line is written at once. Of those that come within the second after it, the last is
// written by the first Tick() after that second, and says how many were left out before it.
// A line that still waits when the object goes is written then. Thread-safe; lines are written
// without a lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace seatlock::runtime {

class LogThrottle {
 public:
  // `write` writes one line; `left_out` tells how many came since the line before and are not
  // written. `clock`, and what `write` uses, outlive this.
  using Write = std::function<void(const std::string& line, uint64_t left_out)>;
  LogThrottle(const base::Clock& clock, Write write);
  ~LogThrottle();
  LogThrottle(const LogThrottle&) = delete;
  LogThrottle& operator=(const LogThrottle&) = delete;

  void Log(std::string line);

  // Called now and then, at least once a second, so that the last line does not wait for another.
  void Tick();

 private:
  const base::Clock& clock_;
  const Write write_;

  base::Mutex mu_;
  std::string last_ ABSL_GUARDED_BY(mu_);      // of those that wait
  uint64_t waiting_ ABSL_GUARDED_BY(mu_) = 0;  // `last_` and those before it
  int64_t next_ms_ ABSL_GUARDED_BY(mu_);       // no line is written before
};

}  // namespace seatlock::runtime
