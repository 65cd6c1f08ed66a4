// The only place that reads the system's clocks.
//
// Everything in services/ and edge/ gets a Clock handed in, so that tests move time by hand
// (tests/testing/fake_clock.h). Thread-safe.
#pragma once

#include <cstdint>

namespace seatlock::base {

class Clock {
 public:
  virtual ~Clock() = default;

  // Unix time in milliseconds. SystemClock jumps either way if somebody sets the machine's clock;
  // SlewedClock never does.
  virtual int64_t NowMs() const = 0;

  // Milliseconds since an arbitrary start; never runs backwards, and counts the time that the
  // machine was suspended. For measuring durations.
  virtual int64_t MonotonicMs() const = 0;

  // Microseconds on the same scale as MonotonicMs.
  virtual int64_t MonotonicUs() const = 0;
};

// The machine's two clocks as they are, in microseconds.
class ClockSource {
 public:
  virtual ~ClockSource() = default;

  // Unix time (CLOCK_REALTIME). Jumps if somebody sets it.
  virtual int64_t WallUs() const = 0;

  // Time since the machine was started, suspended or not (CLOCK_BOOTTIME). Never runs backwards.
  virtual int64_t BootUs() const = 0;
};

// The machine's clocks. The objects live as long as the process.
const Clock& SystemClock();
const ClockSource& SystemClockSource();

}  // namespace seatlock::base
