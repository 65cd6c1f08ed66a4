// The SQLite log's bounds, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

// One transaction: large enough that its fsync (130 us measured) weighs little against its rows
// (11 us each), small enough that who comes next waits some 10 ms.
inline constexpr size_t kBatchJobsMax = 1000;
inline constexpr size_t kBatchBytesMax = 8 << 20;
// Of these what sells may take before it is the others' turn.
inline constexpr size_t kBatchSellingJobsMax = kBatchJobsMax / 4 * 3;

// What may wait for the writer before appends are turned away: a few transactions' worth.
inline constexpr size_t kQueueBytesMaxDefault = 32 << 20;
// What a job weighs beside its payload, so that many small ones are bounded too.
inline constexpr size_t kJobOverheadBytes = 512;

// Reads that may wait; each holds a showtime's name and a callback.
inline constexpr size_t kReadsWaitingMax = 20'000;

// Showtimes whose head the writer remembers, about 500 bytes each. One that is not among them
// costs two look-ups.
inline constexpr size_t kKnownShowtimesMax = 10'000;

// Records forgotten in one transaction: a few milliseconds.
inline constexpr size_t kTrimRecordsMax = 2000;

// The write-ahead log's size that makes a checkpoint worth it: 4 KiB pages, 16 MiB.
inline constexpr int kCheckpointPagesDefault = 4000;
// A page in it, with its head.
inline constexpr size_t kWalFrameBytes = 4096 + 24;

// A store that failed is tried again on a call, but not more often than this.
inline constexpr int64_t kReopenIntervalMs = 100;

// How often the writer looks around when it has nothing to write: whether the files are still
// there, and whether a store that failed is well again.
inline constexpr int64_t kIdleMs = 1000;
// A store that nobody writes to is tried with a small commit, so that readiness is not news of
// yesterday. One fsync in two seconds.
inline constexpr int64_t kProbeMs = 2000;
// What is noticed by the second look is noticed within the 5 s that operating.md promises.
static_assert(kIdleMs + kProbeMs <= 4000);

static_assert(kQueueBytesMaxDefault / 4 * 3 >= 2 * kBatchBytesMax);
static_assert(kBatchBytesMax > kPageBytesMax);

}  // namespace seatlock::log
