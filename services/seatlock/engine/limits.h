// Every bound of the engine, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/shared_limits.h"

namespace seatlock::engine {

// Commands and reads that wait in one showtime: at 10,000 decisions a second the last waits half
// a second, after which a caller is better told OVERLOADED.
inline constexpr size_t kPendingPerShowtimeMax = 5000;
// In all showtimes: at about 1 KiB each, 100 MiB.
inline constexpr size_t kPendingMax = 100'000;

// Commands decided into one append: keeps the lock of a showtime below some milliseconds.
inline constexpr size_t kBatchCommandsMax = 512;
// Bytes of records in one append, counted before the last one goes in.
inline constexpr size_t kBatchBytesMax = 1 << 20;
// How often a command is decided again after losing the conditional append to another server.
inline constexpr int kConflictRetriesMax = 16;
// How often a load starts over because the log was trimmed under it.
inline constexpr int kLoadRestartsMax = 4;
// After a load failed, lapsed locks do not ask for another sooner; callers do.
inline constexpr int64_t kLoadRetryMs = 1'000;
// The same where the stored history is damaged: that passes only when a person mends it.
inline constexpr int64_t kDamagedRetryMs = 60'000;

// Showtimes in memory; one without changes costs about 1 KiB.
inline constexpr size_t kLiveShowtimesMax = 100'000;
// A showtime that nobody asked for leaves memory; one without changes sooner.
inline constexpr int64_t kIdleMs = 60'000;
inline constexpr int64_t kIdleEmptyMs = 5'000;

// A snapshot is kept once the tail is longer than this and than the state has entries, so that
// writing snapshots costs at most as much as writing records.
inline constexpr uint64_t kSnapshotTailMin = 1000;
// History that Trim leaves (the contract: at least 60 minutes and 10,000 changes).
inline constexpr int64_t kHistoryMs = 60 * 60'000;
inline constexpr uint64_t kHistoryChanges = 10'000;

// Bytes that wait for one watcher; above it the watcher gets a snapshot in place of changes.
inline constexpr size_t kWatcherBytesMax = 1 << 20;
// Pages of history in memory at once, of at most 1 MiB each.
inline constexpr int kHistoryPagesMax = 16;
// Open watches on one server; each costs its queue's bound at worst.
inline constexpr size_t kWatchersMax = base::kWatchesMax;
// Progress on a stream that was sent nothing for this long (the contract: at least every 15 s;
// Tick comes every second or sooner).
inline constexpr int64_t kProgressMs = 10'000;
inline constexpr int64_t kWatcherSweepMs = 1'000;

// Showtimes taken from the wake index at once.
inline constexpr size_t kDuePageMax = 1000;

static_assert(kProgressMs + kWatcherSweepMs < 15'000);
static_assert(kPendingPerShowtimeMax >= kBatchCommandsMax);

}  // namespace seatlock::engine
