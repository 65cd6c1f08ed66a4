// The calls of a run at the times that a Pacer sets: who is sent, what waits, what was never sent.
// Run's thread sends them. If all places were taken, a call that ends makes room for one, and the
// thread that it ended on sends that one at once. Run belongs to one thread; progress is
// thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "clients/cli/bench/grpc_calls.h"
#include "clients/cli/bench/names.h"
#include "clients/cli/bench/options.h"
#include "clients/cli/bench/pacer.h"
#include "clients/cli/bench/workload.h"
#include "common/base/mutex.h"

namespace seatlock::cli::bench {

class CallLoad {
 public:
  struct Progress {
    uint64_t calls = 0;
    uint64_t ended = 0;
    uint64_t failed = 0;
    int64_t in_flight = 0;
  };
  struct Result {
    double seconds = 0;  // from the first call's time to the last end
    uint64_t calls = 0;  // that were due
    uint64_t sent = 0;
    uint64_t never_sent = 0;
    uint64_t held_back = 0;  // sent late because all places were taken
    uint64_t late = 0;       // sent late because the generator was slow
    ClockOffset clock_offset;
  };

  CallLoad(const Options& options, const Names& names, Connections connections);

  // Blocks until every call has ended. Once `stop` is true it sends no more.
  Result Run(const std::atomic<bool>& stop);

  Progress progress() const;
  // After Run.
  Workload& workload() ABSL_NO_THREAD_SAFETY_ANALYSIS { return workload_; }

 private:
  using Clock = std::chrono::steady_clock;

  int64_t NowUs() const;
  void Done(const Plan& plan, const Outcome& outcome);
  // The call to send now, if it is time for one and there is a place: that is taken then.
  std::optional<Plan> TakeNext(int64_t now_us) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends it; false if there is none.
  bool SendNext();
  void Sleep(Clock::time_point retry_at);
  void Drain();

  const Options options_;
  mutable base::Mutex mu_;
  base::CondVar ended_wake_;
  Pacer pacer_ ABSL_GUARDED_BY(mu_);
  Workload workload_ ABSL_GUARDED_BY(mu_);
  int64_t in_flight_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t ended_ ABSL_GUARDED_BY(mu_) = 0;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;  // nothing more is sent
  Clock::time_point start_;                   // set before the first call
  GrpcCalls calls_;
};

}  // namespace seatlock::cli::bench
