#include "edge/upstream/follower.h"

#include <optional>
#include <utility>
#include <variant>

#include "edge/limits.h"
#include "edge/upstream/refusal.h"
#include "edge/upstream/retry_info.h"

namespace seatlock::edge {

Follower::Follower(std::shared_ptr<SeatService> service, std::string showtime_id, WatchSink* sink)
    : service_(std::move(service)), showtime_id_(std::move(showtime_id)), sink_(sink) {}

void Follower::Start() {
  BeginLater(0);
}

void Follower::Restart() {
  CancelStream();
  BeginLater(backoff_.NextMs());
}

void Follower::Stop() {
  sink_ = nullptr;
  See(Health::Seen::kNothing);
  CancelStream();
}

// ---- What the stream says. The sink may stop or restart this inside each of its methods. -------

void Follower::OnEvent(const Stream* stream, StreamEvent event) {
  if (!IsMine(stream)) return;
  See(Health::Seen::kServed);
  backoff_.Reset();
  last_event_ms_ = service_->options.clock->MonotonicMs();
  if (auto* part = std::get_if<SnapshotPart>(&event)) {
    sink_->OnSnapshot(std::move(*part));
  } else if (auto* change = std::get_if<Change>(&event)) {
    sink_->OnChange(std::move(*change));
  } else if (auto* progress = std::get_if<Progress>(&event)) {
    sink_->OnProgress(progress->position);
  }
}

// A stream that is not read says nothing, and is not silent for that.
bool Follower::Full(const Stream* stream) {
  if (!IsMine(stream) || !sink_->Full()) return false;
  last_event_ms_ = service_->options.clock->MonotonicMs();
  return true;
}

void Follower::OnEnd(const Stream* stream, const grpc::Status& status) {
  if (!IsMine(stream)) return;
  stream_.reset();
  BeginLater(RetryAfterMs(status) + backoff_.NextMs());
  if (const std::optional<Refusal> refusal = RefusalOf(status)) {
    See(Health::Seen::kNothing);
    sink_->OnRefused(*refusal);
  } else {
    See(Health::Seen::kLost);
    sink_->OnLost();
  }
}

// ---- Attempts ----------------------------------------------------------------------------------

void Follower::BeginLater(int64_t delay_ms) {
  service_->options.timers->After(delay_ms, [weak = weak_from_this(), attempt = ++attempt_] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (self && self->sink_ != nullptr && self->attempt_ == attempt) self->Begin();
  });
}

void Follower::Begin() {
  // A first attempt fails at once if the service is away, so that the sink hears of it; after a
  // loss they wait for the channel, so that nothing spins and all begin the moment it is back.
  const bool wait_for_ready = seen_ == Health::Seen::kLost;
  stream_ = Stream::Begin(*service_, weak_from_this(),
                          {showtime_id_, sink_->ResumeFrom(), wait_for_ready});
  last_event_ms_ = service_->options.clock->MonotonicMs();
  WatchSilence(kStreamSilentMsMax);
}

void Follower::WatchSilence(int64_t delay_ms) {
  service_->options.timers->After(delay_ms, [weak = weak_from_this(), attempt = attempt_] {
    const std::shared_ptr<Follower> self = weak.lock();
    if (!self || self->sink_ == nullptr || self->attempt_ != attempt) return;
    const int64_t silent_ms = self->service_->options.clock->MonotonicMs() - self->last_event_ms_;
    if (silent_ms < kStreamSilentMsMax) {
      self->WatchSilence(kStreamSilentMsMax - silent_ms);
    } else {
      self->LoseSilentStream();
    }
  });
}

void Follower::LoseSilentStream() {
  See(Health::Seen::kLost);
  Restart();
  sink_->OnLost();
}

void Follower::CancelStream() {
  if (const auto stream = std::exchange(stream_, nullptr)) stream->Cancel();
}

void Follower::See(Health::Seen seen) {
  service_->health.Changed(std::exchange(seen_, seen), seen);
}

}  // namespace seatlock::edge
