// Pings the service manager (WATCHDOG=1) for as long as every watched thread of the program gets
// on.
//
// A timer of its own would ping also while all that matters stands still. So each thread is asked
// to run a small task, and a ping goes out only once each of them has done so, or has at least
// finished other tasks since (a long queue is no standstill). Then all are asked again. A thread
// that stands still therefore stops the pings, and the manager ends the program (WatchdogSec of the
// unit) and starts it anew. Half of that time before, one error line names who stands still.
//
//   | phase    | Tick                                                                  |
//   |----------|-----------------------------------------------------------------------|
//   | resting  | a quarter of the manager's time after the last ping: asks all; asking |
//   | asking   | all got on: pings; resting. Else: asks those who could not be asked    |
//
// What is watched is the caller's list, and the thread that calls Tick. At most one question of
// each thread is unanswered at any time. If the manager does not watch, nobody is asked.
//
// Owned by main. Tick belongs to one thread; answers come on any, also after this is gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/runtime/service_manager.h"

namespace seatlock::runtime {

class Watchdog {
 public:
  // Called exactly once for each question: `ran` on the thread that was asked, or on its behalf.
  // False: the question was not taken, because the queue is full; it is asked again.
  using Answer = absl::AnyInvocable<void(bool ran) &&>;

  struct Watched {
    std::string name;  // for the error line
    std::function<void(Answer)> ask;
    // Rises with each task that the thread finishes; may be empty.
    std::function<uint64_t()> finished = {};
  };

  // The thread of an executor. It outlives the Watchdog.
  static Watched Of(std::string name, base::Executor& executor);
  static Watched Of(std::string name, base::ThreadExecutor& executor);

  // `manager`, `clock` and what `watched` uses outlive this.
  Watchdog(ServiceManager& manager, const base::Clock& clock, std::vector<Watched> watched);

  // To be called several times a second.
  void Tick();

 private:
  enum class Phase { kResting, kAsking };
  enum class Question { kNotAsked, kAsked, kRan };
  struct Thread {
    Watched watched;
    std::shared_ptr<std::atomic<Question>> question;
    uint64_t finished_before = 0;
  };

  void AskAll();
  static void Ask(Thread& thread);
  static bool GotOn(const Thread& thread);
  void NameWhoStands(int64_t now_ms);

  ServiceManager& manager_;
  const base::Clock& clock_;
  std::vector<Thread> threads_;
  Phase phase_ = Phase::kResting;
  int64_t pinged_ms_;
  bool named_ = false;  // who stands still, since the last ping
};

}  // namespace seatlock::runtime
