// Bounds of `seatctl bench`, each with its reason. Constants.
#pragma once

#include <cstdint>

namespace seatlock::cli::bench {

// The service keeps 60 minutes of history, and the verdicts read a whole run's afterwards.
inline constexpr int64_t kDurationMsMax = 30 * 60'000;
inline constexpr int64_t kDurationMsMin = 100;  // below it rates mean nothing
// Of locks. A lock is not used in its last second (kLapseMarginUs); the service grants two hours.
inline constexpr int64_t kTtlMsMin = 2'000;
inline constexpr int64_t kTtlMsMax = 2 * 3'600'000;
// Calls a second: more than gRPC takes on the machines that this was written on. Above it the
// schedule would ask for a call every few microseconds, which a thread cannot keep.
inline constexpr int64_t kRateMax = 100'000;
// Calls of a run. What was answered and what the stream said of it are kept until the end, 80 bytes
// together: 400 MB.
inline constexpr uint64_t kCallsMax = 5'000'000;
// Showtimes of a run: each is read and cleaned up afterwards.
inline constexpr int64_t kShowtimesMax = 1'000;
// Seats of a showtime. GetShowtime, which the clean-up asks, answers 3 MiB at most, and one seat of
// ours has at most 150 bytes.
inline constexpr int64_t kSeatsMax = 10'000;
// Sessions of a run: more shoppers than any sale has. They cost nothing until they are used.
inline constexpr int64_t kSessionsMax = 1'000'000;
// Calls that are not answered yet. Each costs the service some 4 KiB (services/seatlock/rpc).
inline constexpr int64_t kInFlightMax = 8'192;
// gRPC connections to each server, over which calls and streams are spread: as several API servers
// would have them. tests/bench/load.h has as many.
inline constexpr int kConnectionsPerServer = 4;
// Watch streams of a run: the service takes 24,576 in all, and others need some.
inline constexpr int64_t kWatchersMax = 8'000;
// WebSocket connections of a run. One address has 28,000 ports to connect from.
inline constexpr int64_t kSocketsMax = 20'000;
// Open files of the program beside them: gRPC's connections, libraries, the terminal.
inline constexpr uint64_t kOtherFiles = 100;
// Of those that may be on their way in at once; the edge has places for as many a thread.
inline constexpr int64_t kHandshakesMax = 256;
// New connections a second.
inline constexpr int64_t kRampMax = 5'000;

// A call that is sent this much after its time is counted as late. A busy machine's scheduler alone
// costs a few milliseconds.
inline constexpr int64_t kLateUs = 5'000;
// If the generator itself sends more than this share of the calls late, it says that it was the
// bottleneck; so it does if it had more than this share of the processors that it may use.
inline constexpr double kLateShareMax = 0.01;
inline constexpr double kCpuShareMax = 0.9;

// How long the pacing thread sleeps at most before it looks whether it should stop.
inline constexpr int64_t kPaceUsMax = 20'000;
// How long it waits at most while all places for calls are taken: a call that ends wakes it.
inline constexpr int64_t kBlockedMs = 1;

// A lock is used for this much less than its ttl: the call needs time to arrive.
inline constexpr int64_t kLapseMarginUs = 1'000'000;
// With --hot so many seats of each showtime have the crowd.
inline constexpr uint32_t kHotSeats = 4;

// Threads that clean up and read histories, each one showtime at a time.
inline constexpr int kReadersMax = 4;
// How often a history is asked for again if the service sends a snapshot in its place.
inline constexpr int kHistoryTriesMax = 5;

// Messages of the first failures that are shown, and double holds and lost changes that are named.
inline constexpr size_t kExamplesMax = 5;

// One frame: above the 1 MiB of a snapshot of the service in JSON.
inline constexpr uint64_t kFrameBytesMax = 16 << 20;

}  // namespace seatlock::cli::bench
