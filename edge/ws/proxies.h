// Under which address a client is counted where proxies stand before the edge. Immutable,
// thread-safe.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::edge {

class TrustedProxies {
 public:
  // Trusts nobody.
  TrustedProxies() = default;

  // Reads networks and addresses such as "10.0.0.0/8,::1". InvalidArgument in words that complete
  // "--trusted-proxies ...".
  static absl::StatusOr<TrustedProxies> Parse(std::string_view text);

  bool Contains(const boost::asio::ip::address& address) const;

  // `peer`, unless it is trusted: then the last address of `forwarded_for` that is not, the values
  // of all X-Forwarded-For headers in order. None where that does not say an address: whoever is
  // trusted is many, and must not be limited as one.
  std::optional<boost::asio::ip::address> ClientOf(
      const boost::asio::ip::address& peer, const std::vector<std::string>& forwarded_for) const;

 private:
  std::vector<boost::asio::ip::network_v4> v4_;
  std::vector<boost::asio::ip::network_v6> v6_;
};

// An IPv4 address in an IPv6 one (RFC 4291, 2.5.5.2) as what it is; all others as they are.
boost::asio::ip::address WithoutMapping(const boost::asio::ip::address& address);

}  // namespace seatlock::edge
