// How many connections one address may have, counted over all threads. An IPv6 address counts as
// its /64, which one subscriber has to himself. Thread-safe; a lock twice in a connection's life,
// and only where the limit is on.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "common/base/mutex.h"

namespace seatlock::edge {

class AddressLimit {
  struct Key {
    bool v6 = false;
    uint64_t bits = 0;  // All of an IPv4 address, the upper half of an IPv6 one.
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Counts = std::map<Key, int64_t>;

 public:
  // One connection's, given back with it. Empty where nothing was counted.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)), at_(other.at_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(limit_, other.limit_);
      std::swap(at_, other.at_);
      return *this;
    }
    ~Place() {
      if (limit_ != nullptr) limit_->GiveBack(at_);
    }

   private:
    friend class AddressLimit;
    Place(AddressLimit& limit, Counts::iterator at) : limit_(&limit), at_(at) {}

    AddressLimit* limit_ = nullptr;
    Counts::iterator at_;
  };

  // `max` 0: off, everybody gets an empty place.
  explicit AddressLimit(int64_t max) : max_(max) {}

  bool on() const { return max_ > 0; }
  // None: the address has all that it may have.
  std::optional<Place> Take(const boost::asio::ip::address& address);
  // Addresses that have connections.
  size_t addresses() const;

 private:
  static Key KeyOf(const boost::asio::ip::address& address);
  void GiveBack(Counts::iterator at);

  const int64_t max_;
  mutable base::Mutex mu_;
  Counts counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
