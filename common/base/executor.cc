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

void ThreadExecutor::Post(Task task) {
  bool was_empty;
  {
    MutexLock lock(mu_);
    was_empty = queue_.empty();
    queue_.push_back(std::move(task));
  }
  if (was_empty) wake_.NotifyOne();
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
    for (Task& task : batch) std::move(task)();
    batch.clear();
  }
}

}  // namespace seatlock::base
