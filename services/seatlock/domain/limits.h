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

// Who made a change, in its record. 255 is what OpenID Connect allows a token's subject.
inline constexpr size_t kPrincipalBytesMax = 255;
// Why seats were blocked: a line or two for whoever reads the history.
inline constexpr size_t kNoteBytesMax = 256;

// Seats in one call (the contract): a school class fits, and what the call itself adds to a record
// stays below 40 KiB. Records are larger by what the showtime has: a booking's by the 2,000 ids
// that its order kept (about 115 KB in all), an unlock of all that a session holds up to 3.4 MB.
inline constexpr size_t kSeatsPerCallMax = 100;
inline constexpr uint32_t kSessionSeatsDefault = 100;
// The most that --max-session-seats may allow. UnlockSeats and ExtendLocks of all make one change,
// and one answer, of everything that a session holds.
inline constexpr uint32_t kSessionSeatsMax = 10'000;
// Seats in one order (the contract): CancelBooking of all makes one change of it.
inline constexpr uint32_t kOrderSeatsMax = 2'000;
// The same with those that were cancelled out of it while it is open: each stays named, so every
// change of the order would cost more for ever. Cancelling never adds to the sum. Orders of earlier
// versions may remember up to kCancelledSeatsPerShowtimeMax.
inline constexpr uint32_t kOrderSeatsEverMax = 2 * kOrderSeatsMax;
// Seats in any one change. Orders of earlier versions may have more: they are cancelled seat by
// seat until this many are left.
inline constexpr size_t kSeatsPerChangeMax = kSessionSeatsMax;

// The largest message that gRPC's clients take unless told otherwise. A watcher that is sent a
// larger one fails, comes back, and is sent it again.
inline constexpr size_t kMessageBytesMax = 4 * 1024 * 1024;
// A seat in a change, in its record, or in an answer: its ids, two times or numbers, and protobuf's
// tags and lengths. services/seatlock/rpc/message_size_test.cc measures them.
inline constexpr size_t kSeatBytesMax = 340;
inline constexpr size_t kSeatIdInListBytesMax = kSeatIdBytesMax + 2;
// What a message has besides its seats: ids, an epoch, times and numbers.
inline constexpr size_t kEnvelopeBytesMax = 1024;

// The last time that stored bytes may have, the last that a protobuf Timestamp has: the end of the
// year 9999. What is added to a time then overflows nothing.
inline constexpr int64_t kTimeMsMax = 253'402'300'799'999;

// Lock times (the contract).
inline constexpr int64_t kTtlMsMin = kSecondMs;
inline constexpr int64_t kTtlMsMax = 120 * kMinuteMs;
inline constexpr int64_t kTtlMsDefault = 10 * kMinuteMs;
inline constexpr int64_t kLockAgeMsMax = 120 * kMinuteMs;

// How long requests and the grants of freed seats are remembered (the contract: at least 60 min).
inline constexpr int64_t kRequestMemoryMs = 60 * kMinuteMs;
inline constexpr int64_t kGrantMemoryMs = 60 * kMinuteMs;

// What is over its memory goes with the next changes, a part with each: of a million entries that
// end in one second no single change pays for all. Until then it counts for nothing.
//
// How many seats, request_ids and shares each a change of `seats` seats drops at most. More than it
// adds, so that the tables shrink while there is something to drop.
constexpr size_t ForgottenPerChange(size_t seats) {
  return 16 + 4 * (seats < kSeatsPerCallMax ? seats : kSeatsPerCallMax);
}

// Locks freed by one EXPIRED change: a hall that lapses at once does not hold up what waits.
inline constexpr size_t kExpiredPerChangeMax = 1000;

// What one showtime may hold in memory. The largest stadiums have 130,000 seats; a showtime that
// makes 1,000,000 changes with request_ids in an hour takes 277 a second, each of a few seats.
inline constexpr size_t kSeatsPerShowtimeMax = 250'000;
inline constexpr size_t kOrdersPerShowtimeMax = 1'000'000;
// Seats that were cancelled out of orders which are still open; each is remembered as long as its
// order is. From here on nothing is booked any more, and all can still be cancelled.
inline constexpr size_t kCancelledSeatsPerShowtimeMax = 1'000'000;
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

// A record has both beside its ids, times and numbers.
static_assert(kPrincipalBytesMax + kNoteBytesMax + kOrderIdBytesMax + kRequestIdBytesMax + 128 <=
              kEnvelopeBytesMax);
static_assert(kTtlMsMin <= kTtlMsDefault && kTtlMsDefault <= kTtlMsMax);
static_assert(kTtlMsMax <= kLockAgeMsMax);
static_assert(kSessionSeatsDefault >= kSeatsPerCallMax);
static_assert(kSessionSeatsDefault <= kSessionSeatsMax);
static_assert(kSeatBytesMax >= kSeatIdBytesMax + kSessionIdBytesMax + kOrderIdBytesMax + 36);
static_assert(kSeatBytesMax >= kSeatIdBytesMax + kSessionIdBytesMax + kShowtimeIdBytesMax + 36);
static_assert(kExpiredPerChangeMax >= kSeatsPerCallMax);

// Every kind of change is within the bound, and with it every change on a watch, every record and
// every answer that names seats within a client's. Locks and swaps name those of one call, twice.
static_assert(2 * kSeatsPerCallMax <= kSeatsPerChangeMax);  // LOCK, SWAP
static_assert(kSessionSeatsMax <= kSeatsPerChangeMax);      // UNLOCK, EXTEND
static_assert(kExpiredPerChangeMax <= kSeatsPerChangeMax);  // EXPIRED
static_assert(kOrderSeatsMax <= kSeatsPerChangeMax);        // BOOK, CANCEL
static_assert(kEnvelopeBytesMax + kSeatsPerChangeMax * kSeatBytesMax <= kMessageBytesMax);
// A lock's record repeats those that the session had already; a booking's the ids of the order.
static_assert(kEnvelopeBytesMax + 3 * kSeatsPerCallMax * kSeatBytesMax <= kMessageBytesMax);
static_assert(kEnvelopeBytesMax + kOrderSeatsMax * (kSeatBytesMax + kSeatIdInListBytesMax) <=
              kMessageBytesMax);
// No single call is larger than a whole share, and no share than what is there for all.
static_assert(kSeatsPerCallMax <= kUnseenSeatsPerShare);
static_assert(kUnseenSeatsPerShare < kSeatsForLocksMax);
static_assert(kRequestsPerShare < kRequestsForLocksMax);
// Even with everything else full of unlocks, every seat can be booked within the hour, in calls of
// three seats on average.
static_assert(3 * kOrderRequestsReserved >= kSeatsPerShowtimeMax);

}  // namespace seatlock::domain
