// Who waits, in the order of coming, at most so many in all and so many of one address: if there is
// no place for one more, the oldest goes, of its address or of all. It has kHandshakeGraceMs first,
// in which there may be more than there are places as long as descriptors are free. So waiting
// takes nobody's place for long, and a crowd that comes at once is not its own enemy. What one
// address has beyond its own bound takes no place of others. Strand-bound.
//
//   a newcomer, and           | descriptors are free         | none is free
//   its address has all of    | its address's oldest goes,   | its address's oldest goes, however
//   its places                | if it had its time           | young
//   all places are taken,     | the oldest of all goes, if   | nobody is taken in before the
//   others' too               | it had its time              | oldest of all has had its time
//   neither                   | nobody goes                  | nobody goes
//
// T has a field `OldestOut<T>::Place place`, which belongs to this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "edge/limits.h"
#include "edge/ws/address_key.h"

namespace seatlock::edge {

template <typename T>
class OldestOut {
  using Items = std::list<T*>;

 public:
  struct Place {
    bool taken = false;
    AddressKey address;
    int64_t since_ms = 0;
    typename Items::iterator of_all;
    typename Items::iterator of_address;
  };

  // Both at least 1.
  OldestOut(size_t places, size_t places_an_address)
      : places_(places), places_an_address_(places_an_address) {}

  // Whether one more may come though no descriptor is free: there is a place, or somebody goes for
  // it. Ask InTheWay() who.
  bool HasPlace(int64_t now_ms) const {
    return all_.size() < places_ || HadItsTime(*all_.front(), now_ms);
  }
  // Who has to go before one more of `address` is added, or goes because there are more than there
  // are places; null: nobody. An address of kNone counts in all alone.
  T* InTheWay(const AddressKey& address, int64_t now_ms, bool descriptors_free) const {
    const auto own = of_address_.find(address);
    if (own != of_address_.end() && own->second.size() >= places_an_address_) {
      T* const oldest = own->second.front();
      return !descriptors_free || HadItsTime(*oldest, now_ms) ? oldest : nullptr;
    }
    const size_t taken = descriptors_free ? all_.size() - beyond_ : all_.size();
    return taken >= places_ && HadItsTime(*all_.front(), now_ms) ? all_.front() : nullptr;
  }

  void Add(T& item, const AddressKey& address, int64_t now_ms) {
    item.place = {true, address, now_ms, all_.insert(all_.end(), &item), {}};
    if (!address.known()) return;
    Items& own = of_address_[address];
    item.place.of_address = own.insert(own.end(), &item);
    if (own.size() > places_an_address_) ++beyond_;
  }

  // No-op if it is not in here.
  void Remove(T& item) {
    if (!item.place.taken) return;
    item.place.taken = false;
    all_.erase(item.place.of_all);
    if (!item.place.address.known()) return;
    const auto own = of_address_.find(item.place.address);
    if (own->second.size() > places_an_address_) --beyond_;
    own->second.erase(item.place.of_address);
    if (own->second.empty()) of_address_.erase(own);
  }

  size_t size() const { return all_.size(); }
  // Addresses that wait.
  size_t addresses() const { return of_address_.size(); }

 private:
  static bool HadItsTime(const T& item, int64_t now_ms) {
    return now_ms - item.place.since_ms >= kHandshakeGraceMs;
  }

  const size_t places_;
  const size_t places_an_address_;
  Items all_;
  size_t beyond_ = 0;  // Of all, those that addresses have beyond their own bounds.
  absl::flat_hash_map<AddressKey, Items> of_address_;
};

}  // namespace seatlock::edge
