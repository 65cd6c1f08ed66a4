// What waits for the writer, bounded by bytes. Appends that sell go before all others; within each
// of the two the order is the one of their coming. They do not go before a job that makes an end of
// what was submitted before it (RecoverJob, DeleteJob), and if all that was taken at a time sells,
// the others go first the next time.
//
// Thread-safe. Overflow policy: what does not fit is turned away at once. The last quarter is kept
// for what sells.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

struct AppendJob {
  AppendRequest request;
  ShowtimeLog::AppendCallback done;
  AppendResult result;
};

struct SnapshotJob {
  domain::ShowtimeId showtime;
  StoredSnapshot snapshot;
  ShowtimeLog::StatusCallback done;
  absl::Status result;
};

struct TrimJob {
  domain::ShowtimeId showtime;
  int64_t before_ms = 0;
  uint64_t keep = 0;
  ShowtimeLog::StatusCallback done;
  absl::Status result;
  bool more = false;
};

struct RecoverJob {
  ShowtimeLog::StatusCallback done;
  absl::Status result;
};

struct DeleteJob {
  domain::ShowtimeId showtime;
  ShowtimeLog::StatusCallback done;
  absl::Status result;
};

// Clears away what deleted showtimes had, step by step. Nobody waits for it.
struct ClearJob {
  absl::Status result;
  bool more = false;
};

using Job = std::variant<AppendJob, SnapshotJob, TrimJob, RecoverJob, DeleteJob, ClearJob>;

class SubmitQueue {
 public:
  explicit SubmitQueue(size_t bytes_max) : bytes_max_(bytes_max) {}

  // True: queued, and `job` is moved from. False: the queue is full, and `job` is as it was.
  bool Push(Job& job);

  // Waits for jobs, `idle` at most, and takes those that make one transaction: appends together,
  // any other job alone, so that what fails with it is not an append. Empty: nothing came. None:
  // Stop() was called and nothing is left.
  std::optional<std::vector<Job>> Take(std::chrono::milliseconds idle);

  void Stop();
  bool IsStopped();

  // Of what waits.
  size_t bytes() const;

 private:
  struct Waiting {
    Job job;
    size_t bytes;
  };

  using Queue = std::deque<Waiting>;
  // What Take makes of it.
  struct Batch {
    std::vector<Job> jobs;
    size_t bytes = 0;
    bool closed = false;  // nothing more may go with it
  };

  void Move(Queue& from, size_t jobs_max, Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Empty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return selling_.empty() && others_.empty();
  }

  const size_t bytes_max_;

  mutable base::Mutex mu_;
  base::CondVar wake_;
  Queue selling_ ABSL_GUARDED_BY(mu_);
  Queue others_ ABSL_GUARDED_BY(mu_);
  bool others_first_ ABSL_GUARDED_BY(mu_) = false;
  size_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool idle_ ABSL_GUARDED_BY(mu_) = false;  // Take() waits
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::log
