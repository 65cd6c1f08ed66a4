// Runs tasks later, off the caller's stack.
//
// The queue has no bound of its own: whoever posts must be bounded (an actor posts at most one
// completion, a gRPC call at most one answer).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>

#include "absl/functional/any_invocable.h"
#include "common/base/mutex.h"

namespace seatlock::base {

using Task = absl::AnyInvocable<void() &&>;

class Executor {
 public:
  virtual ~Executor() = default;

  // Queues `task`; never runs it inside the call. Thread-safe, does not block.
  virtual void Post(Task task) = 0;
};

// One thread that runs tasks in the order of their posting. Thread-safe. The destructor runs what
// is queued, then joins.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor();
  ~ThreadExecutor() override;

  void Post(Task task) override;

  // How many tasks have run.
  uint64_t finished() const { return finished_.load(std::memory_order_relaxed); }

 private:
  void Run();

  Mutex mu_;
  CondVar wake_;
  std::deque<Task> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<uint64_t> finished_{0};  // written by the thread alone
  std::thread thread_;
};

}  // namespace seatlock::base
