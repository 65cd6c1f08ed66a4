// Every bound of the service's rules, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seatlock::domain {

inline constexpr int64_t kSecondMs = 1000;
inline constexpr int64_t kMinuteMs = 60 * kSecondMs;

// Ids, in bytes (the contract). 128 holds a UUID, a hash or a URN; 40 a section, a row and a seat.
inline constexpr size_t kShowtimeIdBytesMax = 128;
inline constexpr size_t kSessionIdBytesMax = 128;
inline constexpr size_t kOrderIdBytesMax = 128;
inline constexpr size_t kSeatIdBytesMax = 40;
inline constexpr size_t kRequestIdBytesMax = 64;

// Seats in one call (the contract): a school class fits, a record stays below 40 KiB.
inline constexpr size_t kSeatsPerCallMax = 100;
inline constexpr uint32_t kSessionSeatsDefault = 100;
// UnlockSeats of all and BookSeats without seats make one change of everything a session holds. A
// seat in a change is up to 340 bytes (its ids, a time and protobuf's tags), so this is 3.4 MB:
// below the 4 MiB that gRPC's clients take as one message.
inline constexpr uint32_t kSessionSeatsMax = 10'000;
inline constexpr size_t kSeatInChangeBytesMax = 340;
inline constexpr size_t kMessageBytesMax = 4 * 1024 * 1024;

// Lock times (the contract).
inline constexpr int64_t kTtlMsMin = kSecondMs;
inline constexpr int64_t kTtlMsMax = 120 * kMinuteMs;
inline constexpr int64_t kTtlMsDefault = 10 * kMinuteMs;
inline constexpr int64_t kLockAgeMsMax = 120 * kMinuteMs;

// How long requests and the grants of freed seats are remembered (the contract: at least 60 min).
inline constexpr int64_t kRequestMemoryMs = 60 * kMinuteMs;
inline constexpr int64_t kGrantMemoryMs = 60 * kMinuteMs;

// Locks freed by one EXPIRED change: its message stays far below gRPC's 4 MiB.
inline constexpr size_t kExpiredPerChangeMax = 1000;

// What one showtime may hold in memory. The largest stadiums have 130,000 seats; a showtime that
// makes 1,000,000 changes with request_ids in an hour takes 277 a second, each of a few seats.
inline constexpr size_t kSeatsPerShowtimeMax = 250'000;
inline constexpr size_t kOrdersPerShowtimeMax = 1'000'000;
inline constexpr size_t kRequestsPerShowtimeMax = 1'000'000;

// What locks may take of that (the contract). Anybody may invent sessions, so two bounds are
// needed: a share keeps one session from using up what is there for all, and the last fifth is
// kept from all locks, so that what was paid for can still be booked.
//
// A session's share is of an hour that begins with the first thing that counts: a lock of a seat
// that the showtime does not have in its tables, or a lock or extension with a request_id.
// Unlocks, bookings and cancellations count for nothing: nobody may be kept from giving a seat
// back, and orders are made by callers who are trusted with sales.
inline constexpr int64_t kShareMs = 60 * kMinuteMs;
inline constexpr uint32_t kUnseenSeatsPerShare = 1'000;
inline constexpr uint32_t kRequestsPerShare = 10'000;
inline constexpr size_t kSeatsForLocksMax = kSeatsPerShowtimeMax / 5 * 4;
inline constexpr size_t kRequestsForLocksMax = kRequestsPerShowtimeMax / 5 * 4;
// Bookings and cancellations go this far past kRequestsPerShowtimeMax. Unlocks may fill all that is
// below it, and whoever may lock may unlock: without this a million of them would stop all sales.
inline constexpr size_t kOrderRequestsReserved = 100'000;

static_assert(kTtlMsMin <= kTtlMsDefault && kTtlMsDefault <= kTtlMsMax);
static_assert(kTtlMsMax <= kLockAgeMsMax);
static_assert(kSessionSeatsDefault >= kSeatsPerCallMax);
static_assert(kSessionSeatsDefault <= kSessionSeatsMax);
static_assert(kSeatInChangeBytesMax >=
              kSeatIdBytesMax + kSessionIdBytesMax + kOrderIdBytesMax + 32);
// 1 KiB for the change's own fields.
static_assert(kSessionSeatsMax * kSeatInChangeBytesMax + 1024 < kMessageBytesMax);
static_assert(kExpiredPerChangeMax >= kSeatsPerCallMax);
// No single call is larger than a whole share, and no share than what is there for all.
static_assert(kSeatsPerCallMax <= kUnseenSeatsPerShare);
static_assert(kUnseenSeatsPerShare < kSeatsForLocksMax);
static_assert(kRequestsPerShare < kRequestsForLocksMax);
// Every seat of the largest stadium can be booked and cancelled once within the hour, or nearly.
static_assert(kRequestsPerShowtimeMax - kRequestsForLocksMax + kOrderRequestsReserved >=
              kSeatsPerShowtimeMax);

}  // namespace seatlock::domain
