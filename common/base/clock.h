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

  // Unix time in milliseconds. May jump either way when the machine's clock is set.
  virtual int64_t NowMs() const = 0;

  // Milliseconds since an arbitrary start; never runs backwards. For measuring durations.
  virtual int64_t MonotonicMs() const = 0;

  // Microseconds on the same scale as MonotonicMs.
  virtual int64_t MonotonicUs() const = 0;
};

// The machine's clocks. The object lives as long as the process.
const Clock& SystemClock();

}  // namespace seatlock::base
