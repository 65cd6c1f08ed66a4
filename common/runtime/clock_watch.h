// Says in the log if two clocks that should agree stay apart.
//
// One line once the offset was above the rule's bound, in either direction, for 10 s; one info line
// once it has been within that again for 10 s. Owned by main, which calls Tick once a second or
// oftener. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>

#include "common/base/followed_clock_source.h"
#include "common/base/slewed_clock.h"

namespace seatlock::runtime {

class ClockWatch {
 public:
  // What to do when the clock is found off, and when it is well again.
  using Say = std::function<void(bool off, int64_t offset_ms)>;

  struct Rule {
    std::function<int64_t()> offset_us;
    int64_t offset_ms_max;
    Say say;
  };

  // `clock` measures how long an offset lasts; it and what the rule uses outlive this.
  ClockWatch(const base::Clock& clock, Rule rule);

  // As MachineAwayFromOurs.
  explicit ClockWatch(const base::SlewedClock& clock, Say say = {});

  void Tick();

 private:
  const base::Clock& clock_;
  const Rule rule_;
  bool said_off_ = false;
  // Since when the clock is other than what was said.
  int64_t changed_ms_;
};

// The machine's clock away from `clock`, which follows it, by more than 60 s: an error. Without
// `say` it writes the program's log.
ClockWatch::Rule MachineAwayFromOurs(const base::SlewedClock& clock, ClockWatch::Say say = {});

// For a program whose `clock` follows a store's: the store's clock away from it by more than 60 s,
// an error. Without `say` it writes the program's log.
ClockWatch::Rule StoreAwayFromOurs(const base::SlewedClock& clock, ClockWatch::Say say = {});

// The machine's clock away from the store's by more than 1 s, a warning: it judges no lock, but
// whoever reads both logs should know. Without `say` it writes the program's log.
ClockWatch::Rule MachineAwayFromStore(const base::FollowedClockSource& store,
                                      ClockWatch::Say say = {});

}  // namespace seatlock::runtime
