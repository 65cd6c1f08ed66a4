// Says in the log if the machine's clock stays away from the one that the program goes by.
//
// One error line once the offset was above 60 s, in either direction, for 10 s; one info line once
// it has been within that again for 10 s. Owned by main, which calls Tick once a second or oftener.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>

#include "common/base/slewed_clock.h"

namespace seatlock::runtime {

class ClockWatch {
 public:
  // What to do when the clock is found off, and when it is well again; `offset_ms` is the machine's
  // clock minus ours.
  using Say = std::function<void(bool off, int64_t offset_ms)>;

  // `clock` outlives this. Without `say` it writes the program's log.
  explicit ClockWatch(const base::SlewedClock& clock, Say say = {});

  void Tick();

 private:
  const base::SlewedClock& clock_;
  const Say say_;
  bool said_off_ = false;
  // Since when the clock is other than what was said.
  int64_t changed_ms_;
};

}  // namespace seatlock::runtime
