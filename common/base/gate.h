// Counts what is under way, so that an owner can stop: wait until nothing is, or let nothing in any
// more. Thread-safe.
#pragma once

#include <chrono>

#include "common/base/mutex.h"

namespace seatlock::base {

class Gate {
 public:
  // False: closed, stay out.
  bool Enter() {
    MutexLock lock(mu_);
    if (closed_) return false;
    ++inside_;
    return true;
  }

  // After an Enter that was true.
  void Leave() {
    MutexLock lock(mu_);
    if (--inside_ == 0) empty_.NotifyAll();
  }

  // Lets nobody in from now on.
  void Close() {
    MutexLock lock(mu_);
    closed_ = true;
  }

  // Lets nobody in from now on, and returns when the last one has left.
  void CloseAndWait() {
    Close();
    MutexLock lock(mu_);
    while (inside_ > 0) empty_.Wait(mu_);
  }

  // Whether nobody is let in any more.
  bool closed() const {
    MutexLock lock(mu_);
    return closed_;
  }

  // Returns when nobody is inside, or after `timeout`. Unless it is closed, others may enter
  // meanwhile.
  void WaitUntilEmpty(std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    MutexLock lock(mu_);
    while (inside_ > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return;
      empty_.WaitFor(mu_, left);
    }
  }

 private:
  mutable Mutex mu_;
  CondVar empty_;
  int inside_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::base
