#include "edge/ws/admission.h"

#include <algorithm>
#include <optional>

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
    : options_(std::move(options)), address_limit_(options_.connections_per_address_max) {}

bool Admission::TakeSocket() {
  if (++sockets_ <= options_.sockets_max) return true;
  --sockets_;
  return false;
}

Admission::Answer Admission::Check(const UpgradeRequest& request,
                                   const boost::asio::ip::address& peer) {
  auto check = CheckUpgrade(request, options_.allowed_origins);
  if (auto* refused = std::get_if<UpgradeRefused>(&check)) return std::move(*refused);
  AddressLimit::Place of_address;
  if (address_limit_.on()) {
    const auto client = options_.trusted_proxies.ClientOf(peer, ForwardedFor(request));
    std::optional<AddressLimit::Place> taken =
        client ? address_limit_.Take(*client) : std::make_optional<AddressLimit::Place>();
    if (!taken) return UpgradeRefused{429, "too many connections from this address"};
    of_address = *std::move(taken);
  }
  // Taken before it is looked at: two threads never share the last place.
  const int64_t connections = ++connections_;
  Place place(*this, std::move(of_address));
  if (connections > options_.connections_max) return UpgradeRefused{503, "too many connections"};
  return Admitted{std::get<UpgradeAllowed>(std::move(check)).subprotocol, std::move(place)};
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
