#include "services/seatlock/log/sqlite/submit_queue.h"

#include <iterator>
#include <utility>

#include "services/seatlock/log/sqlite/limits.h"

namespace seatlock::log {
namespace {

size_t BytesOf(const Job& job) {
  size_t bytes = kJobOverheadBytes;
  if (const auto* append = std::get_if<AppendJob>(&job)) {
    for (const StoredRecord& record : append->request.records) {
      bytes += sizeof(StoredRecord) + record.bytes.size();
    }
  } else if (const auto* snapshot = std::get_if<SnapshotJob>(&job)) {
    bytes += snapshot->snapshot.bytes.size();
  }
  return bytes;
}

bool Sells(const Job& job) {
  const auto* append = std::get_if<AppendJob>(&job);
  return append != nullptr && append->request.sells;
}

bool EndsWhatCameBefore(const Job& job) {
  return std::holds_alternative<RecoverJob>(job) || std::holds_alternative<DeleteJob>(job);
}

}  // namespace

bool SubmitQueue::Push(Job& job) {
  const size_t bytes = BytesOf(job);
  const bool sells = Sells(job);
  base::MutexLock lock(mu_);
  const size_t bytes_max = sells ? bytes_max_ : bytes_max_ / 4 * 3;
  // One job always fits into an empty queue, however large it is.
  if (!Empty() && bytes_ + bytes > bytes_max) return false;
  if (EndsWhatCameBefore(job)) {
    others_.insert(others_.end(), std::make_move_iterator(selling_.begin()),
                   std::make_move_iterator(selling_.end()));
    selling_.clear();
  }
  (sells ? selling_ : others_).push_back({std::move(job), bytes});
  bytes_ += bytes;
  if (idle_) wake_.NotifyOne();
  return true;
}

std::optional<std::vector<Job>> SubmitQueue::Take(std::chrono::milliseconds idle) {
  base::MutexLock lock(mu_);
  if (Empty() && !stopped_) {
    idle_ = true;
    wake_.WaitFor(mu_, idle);
    idle_ = false;
  }
  if (Empty() && stopped_) return std::nullopt;
  Batch batch;
  if (others_first_) Move(others_, kBatchJobsMax, batch);
  const size_t before = others_.size();
  Move(selling_, kBatchSellingJobsMax, batch);
  Move(others_, kBatchJobsMax, batch);
  others_first_ = !others_first_ && before > 0 && others_.size() == before;
  return std::move(batch.jobs);
}

// Adds to `batch` what may go with it, until it has `jobs_max`.
void SubmitQueue::Move(Queue& from, size_t jobs_max, Batch& batch) {
  while (!batch.closed && !from.empty() && batch.jobs.size() < jobs_max) {
    Waiting& next = from.front();
    const bool alone = !std::holds_alternative<AppendJob>(next.job);
    const bool too_large = batch.bytes + next.bytes > kBatchBytesMax;
    batch.closed = alone || too_large;
    if (!batch.jobs.empty() && batch.closed) return;
    batch.jobs.push_back(std::move(next.job));
    batch.bytes += next.bytes;
    bytes_ -= next.bytes;
    from.pop_front();
  }
}

bool SubmitQueue::IsStopped() {
  base::MutexLock lock(mu_);
  return stopped_;
}

size_t SubmitQueue::bytes() const {
  base::MutexLock lock(mu_);
  return bytes_;
}

void SubmitQueue::Stop() {
  base::MutexLock lock(mu_);
  stopped_ = true;
  wake_.NotifyOne();
}

}  // namespace seatlock::log
