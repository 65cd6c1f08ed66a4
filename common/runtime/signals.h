// SIGTERM and SIGINT as something to wait for. main makes one Signals before any thread starts
// (threads inherit the blocked mask; a thread that had them unblocked would be killed by them).
//
//   Signals signals;
//   ... start ...
//   signals.Wait();
//   signals.Delay(delay);  // a second signal ends this wait
//   ... drain; another signal ends the process at once ...
//
// SIGPIPE is ignored: a peer that closed is an error of that write. Wait belongs to one thread;
// Notify is thread-safe.
#pragma once

#include <signal.h>

#include <chrono>
#include <thread>

#include "common/base/mutex.h"

namespace seatlock::runtime {

class Signals {
 public:
  Signals();
  // Leaves the signals blocked: one that comes while main returns must not turn success into
  // a death by signal.
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Blocks until SIGTERM or SIGINT comes, or Notify is called (also beforehand). Returns the
  // signal's number, 0 for Notify. From then on a signal ends the process with 128 + its number,
  // but for the first half second: wrappers such as timeout(1) pass one signal on twice.
  int Wait();

  // After Wait: blocks for `delay`, or until one more signal comes, which ends the delay in place
  // of the process. The one after that ends the process, but for the first half second, as after
  // Wait.
  void Delay(std::chrono::milliseconds delay) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes Wait return, for a failure that ends the program.
  void Notify();

 private:
  // The next signal; 0 where `stop_fd` became readable first.
  int Next(int stop_fd) const;
  void ExitOnSecond();
  // Whether there was a delay, which is over now.
  bool EndDelay() ABSL_LOCKS_EXCLUDED(mu_);

  sigset_t ours_;
  int signal_fd_;
  int notify_fd_;
  int stop_fd_;
  base::Mutex mu_;
  base::CondVar delay_over_;
  bool delaying_ ABSL_GUARDED_BY(mu_) = false;
  std::thread second_;
};

}  // namespace seatlock::runtime
