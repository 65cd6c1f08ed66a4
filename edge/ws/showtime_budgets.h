// How many showtimes that the edge does not follow yet each address may open: a token bucket an
// address, over all threads. At most kShowtimeBudgetsMax addresses are kept: beyond that the one
// that asked for none for the longest time is forgotten, and has a full bucket if it comes again.
// For each address that comes, up to two of the oldest go earlier if their buckets are full.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "common/base/token_bucket.h"
#include "edge/fanout/retry_turns.h"
#include "edge/ws/address_key.h"

namespace seatlock::edge {

class ShowtimeBudgets {
 public:
  // `burst` showtimes at once, a hundredth of it comes back each second. 0: off.
  explicit ShowtimeBudgets(int64_t burst);

  bool on() const { return rate_.burst > 0; }
  // 0: taken, or not counted. Else nothing was taken: in how many ms to try again; each that is
  // refused is told the time of a token of its own (retry_turns.h).
  int64_t Take(const AddressKey& address, int64_t now_ms);
  // One that was taken was not opened.
  void GiveBack(const AddressKey& address);
  // Addresses that are kept.
  size_t addresses() const;

 private:
  struct Budget {
    AddressKey address;
    base::TokenBucket bucket;
    RetryTurns turns;
  };
  using Budgets = std::list<Budget>;

  Budgets::iterator Find(const AddressKey& address, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // In hundredths of a showtime, so that a hundredth of any burst is a whole number.
  const base::TokenRate rate_;
  mutable base::Mutex mu_;
  Budgets budgets_ ABSL_GUARDED_BY(mu_);  // By when each was last asked, the oldest first.
  absl::flat_hash_map<AddressKey, Budgets::iterator> places_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
