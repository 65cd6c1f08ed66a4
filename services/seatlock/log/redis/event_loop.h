// One thread's loop over a few sockets, tasks and timers.
//
// Run is called on one thread, the loop's; Post and Stop are thread-safe; everything else is for
// the loop's thread alone. A store has a dozen connections at most, so poll(2) is enough.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace seatlock::log {

class EventLoop {
 public:
  using Task = absl::AnyInvocable<void() &&>;

  // A socket, and what its owner waits for.
  struct Socket {
    int fd = -1;
    bool wants_read = false;
    bool wants_write = false;
    std::function<void()> on_readable;
    std::function<void()> on_writable;
  };

  // `clock` outlives this.
  explicit EventLoop(const base::Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until Stop. What was posted before Stop runs.
  void Run();
  void Stop();

  // Runs `task` on the loop's thread, in the order of posting.
  void Post(Task task);

  // Runs `task` in `pause_ms`, unless the loop ends before.
  void RunAfter(int64_t pause_ms, Task task);

  // Looks at `socket` from now on, until Forget. The caller keeps it and may change it meanwhile.
  void Watch(Socket* socket);
  // Calls none of its callbacks any more. May be called in one of them.
  void Forget(Socket* socket);

 private:
  int PauseMs();
  void Poll(int pause_ms);
  void RunTasks();
  void RunTimers();

  const base::Clock& clock_;
  int wake_fd_;

  // The loop's thread alone.
  std::vector<Socket*> sockets_;
  std::multimap<int64_t, Task> timers_;

  base::Mutex mu_;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::log
