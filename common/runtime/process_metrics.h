// What every program says of itself: its build, and what the kernel counts of the process, under
// the names that Prometheus' own client libraries use.
//
// The kernel is asked when the text is made, never before. Linux alone; what /proc does not tell
// reads as 0.
#pragma once

#include <string>

#include "common/runtime/metrics.h"

namespace seatlock::runtime {

// Adds seatlock_build_info{program,version,revision}, process_cpu_seconds_total, process_max_fds,
// process_open_fds, process_resident_memory_bytes and process_start_time_seconds. Once.
void AddProcessMetrics(const std::string& program, Metrics* metrics);

}  // namespace seatlock::runtime
