// Bounds how many tasks of one kind hold memory at once: when thousands of watchers resume after a
// restart, their pages of history are read some at a time. Thread-safe; tasks run without locks.
#pragma once

#include <deque>
#include <utility>

#include "common/base/executor.h"
#include "common/base/mutex.h"

namespace seatlock::engine {

class Slots {
 public:
  explicit Slots(int slots) : free_(slots) {}

  // Runs `task` now, or once a slot is free. What it starts ends with Release.
  void Acquire(base::Task task) {
    {
      base::MutexLock lock(mu_);
      if (free_ == 0) {
        waiting_.push_back(std::move(task));
        return;
      }
      --free_;
    }
    std::move(task)();
  }

  void Release() {
    base::Task next;
    {
      base::MutexLock lock(mu_);
      if (waiting_.empty()) {
        ++free_;
        return;
      }
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    std::move(next)();
  }

 private:
  base::Mutex mu_;
  int free_ ABSL_GUARDED_BY(mu_);
  // One a watcher, showtime or list at most, and all are bounded.
  std::deque<base::Task> waiting_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
