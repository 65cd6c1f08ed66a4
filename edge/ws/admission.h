// Who is let in, counted over all threads: sockets as far as descriptors go, connections, and
// connections of one address. Thread-safe; no lock but where the limit of addresses is on.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "edge/ws/address_limit.h"
#include "edge/ws/proxies.h"
#include "edge/ws/upgrade.h"

namespace seatlock::edge {

class Admission {
 public:
  struct Options {
    int64_t sockets_max = 0;  // In handshake, being refused, and connections together.
    int64_t connections_max = 0;
    int64_t connections_per_address_max = 0;  // 0: off.
    TrustedProxies trusted_proxies = {};
    std::vector<std::string> allowed_origins = {};  // Empty: any.
  };

  // A connection's place, given back with it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)),
          address_(std::move(other.address_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (admission_ != nullptr) --admission_->connections_;
    }

   private:
    friend class Admission;
    Place(Admission& admission, AddressLimit::Place address)
        : admission_(&admission), address_(std::move(address)) {}

    Admission* admission_;
    AddressLimit::Place address_;
  };
  struct Admitted {
    std::string subprotocol;  // Empty: none was asked for.
    Place place;
  };
  using Answer = std::variant<Admitted, UpgradeRefused>;

  // Each with a counter of its own; RefusalCount() of another status is 0.
  static constexpr std::array kRefusals = {400, 403, 404, 426, 429, 503};

  explicit Admission(Options options);

  // False: no more descriptors for now.
  bool TakeSocket();
  void ReturnSocket() { --sockets_; }
  int64_t sockets() const { return sockets_; }

  // Whether the request from `peer` becomes a connection.
  Answer Check(const UpgradeRequest& request, const boost::asio::ip::address& peer);

  void CountRefusal(int status);
  int64_t RefusalCount(int status) const;

 private:
  const Options options_;
  AddressLimit address_limit_;
  std::atomic<int64_t> sockets_{0};
  std::atomic<int64_t> connections_{0};
  std::array<std::atomic<int64_t>, kRefusals.size()> refusals_{};
};

}  // namespace seatlock::edge
