// Runs tasks later on the edge's strand. Tasks cannot be taken back: whoever schedules one holds
// its objects by weak_ptr or checks a generation. Strand-bound.
#pragma once

#include <cstdint>

#include "common/base/executor.h"

namespace seatlock::edge {

class Timers {
 public:
  virtual ~Timers() = default;

  // Runs `task` `delay_ms` from now at the earliest, never inside the call.
  virtual void After(int64_t delay_ms, base::Task task) = 0;
};

}  // namespace seatlock::edge
