// Counts the calls that are under way into the log, so that the engine can stop: once closed, no
// further call enters, and CloseAndWait returns when the last one has left. Thread-safe.
#pragma once

#include "common/base/mutex.h"

namespace seatlock::engine {

class LogGate {
 public:
  // False: closed, do not call the log.
  bool Enter() {
    base::MutexLock lock(mu_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void Leave() {
    base::MutexLock lock(mu_);
    if (--inside_ == 0) empty_.NotifyAll();
  }
  void CloseAndWait() {
    base::MutexLock lock(mu_);
    closed_ = true;
    while (inside_ > 0) empty_.Wait(mu_);
  }

 private:
  base::Mutex mu_;
  base::CondVar empty_;
  int inside_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::engine
