// The Redis log's bounds, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

// What may wait and be under way before calls are turned away: a few pipelines' worth.
inline constexpr size_t kRedisQueueBytesMaxDefault = 32 << 20;
// What a call weighs beside its payload, so that many small ones are bounded too.
inline constexpr size_t kRedisCallOverheadBytes = 512;

// One pipeline of appends: large enough that its fsync and its WAIT weigh little, small enough that
// who comes next waits some 10 ms (an append takes Redis about 30 us).
inline constexpr size_t kPipelineCallsMax = 512;
inline constexpr size_t kPipelineBytesMax = 8 << 20;

// A Redis that has not answered for so long is taken for away, and the connections to it are
// dropped. A server that is cut off so refuses within kRedisSilenceMs + kRedisTickMs + the
// reconnect's first step, 2.5 s as operating.md promises.
inline constexpr int64_t kRedisSilenceMs = 2000;
// How long WAIT lets replicas take. Below the silence: the answer of WAIT must still come.
inline constexpr int64_t kRedisWaitMs = 1000;
// How long a connection may take to be set up: name, TCP, password, checks.
inline constexpr int64_t kRedisConnectMs = 2000;
// And until all connections are open and the server was looked at.
inline constexpr int64_t kRedisPrepareMs = 2 * kRedisConnectMs;
// How long Open waits for a store that cannot be served at first: a second look at its servers.
inline constexpr int64_t kRedisFirstMs = 1000;
// How long further Sentinels are waited for once one has answered: on one network they answer
// within milliseconds, and who comes back from a failover must not wait for those that are away.
inline constexpr int64_t kSentinelPatienceMs = 300;
// How often deadlines are looked at.
inline constexpr int64_t kRedisTickMs = 100;
// How often an idle store is asked whether it is well, what time it is, and how it is set up.
inline constexpr int64_t kRedisProbeMs = 1000;
// The same while it is not served: callers wait for its return.
inline constexpr int64_t kRedisRetryProbeMs = 200;
// How long a primary may fail to be served before Sentinel, or the next address, is asked whether
// there is another. Longer than WAIT takes twice.
inline constexpr int64_t kRedisCheckingMs = 3000;
// The pause before connecting anew: rises from the first to the second, each with jitter of half.
inline constexpr int64_t kRedisReconnectMinMs = 50;
inline constexpr int64_t kRedisReconnectMaxMs = 1000;

// Different reasons that an operator is told of one outage: with several addresses each has its
// own.
inline constexpr size_t kRedisReasonsToldMax = 16;
// A reason's length: the longest of ours has some 250 bytes, and Redis's own words may be long.
inline constexpr size_t kRedisReasonBytesMax = 500;
// How long a store must have been served until its return is told: by then each lane was probed.
inline constexpr int64_t kRedisSteadyMs = 2 * kRedisProbeMs;

// Parts of the store, each with its own hash tag. Fixed: it is in the names of the keys.
inline constexpr int kRedisPartitions = 64;

// Connections for appends: WAIT blocks its own, so two take turns. A showtime always uses the same.
inline constexpr size_t kRedisLanes = 2;

// Reads that are under way at one time; the others wait here and not in Redis's output buffers. A
// page is 1 MiB.
inline constexpr size_t kRedisReadsUnderWayMax = 32;

// Servers of Redis that are watched: the primary and its replicas, of which more than eight cannot
// be asked for.
inline constexpr size_t kRedisServersMax = 32;

// Showtimes of one partition that may be due at the same millisecond. Due with a cursor asks for so
// many more than it needs, because Redis counts from the time of a cursor and not from its
// showtime.
inline constexpr size_t kDueAtOneTimeMax = 1000;

// Showtimes told of one partition in answer to one question of what has changed.
inline constexpr size_t kChangedPerPartitionMax = 1000;

static_assert(kRedisWaitMs < kRedisSilenceMs);
static_assert(2 * kRedisWaitMs < kRedisCheckingMs);
static_assert(kRedisSilenceMs + kRedisTickMs <= 2500);
static_assert(kRedisQueueBytesMaxDefault >= 2 * kPipelineBytesMax);
static_assert(kPipelineBytesMax > kPageBytesMax);

}  // namespace seatlock::log
