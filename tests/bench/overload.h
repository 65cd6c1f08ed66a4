// What bookings feel of a storm of locks: a section of ./dev bench service, and the process that
// storms.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/report.h"

namespace seatlock::bench {

// Bookings alone and beside 20,000 LockSeat calls a second, with locks bounded to 2,000 a second;
// then the same beside 4,096 LockSeat calls in flight without a bound.
void BenchOverload(Report& report);

// `args`: the server's address, calls a second (0: as fast as they are answered), calls in flight
// at most, seconds. Prints one line with what became of them, for the section. In a process of its
// own, so that bookings are not measured on threads that storm.
int RunStorm(const std::vector<std::string>& args);

}  // namespace seatlock::bench
