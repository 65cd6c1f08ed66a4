// Every bound of the engine, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/shared_limits.h"

namespace seatlock::engine {

// Calls of one lane that wait in one showtime: at 10,000 decisions a second the last waits half
// a second, after which a caller is better told OVERLOADED.
inline constexpr size_t kPendingPerShowtimeMax = 5000;
// In all showtimes: at about 1 KiB each, 100 MiB.
inline constexpr size_t kPendingMax = 100'000;
// From here on only what sells is taken: a crowd that locks and looks leaves it room.
inline constexpr size_t kPendingButSellingMax = kPendingMax / 5 * 4;

// Commands decided into one append: keeps the lock of a showtime below some milliseconds.
inline constexpr size_t kBatchCommandsMax = 512;
// Of these what sells may take before it is the locks' turn, so that neither stands still.
inline constexpr size_t kBatchSellingMax = kBatchCommandsMax / 4 * 3;
// Bytes of records in one append, counted before the last one goes in.
inline constexpr size_t kBatchBytesMax = 1 << 20;
// How often a command is decided again after losing the conditional append to another server: only
// a caller without a deadline gets so far.
inline constexpr int kConflictRetriesMax = 1000;
// After so many appends of a showtime that others were first with, others may go first
// (actor_phase.h). Each change of theirs that is heard of begins the count anew.
inline constexpr int kYieldsAfterConflict = 8;
// How often a load starts over because the log was trimmed or rewritten under it.
inline constexpr int kLoadRestartsMax = 4;
// A showtime asks a store that failed again after this long, with a load and an append at most:
// two tries a second (actor_phase.h).
inline constexpr int64_t kRetryMs = 1'000;
// The same after an unknown outcome, which costs an append, a recovery and a load.
inline constexpr int64_t kUnknownRetryMs = 1'500;
// A batch that the store had no room for is sent again after this long: its queue holds a few
// transactions of some 10 ms each.
inline constexpr int64_t kQueueFullRetryMs = 500;
// A shared store's batch that may have landed is sent again after this long (ten ticks a second
// look), and its callers are told that the outcome is unknown once it could not be settled for
// kSettleMs: a failover takes longer than callers wait.
inline constexpr int64_t kResendMs = 100;
inline constexpr int64_t kSettleMs = 2'000;
// The same if the stored history is damaged: that passes only when a person mends it.
inline constexpr int64_t kDamagedRetryMs = 60'000;
// All showtimes together ask a failing store this far apart, appends and loads each by themselves:
// 50 tries a second, which no disk and no log file notices.
inline constexpr int64_t kTryIntervalMs = 40;

// Showtimes in memory; one without changes costs about 3 KiB, and leaves once it was served.
inline constexpr size_t kLiveShowtimesMax = 100'000;
// What they may hold together, by Showtime::ApproximateBytes: 151 bytes of heap a held seat with 5
// a session, 256 with a session each, 416 with the longest ids; 435 an order of one seat with
// UUIDs. domain/showtime_bytes_test.cc holds it against the heap. When it is reached, showtimes
// that nobody uses leave memory at once; if that is not enough, no further ones are loaded.
inline constexpr int64_t kStateBytesMax = int64_t{2} << 30;
// A showtime that nobody asked for leaves memory. One without changes leaves when it was served.
inline constexpr int64_t kIdleMs = 60'000;

// A snapshot is kept once the tail is longer than this and than the state has entries, so that
// writing snapshots costs at most as much as writing records.
inline constexpr uint64_t kSnapshotTailMin = 1000;
// History that Trim leaves (the contract: at least 60 minutes and 10,000 changes).
inline constexpr int64_t kHistoryMs = 60 * 60'000;
inline constexpr uint64_t kHistoryChanges = 10'000;

// A state of at most so many entries is copied for its snapshot under the showtime's lock, in some
// 0.5 ms; a larger one is read from the log again.
inline constexpr size_t kExportEntriesMax = 2000;
// A snapshot that could not be saved is tried again after this long.
inline constexpr int64_t kSnapshotRetryMs = 30'000;
// Snapshots built at once: each holds a second copy of its showtime's state.
inline constexpr int kSnapshotsAtOnce = 1;

// Seats in one chunk of a seat map: a changed seat costs the encoding of so many, 15 us; a 60,000
// seat snapshot is 940 shared parts.
inline constexpr size_t kChunkSeatsMax = 64;
// Chunks encoded under a showtime's lock at a time: one millisecond.
inline constexpr size_t kChunksPerStep = 64;
// Chunks that a reader may find stale and have encoded on the spot: what a few appends touch.
inline constexpr size_t kChunksToServe = 256;
// After so many refreshes whose result was stale when it was needed, it is made fresh on the spot.
inline constexpr int kSeatMapMissesMax = 3;
// A seat map that no reader needed for so long is dropped.
inline constexpr int64_t kSeatMapIdleMs = 60'000;
// One message of a snapshot (the contract: at most 1 MiB), with room for its head.
inline constexpr size_t kSnapshotMessageBytesMax = (1 << 20) - 1024;

// Encoded bytes that only readers hold, in the whole process. Beyond it the watchers that have not
// read for longest are ended, at most so many at a look (ten looks a second): what they held is
// given back only when the last who shares it has gone.
inline constexpr int64_t kHeldForReadersMax = 256 << 20;
inline constexpr size_t kShedAtOnce = 64;
// Who has been busy for less is not slow, and is not ended.
inline constexpr int64_t kShedAgeMs = 2'000;
// A reader that is ended and does not take its end for so long is cut off.
inline constexpr int64_t kShedGraceMs = 200;
// The same when the server goes away, for readers whose connection is merely slow.
inline constexpr int64_t kDrainGraceMs = 2'000;

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

// Pages of ListShowtimes made at once: each holds a showtime in memory that nobody else may need.
inline constexpr int kListsAtOnce = 4;
// A page ends after this long with what it has: showtimes that are slow to load must not make a
// page that takes longer than any caller waits.
inline constexpr int64_t kListPageMs = 2'000;
// Showtimes that the log names at once for a list: other reads of the log wait 1 ms.
inline constexpr size_t kListIdsMax = 100;

// Showtimes taken from the wake index at once.
inline constexpr size_t kDuePageMax = 1000;
// What is overdue by so much on a shared store is in the memory of no server that frees it in time:
// it is claimed, this often, and stays with the one that claimed it for so long. The first two and
// a tick are below the second within which a lapsed lock must be seen free; a claimer that dies
// before it has freed the lock costs the lease more.
inline constexpr int64_t kClaimOverdueMs = 300;
inline constexpr int64_t kClaimEveryMs = 200;
inline constexpr int64_t kClaimLeaseMs = 500;
// Claimed at once: each is a load and an append.
inline constexpr size_t kClaimPageMax = 200;
// A shared store that could not be asked for so long ends the watches: a failover that the next
// server, or this one, is through with sooner is not seen.
inline constexpr int64_t kCutOffMs = 1'000;
// Without hints a server hears of other servers' changes this often.
inline constexpr int64_t kChangesEveryMs = 1'000;

static_assert(kClaimOverdueMs + kClaimEveryMs + 100 < 1'000);
static_assert(kProgressMs + kWatcherSweepMs < 15'000);
static_assert(kPendingPerShowtimeMax >= kBatchCommandsMax);

}  // namespace seatlock::engine
