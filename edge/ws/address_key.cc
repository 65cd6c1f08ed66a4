#include "edge/ws/address_key.h"

#include <cstddef>

#include "edge/ws/proxies.h"

namespace seatlock::edge {

AddressKey KeyOf(const boost::asio::ip::address& address) {
  const boost::asio::ip::address plain = WithoutMapping(address);
  if (plain.is_v4()) return {AddressKey::Kind::kV4, plain.to_v4().to_uint()};
  const boost::asio::ip::address_v6::bytes_type bytes = plain.to_v6().to_bytes();
  uint64_t bits = 0;
  for (size_t i = 0; i < sizeof(bits); ++i) bits = bits << 8 | bytes[i];
  return {AddressKey::Kind::kV6, bits};
}

}  // namespace seatlock::edge
