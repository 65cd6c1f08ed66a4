// Who is let in, counted over all threads: connections, connections of one address, and showtimes
// that one address opens. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "edge/ws/address_key.h"
#include "edge/ws/address_limit.h"
#include "edge/ws/allowed_origins.h"
#include "edge/ws/proxies.h"
#include "edge/ws/showtime_budgets.h"
#include "edge/ws/upgrade.h"

namespace seatlock::edge {

class Admission {
 public:
  struct Options {
    int64_t sockets_max = 0;  // Connections and handshakes together, while there are places left.
    int64_t connections_max = 0;
    int64_t connections_per_address_max = 0;    // 0: off.
    int64_t new_showtimes_per_address_max = 0;  // 0: off.
    TrustedProxies trusted_proxies = {};
    AllowedOrigins allowed_origins = {};
    // Hears once, on any thread, of a peer that says whom it forwards though it is not trusted,
    // while clients are limited by address: all of its clients may count as one. May be null.
    std::function<void(const std::string& peer)> on_untrusted_forwarder = {};
  };

  // A connection's place, given back with it.
  class Place {
   public:
    Place(Place&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)), address_(other.address_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (admission_ != nullptr) admission_->GiveBack(address_);
    }

    // As ShowtimeBudgets::Take(), for the address of this connection.
    int64_t TakeNewShowtime(int64_t now_ms) const {
      return admission_->showtime_budgets_.Take(address_, now_ms);
    }
    void GiveBackNewShowtime() const { admission_->showtime_budgets_.GiveBack(address_); }

   private:
    friend class Admission;
    Place(Admission& admission, const AddressKey& address)
        : admission_(&admission), address_(address) {}

    Admission* admission_;
    AddressKey address_;  // kNone if no limit needs it.
  };
  struct Admitted {
    std::string subprotocol;  // Empty: none was asked for.
    Place place;
  };
  using Answer = std::variant<Admitted, UpgradeRefused>;

  // Each with a counter of its own; RefusalCount() of another status is 0.
  static constexpr std::array kRefusals = {400, 403, 404, 405, 426, 429, 503};

  explicit Admission(Options options);

  // Under which address a handshake of `peer` counts, before a byte of it is read. A trusted proxy
  // carries many clients: never count it as one address.
  AddressKey HandshakeKeyOf(const boost::asio::ip::address& peer) const;

  // Whether the request from `peer` becomes a connection.
  Answer Check(const UpgradeRequest& request, const boost::asio::ip::address& peer);

  // Of connections and handshakes.
  int64_t connections_max() const { return options_.connections_max; }
  int64_t sockets() const { return connections_ + handshakes_; }
  bool HasSocket() const { return sockets() < options_.sockets_max; }
  void CountHandshake(int64_t change) { handshakes_ += change; }

  void CountRefusal(int status);
  int64_t RefusalCount(int status) const;
  // Requests for an upgrade that said whom they were forwarded for, by whether their peer is a
  // trusted proxy.
  int64_t ForwardedCount(bool trusted) const {
    return trusted ? forwarded_trusted_ : forwarded_untrusted_;
  }

 private:
  // kNone if nobody has to know.
  AddressKey ClientKeyOf(const UpgradeRequest& request, const boost::asio::ip::address& peer);
  void GiveBack(const AddressKey& address);

  const Options options_;
  AddressLimit address_limit_;
  ShowtimeBudgets showtime_budgets_;
  std::atomic<bool> told_of_forwarder_{false};
  std::atomic<int64_t> connections_{0};
  std::atomic<int64_t> handshakes_{0};
  std::atomic<int64_t> forwarded_trusted_{0};
  std::atomic<int64_t> forwarded_untrusted_{0};
  std::array<std::atomic<int64_t>, kRefusals.size()> refusals_{};
};

}  // namespace seatlock::edge
