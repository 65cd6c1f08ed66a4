#include "services/seatlock/engine/watcher.h"

#include <utility>

#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {

Watcher::Watcher(std::optional<Position> resume, const base::Clock& clock, Callbacks callbacks)
    : resume_(std::move(resume)), clock_(clock), callbacks_(std::move(callbacks)) {
  last_taken_ms_ = clock_.MonotonicMs();
  if (resume_) sent_upto_ = resume_->revision;
}

Watcher::Item Watcher::Next() {
  std::optional<Failure> end;
  {
    base::MutexLock lock(mu_);
    last_taken_ms_ = clock_.MonotonicMs();
    if (!queue_.empty()) {
      MessagePtr message = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= message->size;
      last_taken_bytes_ = message->size;
      return message;
    }
    end = end_;
    if (!end) {
      waiting_ = true;
      if (want_ == Want::kLive || fetching_) return Nothing{};
      fetching_ = true;
    }
  }
  if (end) {
    TellGone();
    return *end;
  }
  callbacks_.fetch();
  return Nothing{};
}

void Watcher::Close() {
  bool wake;
  {
    base::MutexLock lock(mu_);
    DropQueue();
    end_ = Failure{Failure::Kind::kCancelled, "the reader has gone"};
    wake = TakeWaiting();
  }
  TellGone();
  if (wake) Wake();
}

Watcher::Pushed Watcher::Push(const MessagePtr& message, const Position& position) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive || position.revision <= sent_upto_) return Pushed::kNotLive;
  if (queued_bytes_ + message->size > kWatcherBytesMax && !queue_.empty()) {
    want_ = Want::kSnapshot;
    return Pushed::kLagging;
  }
  Queue(message);
  sent_upto_ = position.revision;
  if (epoch_.empty()) epoch_ = position.epoch;
  return TakeWaiting() ? Pushed::kQueuedWake : Pushed::kQueued;
}

bool Watcher::Deliver(const std::vector<MessagePtr>& messages, const Position& upto, Want then) {
  base::MutexLock lock(mu_);
  fetching_ = false;
  if (end_) return false;
  for (const MessagePtr& message : messages) Queue(message);
  sent_upto_ = upto.revision;
  epoch_ = upto.epoch;
  want_ = then;
  // Without messages a reader that waits still has to come back if more is to be fetched.
  if (messages.empty() && then == Want::kLive) return false;
  return TakeWaiting();
}

bool Watcher::End(Failure failure) {
  base::MutexLock lock(mu_);
  fetching_ = false;
  if (!end_) end_ = std::move(failure);
  return TakeWaiting();
}

void Watcher::Shed(Failure failure) {
  bool wake;
  {
    base::MutexLock lock(mu_);
    fetching_ = false;
    DropQueue();
    if (!end_) end_ = std::move(failure);
    wake = TakeWaiting();
  }
  if (wake) Wake();
}

void Watcher::Cut() {
  if (callbacks_.cut) callbacks_.cut();
}

bool Watcher::Rejoin(const Position& head) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive) return false;
  const bool another = !epoch_.empty() && epoch_ != head.epoch;
  if (!another && sent_upto_ >= head.revision) return false;
  want_ = another ? Want::kSnapshot : Want::kHistory;
  return TakeWaiting();
}

bool Watcher::PushProgress(const MessagePtr& progress, int64_t idle_since_ms) {
  base::MutexLock lock(mu_);
  if (end_ || want_ != Want::kLive || !queue_.empty() || last_sent_ms_ > idle_since_ms) {
    return false;
  }
  Queue(progress);
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

domain::Epoch Watcher::epoch() const {
  base::MutexLock lock(mu_);
  return epoch_;
}

bool Watcher::idle(int64_t idle_since_ms) const {
  base::MutexLock lock(mu_);
  return !end_ && want_ == Want::kLive && queue_.empty() && last_sent_ms_ <= idle_since_ms;
}

bool Watcher::untouched() const {
  base::MutexLock lock(mu_);
  return !touched_;
}

bool Watcher::over() const {
  base::MutexLock lock(mu_);
  return end_.has_value();
}

std::optional<int64_t> Watcher::busy_since_ms() const {
  base::MutexLock lock(mu_);
  if (waiting_ || end_) return std::nullopt;
  return last_taken_ms_;
}

int64_t Watcher::handed_bytes() const {
  base::MutexLock lock(mu_);
  return static_cast<int64_t>(last_taken_bytes_);
}

bool Watcher::TakeWaiting() {
  return std::exchange(waiting_, false);
}

void Watcher::Queue(const MessagePtr& message) {
  queue_.push_back(message);
  queued_bytes_ += message->size;
  last_sent_ms_ = clock_.MonotonicMs();
  touched_ = true;
}

void Watcher::DropQueue() {
  queue_.clear();
  queued_bytes_ = 0;
}

void Watcher::TellGone() {
  if (!gone_.exchange(true)) callbacks_.gone();
}

}  // namespace seatlock::engine
