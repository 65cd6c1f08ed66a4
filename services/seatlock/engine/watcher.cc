#include "services/seatlock/engine/watcher.h"

#include <utility>

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {

Watcher::Watcher(std::optional<Position> resume, absl::AnyInvocable<void()> ready,
                 absl::AnyInvocable<void()> fetch)
    : resume_(std::move(resume)), ready_(std::move(ready)), fetch_(std::move(fetch)) {
  if (resume_) sent_upto_ = resume_->revision;
}

Watcher::Item Watcher::Next() {
  {
    base::MutexLock lock(mu_);
    if (!queue_.empty()) {
      Bytes item = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= item->size();
      return item;
    }
    if (end_) return *end_;
    waiting_ = true;
    if (want_ == Want::kLive || fetching_) return Nothing{};
    fetching_ = true;
  }
  fetch_();
  return Nothing{};
}

void Watcher::Close() {
  bool wake;
  {
    base::MutexLock lock(mu_);
    queue_.clear();
    queued_bytes_ = 0;
    end_ = Failure{Failure::Kind::kCancelled, "the reader has gone"};
    wake = TakeWaiting();
  }
  if (wake) Wake();
}

Watcher::Pushed Watcher::Push(const Bytes& bytes, domain::Revision revision, int64_t now_ms) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive || revision <= sent_upto_) return Pushed::kNotLive;
  if (queued_bytes_ + bytes->size() > kWatcherBytesMax && !queue_.empty()) {
    want_ = Want::kSnapshot;
    return Pushed::kLagging;
  }
  Queue(bytes, now_ms);
  sent_upto_ = revision;
  return TakeWaiting() ? Pushed::kQueuedWake : Pushed::kQueued;
}

bool Watcher::Deliver(std::vector<Bytes> items, domain::Revision upto, Want then, int64_t now_ms) {
  base::MutexLock lock(mu_);
  fetching_ = false;
  if (end_) return false;
  for (const Bytes& item : items) Queue(item, now_ms);
  sent_upto_ = upto;
  want_ = then;
  // Without items a reader that waits still has to come back where more is to be fetched.
  if (items.empty() && then == Want::kLive) return false;
  return TakeWaiting();
}

bool Watcher::End(Failure failure) {
  base::MutexLock lock(mu_);
  fetching_ = false;
  if (!end_) end_ = std::move(failure);
  return TakeWaiting();
}

bool Watcher::Rejoin(domain::Revision head) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive || sent_upto_ >= head) return false;
  want_ = Want::kHistory;
  return TakeWaiting();
}

bool Watcher::PushProgress(const Bytes& progress, int64_t idle_since_ms, int64_t now_ms) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive || !queue_.empty() || last_sent_ms_ > idle_since_ms) {
    return false;
  }
  Queue(progress, now_ms);
  return TakeWaiting();
}

Watcher::Want Watcher::want() const {
  base::MutexLock lock(mu_);
  return want_;
}

domain::Revision Watcher::sent_upto() const {
  base::MutexLock lock(mu_);
  return sent_upto_;
}

bool Watcher::untouched() const {
  base::MutexLock lock(mu_);
  return !touched_;
}

bool Watcher::over() const {
  base::MutexLock lock(mu_);
  return end_.has_value();
}

bool Watcher::TakeWaiting() {
  return std::exchange(waiting_, false);
}

void Watcher::Queue(const Bytes& bytes, int64_t now_ms) {
  queue_.push_back(bytes);
  queued_bytes_ += bytes->size();
  last_sent_ms_ = now_ms;
  touched_ = true;
}

}  // namespace seatlock::engine
