// When the showtimes in memory next need attention, earliest first: on a shared store each server
// frees by itself what lapses in its memory, without asking the store.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::engine {

class Wakes {
 public:
  // `showtime`'s time was `from` and is `to`; none: never.
  void Move(const domain::ShowtimeId& showtime, std::optional<int64_t> from,
            std::optional<int64_t> to) {
    base::MutexLock lock(mu_);
    if (from) times_.erase({*from, showtime});
    if (to) times_.insert({*to, showtime});
  }

  // Those whose time has come, at most `limit`. They stay until they are moved.
  std::vector<domain::ShowtimeId> Due(int64_t now_ms, size_t limit) const {
    std::vector<domain::ShowtimeId> due;
    base::MutexLock lock(mu_);
    for (const auto& [time_ms, showtime] : times_) {
      if (time_ms > now_ms || due.size() == limit) break;
      due.push_back(showtime);
    }
    return due;
  }

 private:
  mutable base::Mutex mu_;
  std::set<std::pair<int64_t, domain::ShowtimeId>> times_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
