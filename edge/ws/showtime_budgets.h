// How many showtimes that the edge does not follow yet each address may open: a token bucket an
// address, over all threads. At most kShowtimeBudgetsMax addresses are kept (base::BucketTable).
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/bucket_table.h"
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
    base::TokenBucket bucket;
    RetryTurns turns;

    bool Full(int64_t now_ms) const { return bucket.Full(now_ms); }
  };

  // In hundredths of a showtime, so that a hundredth of any burst is a whole number.
  const base::TokenRate rate_;
  mutable base::Mutex mu_;
  base::BucketTable<AddressKey, Budget> budgets_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
