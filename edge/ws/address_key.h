// What one client's address counts as: an IPv4 address alone, an IPv6 one as its /64, which one
// subscriber has to himself. A value.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <compare>
#include <cstdint>
#include <utility>

namespace seatlock::edge {

struct AddressKey {
  // kNone: counted under no address, as whoever comes through a trusted proxy that names none.
  enum class Kind : uint8_t { kNone, kV4, kV6 };

  Kind kind = Kind::kNone;
  uint64_t bits = 0;  // All of an IPv4 address, the upper half of an IPv6 one.

  bool known() const { return kind != Kind::kNone; }

  friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const AddressKey& key) {
    return H::combine(std::move(state), key.kind, key.bits);
  }
};

// Never kNone. An IPv4 address in an IPv6 one counts as what it is.
AddressKey KeyOf(const boost::asio::ip::address& address);

}  // namespace seatlock::edge
