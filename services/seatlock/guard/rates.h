// How many calls, and how many seats by locks, a principal, a session and all callers together may
// ask for a second: token buckets, looked at before a call's fields are, and before the engine. A
// bucket holds what comes back in one second.
//
// A call is let in if each of its buckets has a token. It then owes a token a seat, also those that
// are not there yet, and others wait until they are: so a call with many seats needs no larger
// bucket, and many calls with one seat cannot keep it out for ever. A lock that is refused takes no
// token of a lock's buckets.
//
//   call                             | calls of  | locks of the principal | locks of
//                                    | principal | and of the session     | all
//   ---------------------------------+-----------+------------------------+----------
//   LockSeat, LockSeats, ExtendLocks | 1         | 1 a seat               | 1 a seat
//   the same, a field out of bounds  | 1         | 1                      | 0
//   every other call                 | 1         | 0                      | 0
//
// What gives seats back is free, for each lock can be given back but once. Without identity all
// callers are one principal. Owned by the rpc layer. Thread-safe; nothing blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "common/base/bucket_table.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace seatlock::guard {

// What may be asked for a second. 0: as much as one likes. At most kRateMax: buckets round a token
// up to a microsecond, which at this rate lets one in ten too few in.
struct RateLimits {
  int64_t locks = 0;
  int64_t locks_per_principal = 0;
  int64_t locks_per_session = 0;
  int64_t calls_per_principal = 0;

  bool any_lock() const { return locks > 0 || locks_per_principal > 0 || locks_per_session > 0; }
  bool any() const { return any_lock() || calls_per_principal > 0; }
};
inline constexpr int64_t kRateMax = 100'000;

// Which of the limits has refused a call, in the order in which they are looked at: the one that
// needs no table first, for it refuses most in a storm.
enum class Rate { kLocks, kCallsPerPrincipal, kLocksPerPrincipal, kLocksPerSession };
inline constexpr int kRateCount = 4;
// As in metrics and details: "locks_per_session" for --rate-locks-per-session.
std::string_view RateName(Rate rate);

// Whom a call is of. Views: valid as long as what they were made of.
struct Sender {
  std::string_view principal;  // empty: no identity
  std::string_view session;    // as it came; may be out of bounds
};

class Rates {
 public:
  struct Refused {
    Rate rate;
    int64_t retry_after_ms;  // kRetryMsMin or more
  };

  // The clock outlives this.
  Rates(const RateLimits& limits, const base::Clock& clock);

  // Any call. None: it may go on.
  std::optional<Refused> TakeCall(std::string_view principal);
  // Then, if it locks or extends, before its fields are looked at. None: it may go on, and OweSeats
  // follows if its fields are in bounds.
  std::optional<Refused> TakeLock(const Sender& sender);
  // It asks for so many seats, at least 1.
  void OweSeats(const Sender& sender, size_t seats);
  // It turned out to be of so many more, as ExtendLocks of all does. More than one call may name
  // count for no more than that, so no call keeps others waiting for long.
  void OweMoreSeats(const Sender& sender, size_t seats);

  // Principals and sessions whose buckets are kept.
  size_t buckets() const;

 private:
  // Hashes, so that no id costs more than another. Two of a table share a bucket once in many
  // billions.
  using Table = base::BucketTable<size_t>;

  struct Bucket {
    Rate rate;
    base::TokenBucket* bucket;
  };
  // Of the sender; those that are on.
  using Buckets = absl::InlinedVector<Bucket, kRateCount>;

  bool IsOn(Rate rate) const { return RateOf(rate).per_second > 0; }
  const base::TokenRate& RateOf(Rate rate) const { return rates_[static_cast<size_t>(rate)]; }
  Buckets OfLock(const Sender& sender, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Says that `bucket` has no token; none: it has one.
  std::optional<Refused> Look(Rate rate, const base::TokenBucket& bucket, int64_t now_ms) const;
  // Takes a token of each, or says which has none.
  std::optional<Refused> Take(const Buckets& buckets, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Owe(const Sender& sender, size_t of_sender, size_t of_all);

  const std::array<base::TokenRate, kRateCount> rates_;  // by Rate; per_second is 0 for one off
  const bool any_lock_;
  const base::Clock& clock_;

  mutable base::Mutex mu_;
  Table calls_ ABSL_GUARDED_BY(mu_);
  Table principals_ ABSL_GUARDED_BY(mu_);
  Table sessions_ ABSL_GUARDED_BY(mu_);
  base::TokenBucket all_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::guard
