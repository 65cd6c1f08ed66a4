// The tokens by which one connection follows its showtimes: when each ends. Made only where tokens
// are looked at, so that other edges pay no memory for it; at most kSubscriptionsMax entries.
// Strand-bound.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace seatlock::edge {

struct Subscription;

class ClientTokens {
 public:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  // `origin`: the request's Origin, empty if it had none.
  explicit ClientTokens(std::string origin) : origin_(std::move(origin)) {}

  const std::string& origin() const { return origin_; }

  // `subscription` came by a token that ends at `expire_ms` (Unix time), or goes on by it.
  void Put(const Subscription& subscription, int64_t expire_ms) {
    Forget(subscription);
    ends_.emplace_back(&subscription, expire_ms);
  }
  void Forget(const Subscription& subscription) {
    ends_.erase(std::remove_if(ends_.begin(), ends_.end(),
                               [&](const End& end) { return end.first == &subscription; }),
                ends_.end());
  }

  // kNone: it came without a token.
  int64_t EndOf(const Subscription& subscription) const {
    for (const End& end : ends_) {
      if (end.first == &subscription) return end.second;
    }
    return kNone;
  }
  // When the first of them ends; kNone: there is none.
  int64_t FirstEnd() const {
    int64_t first = kNone;
    for (const End& end : ends_) first = std::min(first, end.second);
    return first;
  }

 private:
  using End = std::pair<const Subscription*, int64_t>;

  const std::string origin_;
  absl::InlinedVector<End, 1> ends_;
};

}  // namespace seatlock::edge
