// Many watch streams over gRPC. Each is opened at its time, checked message by message, now and
// then cut on purpose, and opened again at its position whenever it has ended.
//
//   state    | opened when | a message | it ends            | Stop
//   kWaiting | its time    |           |                    | stays
//   kOpen    |             | checked   | kWaiting, a pause  | cut, then kOver
//   kOver    |             |           |                    |
//
// Thread-safe; a thread of its own opens and cuts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "clients/cli/bench/followers.h"
#include "clients/cli/bench/grpc_calls.h"
#include "clients/cli/bench/names.h"
#include "clients/cli/bench/options.h"
#include "common/base/mutex.h"

namespace seatlock::cli::bench {

class WatchFleet {
 public:
  // Opens options.watchers streams, spread over the run's showtimes.
  WatchFleet(const Options& options, const Names& names, Connections connections);
  ~WatchFleet();

  uint64_t connected() const { return connected_; }
  uint64_t changes() const { return changes_; }
  // gRPC's own threads read: how busy they are shows in the process's CPU alone.
  double late_share() const { return 0; }

  // Cuts no more streams on purpose, and waits until each one has its showtime's revision, at most
  // `patience`. Then ends all of them and says what they found.
  Followers Finish(const std::vector<uint64_t>& revisions, std::chrono::milliseconds patience);

 private:
  using Clock = std::chrono::steady_clock;
  class Stream;
  struct Watcher;

  void Loop();
  void OpenDue(Clock::time_point now);
  void CutSome(Clock::time_point now);
  // Under the watcher's lock.
  void Open(Watcher& watcher) ABSL_NO_THREAD_SAFETY_ANALYSIS;
  bool AllHave(const std::vector<uint64_t>& revisions);
  void Stop();

  const Options options_;
  const Names& names_;
  const Connections connections_;
  const Clock::time_point start_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  std::atomic<uint64_t> connected_{0};
  std::atomic<uint64_t> changes_{0};
  std::atomic<bool> cutting_{true};
  std::atomic<bool> stopping_{false};
  // The loop's thread alone.
  std::mt19937_64 random_{std::random_device()()};
  Clock::time_point cut_at_;
  double cuts_due_ = 0;

  base::Mutex mu_;
  base::CondVar ended_;
  int64_t open_ ABSL_GUARDED_BY(mu_) = 0;
  Followers found_ ABSL_GUARDED_BY(mu_);  // all but what the checks count
  std::thread thread_;
};

}  // namespace seatlock::cli::bench
