#include "edge/ws/admission.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace seatlock::edge {

namespace {

constexpr const char* kForwardedFor = "X-Forwarded-For";

std::vector<std::string> ForwardedFor(const UpgradeRequest& request) {
  std::vector<std::string> values;
  const auto range = request.equal_range(kForwardedFor);
  for (auto field = range.first; field != range.second; ++field) {
    values.emplace_back(field->value());
  }
  return values;
}

}  // namespace

Admission::Admission(Options options)
    : options_(std::move(options)),
      address_limit_(options_.connections_per_address_max),
      showtime_budgets_(options_.new_showtimes_per_address_max) {}

AddressKey Admission::HandshakeKeyOf(const boost::asio::ip::address& peer) const {
  return options_.trusted_proxies.Contains(peer) ? AddressKey() : KeyOf(peer);
}

AddressKey Admission::ClientKeyOf(const UpgradeRequest& request,
                                  const boost::asio::ip::address& peer) {
  const std::vector<std::string> forwarded_for = ForwardedFor(request);
  const bool trusted = options_.trusted_proxies.Contains(peer);
  if (!forwarded_for.empty()) ++(trusted ? forwarded_trusted_ : forwarded_untrusted_);
  if (!address_limit_.on() && !showtime_budgets_.on()) return {};
  if (!forwarded_for.empty() && options_.on_untrusted_forwarder && !trusted &&
      !told_of_forwarder_.exchange(true)) {
    options_.on_untrusted_forwarder(peer.to_string());
  }
  const auto client = options_.trusted_proxies.ClientOf(peer, forwarded_for);
  return client ? KeyOf(*client) : AddressKey();
}

Admission::Answer Admission::Check(const UpgradeRequest& request,
                                   const boost::asio::ip::address& peer) {
  auto check = CheckUpgrade(request, options_.allowed_origins);
  if (auto* refused = std::get_if<UpgradeRefused>(&check)) return std::move(*refused);
  const AddressKey address = ClientKeyOf(request, peer);
  if (!address_limit_.Take(address)) {
    return UpgradeRefused{429, "too many connections from this address"};
  }
  // Taken before it is looked at: two threads never share the last place.
  const int64_t connections = ++connections_;
  Place place(*this, address);
  if (connections > options_.connections_max) return UpgradeRefused{503, "too many connections"};
  return Admitted{std::get<UpgradeAllowed>(std::move(check)).subprotocol, std::move(place)};
}

void Admission::GiveBack(const AddressKey& address) {
  --connections_;
  address_limit_.GiveBack(address);
}

void Admission::CountRefusal(int status) {
  const auto* found = std::find(kRefusals.begin(), kRefusals.end(), status);
  if (found != kRefusals.end()) ++refusals_[static_cast<size_t>(found - kRefusals.begin())];
}

int64_t Admission::RefusalCount(int status) const {
  const auto* found = std::find(kRefusals.begin(), kRefusals.end(), status);
  if (found == kRefusals.end()) return 0;
  return refusals_[static_cast<size_t>(found - kRefusals.begin())];
}

}  // namespace seatlock::edge
