#include "common/base/executor.h"

#include <utility>

namespace seatlock::base {

ThreadExecutor::ThreadExecutor() : thread_([this] { Run(); }) {}

ThreadExecutor::~ThreadExecutor() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.NotifyOne();
  thread_.join();
}

// Notifies under the lock: the task may be the last that anybody waits for before this executor is
// destroyed, which then waits for the lock.
void ThreadExecutor::Post(Task task) {
  MutexLock lock(mu_);
  queue_.push_back(std::move(task));
  if (queue_.size() == 1) wake_.NotifyOne();
}

void ThreadExecutor::Run() {
  std::deque<Task> batch;
  while (true) {
    {
      MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) wake_.Wait(mu_);
      if (queue_.empty()) return;
      batch.swap(queue_);
    }
    for (Task& task : batch) {
      std::move(task)();
      finished_.store(finished() + 1, std::memory_order_relaxed);
    }
    batch.clear();
  }
}

}  // namespace seatlock::base
