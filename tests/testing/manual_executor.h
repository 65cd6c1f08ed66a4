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
    while (RunOne()) continue;
  }

  // Runs the task that was queued first. False: there is none.
  bool RunOne() {
    base::Task task;
    {
      base::MutexLock lock(mu_);
      if (queue_.empty()) return false;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(task)();
    return true;
  }

 private:
  base::Mutex mu_;
  std::deque<base::Task> queue_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::testing
