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

  // The earliest of all.
  std::optional<int64_t> First() const {
    base::MutexLock lock(mu_);
    if (times_.empty()) return std::nullopt;
    return times_.begin()->first;
  }

  // Those whose time has come, at most `limit` (at least 1); each call goes on behind the last one
  // of a full page before. They stay until they are moved: those that cannot be freed now do not
  // keep others from being seen.
  std::vector<domain::ShowtimeId> NextDue(int64_t now_ms, size_t limit) {
    std::vector<domain::ShowtimeId> due;
    base::MutexLock lock(mu_);
    auto at = after_ ? times_.upper_bound(*after_) : times_.begin();
    after_.reset();
    for (; at != times_.end() && at->first <= now_ms; ++at) {
      due.push_back(at->second);
      if (due.size() < limit) continue;
      after_ = *at;
      break;
    }
    return due;
  }

 private:
  using Place = std::pair<int64_t, domain::ShowtimeId>;

  mutable base::Mutex mu_;
  std::set<Place> times_ ABSL_GUARDED_BY(mu_);
  std::optional<Place> after_ ABSL_GUARDED_BY(mu_);  // where the last page was full
};

}  // namespace seatlock::engine
