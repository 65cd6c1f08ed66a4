#include "edge/upstream/stream.h"

#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

std::shared_ptr<Stream> Stream::Begin(SeatService& service, SeatServer& server,
                                      std::weak_ptr<Owner> owner, const Call& call) {
  if (!service.calls->Enter()) return nullptr;
  const std::shared_ptr<Stream> stream(new Stream(service, server, std::move(owner)));
  stream->self_ = stream;
  stream->request_.set_showtime_id(call.showtime_id);
  if (call.resume) {
    stream->request_.mutable_resume()->set_epoch(call.resume->epoch);
    stream->request_.mutable_resume()->set_revision(call.resume->revision);
  }
  stream->context_.set_wait_for_ready(call.wait_for_ready);
  if (const auto& token = service.options.token) {
    stream->context_.AddMetadata("authorization", "Bearer " + token());
  }
  server.stub().async()->WatchShowtime(&stream->context_, &stream->request_, stream.get());
  // Reads are started from the strand too, outside of gRPC's reactions.
  stream->AddHold();
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

Stream::Stream(SeatService& service, const SeatServer& server, std::weak_ptr<Owner> owner)
    : owner_(std::move(owner)),
      executor_(*service.options.executor),
      timers_(*service.options.timers),
      stats_(*service.options.stats),
      calls_(service.calls),
      server_(server.entry()) {
  ++stats_.upstream_streams;
  ++server_->streams;
}

void Stream::Cancel() {
  bool paused = false;
  {
    base::MutexLock lock(mu_);
    cancelled_ = true;
    paused = reads_ == Reads::kPaused;
    if (paused) reads_ = Reads::kOver;
  }
  context_.TryCancel();
  if (paused) RemoveHold();
}

// ---- gRPC's threads ----------------------------------------------------------------------------

void Stream::OnReadDone(bool ok) {
  bool post = false;
  bool read_on = false;
  if (ok) {
    const size_t bytes = response_.ByteSizeLong();
    StreamEvent event = ToEvent(response_);
    base::MutexLock lock(mu_);
    inbox_.push_back(std::move(event));
    inbox_bytes_ += bytes;
    post = !std::exchange(posted_, true);
    // The next read after Cancel() is the last: it fails.
    read_on = cancelled_ || HasRoom();
    reads_ = read_on ? Reads::kUnderWay : Reads::kPaused;
  } else {
    base::MutexLock lock(mu_);
    reads_ = Reads::kOver;
  }
  if (post) executor_.Post([self = shared_from_this()] { self->Deliver(); });
  if (read_on) StartRead(&response_);
  if (!ok) RemoveHold();
}

bool Stream::HasRoom() const {
  return !full_ && inbox_.size() < kReadAheadMessagesMax && inbox_bytes_ < kReadAheadBytesMax;
}

void Stream::OnDone(const grpc::Status& status) {
  const std::shared_ptr<base::Gate> calls = calls_;
  --stats_.upstream_streams;
  --server_->streams;
  executor_.Post([self = std::move(self_), status] {
    if (const std::shared_ptr<Owner> owner = self->owner_.lock()) owner->OnEnd(self.get(), status);
  });
  calls->Leave();
}

// ---- The strand --------------------------------------------------------------------------------

void Stream::Deliver() {
  std::vector<StreamEvent> events;
  {
    base::MutexLock lock(mu_);
    events.swap(inbox_);
    inbox_bytes_ = 0;
    posted_ = false;
  }
  if (const std::shared_ptr<Owner> owner = owner_.lock()) {
    for (StreamEvent& event : events) owner->OnEvent(this, std::move(event));
  }
  ReadOn();
}

void Stream::ReadOn() {
  const std::shared_ptr<Owner> owner = owner_.lock();
  const bool full = owner && owner->Full(this);
  bool read = false;
  bool over = false;
  {
    base::MutexLock lock(mu_);
    full_ = full;
    over = cancelled_ || reads_ == Reads::kOver;
    read = reads_ == Reads::kPaused && HasRoom();
    if (read) reads_ = Reads::kUnderWay;
  }
  if (read) StartRead(&response_);
  if (full && !over) LookLater();
}

void Stream::LookLater() {
  if (std::exchange(looking_, true)) return;
  timers_.After(kFullLookMs, [weak = weak_from_this()] {
    const std::shared_ptr<Stream> self = weak.lock();
    if (!self) return;
    self->looking_ = false;
    self->ReadOn();
  });
}

}  // namespace seatlock::edge
