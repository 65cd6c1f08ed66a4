// How many connections one address may have, counted over all threads. Thread-safe; a lock twice in
// a connection's life, and only if the limit is on.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "edge/ws/address_key.h"

namespace seatlock::edge {

class AddressLimit {
 public:
  // `max` 0: off, everybody may have any number.
  explicit AddressLimit(int64_t max) : max_(max) {}

  bool on() const { return max_ > 0; }
  // False: the address has all that it may have, and nothing was taken. True: give it back once.
  bool Take(const AddressKey& address);
  void GiveBack(const AddressKey& address);
  // Addresses that have connections.
  size_t addresses() const;

 private:
  bool Counts(const AddressKey& address) const { return on() && address.known(); }

  const int64_t max_;
  mutable base::Mutex mu_;
  absl::flat_hash_map<AddressKey, int64_t> counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
