#include "edge/ws/proxies.h"

#include <algorithm>
#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace seatlock::edge {

namespace ip = boost::asio::ip;
using boost::system::error_code;

namespace {

constexpr unsigned kV4Bits = 32;
constexpr unsigned kV6Bits = 128;

std::string_view Stripped(std::string_view text) {
  while (!text.empty() && absl::ascii_isspace(text.front())) text.remove_prefix(1);
  while (!text.empty() && absl::ascii_isspace(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<ip::address> ParseAddress(std::string_view text) {
  error_code ec;
  const ip::address address = ip::make_address(std::string(text), ec);
  if (ec) return std::nullopt;
  return WithoutMapping(address);
}

// Proxies write a port behind the address now and then: "192.0.2.1:4711", "[2001:db8::1]:4711".
std::optional<ip::address> ParseForwarded(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? std::nullopt : ParseAddress(text.substr(1, end - 1));
  }
  if (std::count(text.begin(), text.end(), ':') == 1) text = text.substr(0, text.find(':'));
  return ParseAddress(text);
}

std::optional<unsigned> ParsePrefix(std::string_view text, unsigned max) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || bits > max) return std::nullopt;
  return bits;
}

}  // namespace

ip::address WithoutMapping(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

absl::StatusOr<TrustedProxies> TrustedProxies::Parse(std::string_view text) {
  TrustedProxies proxies;
  if (text.empty()) return proxies;
  const std::vector<std::string> networks = absl::StrSplit(std::string(text), ',');
  for (const std::string& network : networks) {
    const std::string_view whole = Stripped(network);
    const size_t slash = whole.find('/');
    const std::optional<ip::address> address = ParseAddress(whole.substr(0, slash));
    std::optional<unsigned> bits;
    if (address) bits = address->is_v4() ? kV4Bits : kV6Bits;
    if (bits && slash != std::string_view::npos) bits = ParsePrefix(whole.substr(slash + 1), *bits);
    if (!bits) {
      return absl::InvalidArgumentError(
          "must be addresses or networks such as 10.0.0.0/8,::1, separated by commas");
    }
    const auto prefix = static_cast<unsigned short>(*bits);
    if (address->is_v4()) {
      proxies.v4_.push_back(ip::network_v4(address->to_v4(), prefix).canonical());
    } else {
      proxies.v6_.push_back(ip::network_v6(address->to_v6(), prefix).canonical());
    }
  }
  return proxies;
}

bool TrustedProxies::Contains(const ip::address& address) const {
  const ip::address plain = WithoutMapping(address);
  const auto holds = [](const auto& networks, const auto& one) {
    return std::any_of(networks.begin(), networks.end(), [&](const auto& network) {
      using Network = std::decay_t<decltype(network)>;
      return Network(one, network.prefix_length()).canonical() == network;
    });
  };
  if (plain.is_v4()) return holds(v4_, plain.to_v4());
  return holds(v6_, ip::address_v6(plain.to_v6().to_bytes()));
}

std::optional<ip::address> TrustedProxies::ClientOf(
    const ip::address& peer, const std::vector<std::string>& forwarded_for) const {
  if (!Contains(peer)) return WithoutMapping(peer);
  for (auto value = forwarded_for.rbegin(); value != forwarded_for.rend(); ++value) {
    const std::vector<std::string> hops = absl::StrSplit(*value, ',');
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
      const std::optional<ip::address> address = ParseForwarded(Stripped(*hop));
      if (!address) return std::nullopt;
      if (!Contains(*address)) return address;
    }
  }
  return std::nullopt;
}

}  // namespace seatlock::edge
