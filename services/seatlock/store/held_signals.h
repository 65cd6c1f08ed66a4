// Keeps SIGINT, SIGTERM and SIGHUP from ending the process while something must be tidied up first.
// When the object goes they do what they always do, also one that came meanwhile.
//
// For a program with one thread, in the scope that is to be tidied up.
#pragma once

#include <signal.h>

namespace seatlock::store {

class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&ours_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ours_, signal);
    pthread_sigmask(SIG_BLOCK, &ours_, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Whether one came, so that what was begun should stop.
  bool Came() const {
    sigset_t waiting;
    sigpending(&waiting);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
      if (sigismember(&waiting, signal) == 1) return true;
    }
    return false;
  }

 private:
  sigset_t ours_;
  sigset_t before_;
};

}  // namespace seatlock::store
