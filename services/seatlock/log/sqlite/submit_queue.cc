#include "services/seatlock/log/sqlite/submit_queue.h"

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

}  // namespace

bool SubmitQueue::Push(Job& job) {
  const size_t bytes = BytesOf(job);
  base::MutexLock lock(mu_);
  // One job always fits into an empty queue, however large it is.
  if (!waiting_.empty() && bytes_ + bytes > bytes_max_) return false;
  waiting_.push_back({std::move(job), bytes});
  bytes_ += bytes;
  if (idle_) wake_.NotifyOne();
  return true;
}

std::optional<std::vector<Job>> SubmitQueue::Take(std::chrono::milliseconds idle) {
  std::vector<Job> batch;
  size_t batch_bytes = 0;
  base::MutexLock lock(mu_);
  if (waiting_.empty() && !stopped_) {
    idle_ = true;
    wake_.WaitFor(mu_, idle);
    idle_ = false;
  }
  if (waiting_.empty() && stopped_) return std::nullopt;
  while (!waiting_.empty() && batch.size() < kBatchJobsMax) {
    Waiting& next = waiting_.front();
    const bool alone = !std::holds_alternative<AppendJob>(next.job);
    const bool too_large = batch_bytes + next.bytes > kBatchBytesMax;
    if (!batch.empty() && (alone || too_large)) break;
    batch.push_back(std::move(next.job));
    batch_bytes += next.bytes;
    bytes_ -= next.bytes;
    waiting_.pop_front();
    if (alone) break;
  }
  return batch;
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
