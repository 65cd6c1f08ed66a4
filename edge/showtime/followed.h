// Which showtimes the edge follows, for threads that want to know before they ask the home strand.
// Thread-safe; looked at when a thread makes a room, never for a change.
#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"
#include "common/base/mutex.h"

namespace seatlock::edge {

class Followed {
 public:
  void Add(const std::string& showtime_id) {
    base::MutexLock lock(mu_);
    showtimes_.insert(showtime_id);
  }
  void Remove(const std::string& showtime_id) {
    base::MutexLock lock(mu_);
    showtimes_.erase(showtime_id);
  }
  bool Contains(const std::string& showtime_id) const {
    base::MutexLock lock(mu_);
    return showtimes_.contains(showtime_id);
  }

 private:
  mutable base::Mutex mu_;
  absl::flat_hash_set<std::string> showtimes_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::edge
