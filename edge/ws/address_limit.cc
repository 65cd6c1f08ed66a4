#include "edge/ws/address_limit.h"

namespace seatlock::edge {

bool AddressLimit::Take(const AddressKey& address) {
  if (!Counts(address)) return true;
  base::MutexLock lock(mu_);
  const auto at = counts_.try_emplace(address, 0).first;
  if (at->second >= max_) return false;
  ++at->second;
  return true;
}

void AddressLimit::GiveBack(const AddressKey& address) {
  if (!Counts(address)) return;
  base::MutexLock lock(mu_);
  const auto at = counts_.find(address);
  if (--at->second == 0) counts_.erase(at);
}

size_t AddressLimit::addresses() const {
  base::MutexLock lock(mu_);
  return counts_.size();
}

}  // namespace seatlock::edge
