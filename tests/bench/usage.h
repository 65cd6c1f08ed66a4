// What processes have used, from /proc. Functions; thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace seatlock::bench {

// `pid` and the processes that it started.
std::vector<pid_t> WithChildren(pid_t pid);

// The time that all threads of these processes were on a core, in user and system mode, in
// nanoseconds. A thread that has ended no longer counts.
uint64_t CpuNs(const std::vector<pid_t>& pids);

// Their anonymous resident memory: heaps and stacks, without the pages of files.
uint64_t AnonymousBytes(const std::vector<pid_t>& pids);

}  // namespace seatlock::bench
