#include "edge/ws/address_limit.h"

#include "edge/ws/proxies.h"

namespace seatlock::edge {

namespace ip = boost::asio::ip;

AddressLimit::Key AddressLimit::KeyOf(const ip::address& address) {
  const ip::address plain = WithoutMapping(address);
  if (plain.is_v4()) return {false, plain.to_v4().to_uint()};
  const ip::address_v6::bytes_type bytes = plain.to_v6().to_bytes();
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(bits); ++i) bits = bits << 8 | bytes[i];
  return {true, bits};
}

std::optional<AddressLimit::Place> AddressLimit::Take(const ip::address& address) {
  if (!on()) return Place();
  base::MutexLock lock(mu_);
  const auto at = counts_.try_emplace(KeyOf(address), 0).first;
  if (at->second >= max_) return std::nullopt;
  ++at->second;
  return Place(*this, at);
}

void AddressLimit::GiveBack(Counts::iterator at) {
  base::MutexLock lock(mu_);
  if (--at->second == 0) counts_.erase(at);
}

size_t AddressLimit::addresses() const {
  base::MutexLock lock(mu_);
  return counts_.size();
}

}  // namespace seatlock::edge
