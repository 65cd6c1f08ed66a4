// Which showtimes were refused a moment ago, so that a crowd that wants one does not ask the
// service again for each of them. At most kRefusalsMax are known; while so many are, the service
// has no place for anybody, and showtimes that are not followed are refused unasked.
// Strand-bound to the home strand.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "edge/limits.h"
#include "edge/showtime/feed.h"

namespace seatlock::edge {

class Refusals {
 public:
  void Add(const std::string& showtime_id, const FeedRefused& refused, int64_t now_ms) {
    if (known_.size() >= kRefusalsMax) ForgetOver(now_ms);
    if (known_.size() >= kRefusalsMax) return;
    known_[showtime_id] = {refused.message, now_ms + refused.retry_after_ms};
  }

  // What a newcomer is told; nothing if the service may be asked.
  std::optional<FeedRefused> Of(const std::string& showtime_id, int64_t now_ms) {
    const auto found = known_.find(showtime_id);
    if (found != known_.end() && found->second.until_ms > now_ms) {
      return FeedRefused{found->second.message, found->second.until_ms - now_ms};
    }
    if (known_.size() >= kRefusalsMax) ForgetOver(now_ms);
    if (known_.size() < kRefusalsMax) return std::nullopt;
    return FeedRefused{"the seat service refuses too many showtimes now", kRefusedRetryMs};
  }

 private:
  struct Known {
    std::string message;
    int64_t until_ms = 0;  // Monotonic.
  };

  void ForgetOver(int64_t now_ms) {
    absl::erase_if(known_, [now_ms](const auto& one) { return one.second.until_ms <= now_ms; });
  }

  absl::flat_hash_map<std::string, Known> known_;
};

}  // namespace seatlock::edge
