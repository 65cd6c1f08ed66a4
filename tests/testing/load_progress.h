// What the threads of a load share: the showtimes they use, and how far they are.
#pragma once

#include <chrono>
#include <string>

#include "common/base/mutex.h"

namespace seatlock::testing {

inline constexpr int kShowtimes = 4;
inline constexpr int kSeats = 20;

inline std::string ShowtimeOf(int index) {
  return "show-" + std::to_string(index);
}

// What threads tell each other: how often the server was started, how much was acknowledged.
// Thread-safe.
class Progress {
 public:
  void Restarted() {
    base::MutexLock lock(mu_);
    ++starts_;
    acks_ = 0;
  }
  void Acknowledged() {
    base::MutexLock lock(mu_);
    ++acks_;
    changed_.NotifyAll();
  }
  int starts() const {
    base::MutexLock lock(mu_);
    return starts_;
  }
  // False if it takes longer than 60 s.
  bool WaitForAcks(int count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    base::MutexLock lock(mu_);
    while (acks_ < count && std::chrono::steady_clock::now() < deadline) {
      changed_.WaitFor(mu_, std::chrono::milliseconds(100));
    }
    return acks_ >= count;
  }

 private:
  mutable base::Mutex mu_;
  base::CondVar changed_;
  int starts_ ABSL_GUARDED_BY(mu_) = 0;
  int acks_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace seatlock::testing
