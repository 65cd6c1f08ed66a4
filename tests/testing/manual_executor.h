// An executor that runs when it is told to, on the caller's thread. Thread-safe.
#pragma once

#include <deque>
#include <utility>

#include "common/base/executor.h"
#include "common/base/mutex.h"

namespace seatlock::testing {

class ManualExecutor final : public base::Executor {
 public:
  void Post(base::Task task) override {
    base::MutexLock lock(mu_);
    queue_.push_back(std::move(task));
  }

  // Runs what is queued, and what that queues, until nothing is left.
  void RunAll() {
    while (true) {
      base::Task task;
      {
        base::MutexLock lock(mu_);
        if (queue_.empty()) return;
        task = std::move(queue_.front());
        queue_.pop_front();
      }
      std::move(task)();
    }
  }

 private:
  base::Mutex mu_;
  std::deque<base::Task> queue_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::testing
