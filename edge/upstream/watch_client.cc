#include "edge/upstream/watch_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "edge/limits.h"
#include "edge/showtime/upstream_notice.h"
#include "edge/upstream/convert.h"
#include "edge/upstream/retry_info.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::edge {
namespace {

using Stub = v1::SeatLockService::Stub;

grpc::ChannelArguments ChannelArgs() {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kChannelBackoffMsMin);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kChannelBackoffMsMax);
  // Despite its name this bounds one attempt to connect.
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kChannelConnectMsMax);
  // Finds a dead path under idle streams; the service permits one ping each 10 s.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The service is a neighbour: never by way of a proxy meant for the web.
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return args;
}

class Follower;

// One stream. Owns itself from Begin() until gRPC is done with it. Its gRPC side runs on gRPC's
// threads, everything else on the strand; what was read waits between them in an inbox, so that a
// burst reaches the strand in one task, however long that is busy with the task before.
class Stream final : public grpc::ClientReadReactor<v1::WatchShowtimeResponse> {
 public:
  Stream(std::weak_ptr<Follower> follower, base::Executor& executor, Timers& timers, Stats& stats)
      : follower_(std::move(follower)), executor_(executor), timers_(timers), stats_(stats) {
    ++stats_.upstream_streams;
  }
  ~Stream() override { --stats_.upstream_streams; }

  void Begin(Stub& stub, const std::string& showtime_id, const std::optional<Position>& resume,
             bool wait_for_ready) {
    request_.set_showtime_id(showtime_id);
    if (resume) {
      request_.mutable_resume()->set_epoch(resume->epoch);
      request_.mutable_resume()->set_revision(resume->revision);
    }
    context_.set_wait_for_ready(wait_for_ready);
    stub.async()->WatchShowtime(&context_, &request_, this);
    // Reads are started from the strand, outside of gRPC's reactions.
    AddHold();
    StartRead(&response_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      RemoveHold();
      return;
    }
    const size_t bytes = response_.ByteSizeLong();
    StreamEvent event = ToEvent(response_);
    bool post = false;
    bool read_on = false;
    {
      base::MutexLock lock(mu_);
      inbox_.push_back(std::move(event));
      inbox_bytes_ += bytes;
      post = !std::exchange(posted_, true);
      read_on =
          !full_ && inbox_.size() < kReadAheadMessagesMax && inbox_bytes_ < kReadAheadBytesMax;
      paused_ = !read_on;
    }
    if (post) executor_.Post([this] { Deliver(); });
    if (read_on) StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    executor_.Post([this, status] { End(status); });
  }

 private:
  void Deliver();
  void ReadOn();
  void End(const grpc::Status& status);

  const std::weak_ptr<Follower> follower_;
  base::Executor& executor_;
  Timers& timers_;
  Stats& stats_;
  grpc::ClientContext context_;
  v1::WatchShowtimeRequest request_;
  bool looking_ = false;                // Will look again whether the sink takes more.
  v1::WatchShowtimeResponse response_;  // While a read is under way, gRPC's.

  base::Mutex mu_;
  std::vector<StreamEvent> inbox_ ABSL_GUARDED_BY(mu_);
  size_t inbox_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool posted_ ABSL_GUARDED_BY(mu_) = false;  // A task on its way to the strand empties the inbox.
  bool paused_ ABSL_GUARDED_BY(mu_) = false;  // No read is under way: the strand begins the next.
  bool full_ ABSL_GUARDED_BY(mu_) = false;    // The sink takes no more for now.
};

// Full jitter: anything up to the bound, so that many rooms do not come back at one moment.
class Backoff {
 public:
  int64_t NextMs() {
    std::uniform_int_distribution<int64_t> below(0, bound_ms_);
    bound_ms_ = std::min(2 * bound_ms_, kStreamBackoffMsMax);
    return below(random_);
  }
  void Reset() { bound_ms_ = kStreamBackoffMsMin; }

 private:
  std::minstd_rand random_{std::random_device{}()};
  int64_t bound_ms_ = kStreamBackoffMsMin;
};

}  // namespace

struct WatchClient::Service {
  explicit Service(const Options& options)
      : stub(v1::SeatLockService::NewStub(grpc::CreateCustomChannel(
            options.target, grpc::InsecureChannelCredentials(), ChannelArgs()))),
        notice(*options.clock, *options.timers, options.on_upstream) {}

  const std::unique_ptr<Stub> stub;
  UpstreamNotice notice;
};

namespace {

// One showtime being followed: keeps one stream going, and hears of that one alone.
class Follower final : public std::enable_shared_from_this<Follower> {
 public:
  Follower(Stub& stub, UpstreamNotice& notice, const WatchClient::Options& options,
           std::string showtime_id, WatchSink* sink)
      : stub_(stub),
        notice_(notice),
        options_(options),
        showtime_id_(std::move(showtime_id)),
        sink_(sink) {}

  // From the strand's next task on, so that the sink hears nothing inside Follow().
  void BeginLater(int64_t delay_ms) {
    options_.timers->After(delay_ms, [weak = weak_from_this(), attempt = ++attempt_] {
      const std::shared_ptr<Follower> self = weak.lock();
      if (self && self->sink_ != nullptr && self->attempt_ == attempt) self->Begin();
    });
  }

  // The sink hears no more.
  void Stop() {
    sink_ = nullptr;
    CancelStream();
  }

  void Restart() {
    CancelStream();
    BeginLater(backoff_.NextMs());
  }

  void OnEvent(const Stream* stream, StreamEvent event) {
    if (stream != stream_ || sink_ == nullptr) return;
    lost_ = false;
    notice_.Saw(true);
    backoff_.Reset();
    last_event_ms_ = options_.clock->MonotonicMs();
    if (auto* part = std::get_if<SnapshotPart>(&event)) sink_->OnSnapshot(std::move(*part));
    if (auto* change = std::get_if<Change>(&event)) sink_->OnChange(std::move(*change));
    if (auto* progress = std::get_if<Progress>(&event)) sink_->OnProgress(progress->position);
  }

  // Whether the sink of this stream takes no more for now; what is not read keeps no one waiting.
  bool Full(const Stream* stream) {
    if (stream != stream_ || sink_ == nullptr || !sink_->Full()) return false;
    last_event_ms_ = options_.clock->MonotonicMs();
    return true;
  }

  void OnEnd(const Stream* stream, const grpc::Status& status) {
    if (stream != stream_ || sink_ == nullptr) return;
    stream_ = nullptr;
    lost_ = true;
    // A service that is too busy for this stream is there, and serves others.
    if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) notice_.Saw(false);
    BeginLater(RetryAfterMs(status) + backoff_.NextMs());
    sink_->OnLost();
  }

 private:
  void Begin() {
    // A first attempt fails at once where the service is away, so that the sink hears of it; later
    // ones wait for the channel, so that nothing spins and all begin the moment it is back.
    const bool wait_for_ready = lost_;
    stream_ = new Stream(weak_from_this(), *options_.executor, *options_.timers, *options_.stats);
    last_event_ms_ = options_.clock->MonotonicMs();
    stream_->Begin(stub_, showtime_id_, sink_->ResumeFrom(), wait_for_ready);
    WatchSilence(kStreamSilentMsMax);
  }

  // Gives up a stream that has said nothing for too long, not even progress.
  void WatchSilence(int64_t delay_ms) {
    options_.timers->After(delay_ms, [weak = weak_from_this(), attempt = attempt_] {
      const std::shared_ptr<Follower> self = weak.lock();
      if (!self || self->sink_ == nullptr || self->attempt_ != attempt) return;
      const int64_t silent_ms = self->options_.clock->MonotonicMs() - self->last_event_ms_;
      if (silent_ms < kStreamSilentMsMax) {
        self->WatchSilence(kStreamSilentMsMax - silent_ms);
      } else {
        self->lost_ = true;
        self->notice_.Saw(false);
        self->Restart();
        self->sink_->OnLost();
      }
    });
  }

  void CancelStream() {
    if (stream_ != nullptr) std::exchange(stream_, nullptr)->Cancel();
  }

  Stub& stub_;
  UpstreamNotice& notice_;
  const WatchClient::Options& options_;
  const std::string showtime_id_;
  WatchSink* sink_;
  Stream* stream_ = nullptr;  // Cleared before the stream deletes itself.
  uint64_t attempt_ = 0;
  bool lost_ = false;
  int64_t last_event_ms_ = 0;
  Backoff backoff_;
};

void Stream::Deliver() {
  std::vector<StreamEvent> events;
  {
    base::MutexLock lock(mu_);
    events.swap(inbox_);
    inbox_bytes_ = 0;
    posted_ = false;
  }
  if (const std::shared_ptr<Follower> follower = follower_.lock()) {
    for (StreamEvent& event : events) follower->OnEvent(this, std::move(event));
  }
  ReadOn();
}

// Once the sink takes more. The stream does not end before, because it holds its call open: a read
// is under way, or paused.
void Stream::ReadOn() {
  const std::shared_ptr<Follower> follower = follower_.lock();
  const bool full = follower && follower->Full(this);
  bool read = false;
  {
    base::MutexLock lock(mu_);
    full_ = full;
    if (!full) read = std::exchange(paused_, false);
  }
  if (read) StartRead(&response_);
  if (full && !std::exchange(looking_, true)) {
    timers_.After(kFullLookMs, [this] {
      looking_ = false;
      ReadOn();
    });
  }
}

void Stream::End(const grpc::Status& status) {
  if (const std::shared_ptr<Follower> follower = follower_.lock()) follower->OnEnd(this, status);
  delete this;
}

class FollowedWatch final : public Watch {
 public:
  explicit FollowedWatch(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {}
  ~FollowedWatch() override { follower_->Stop(); }

  void Restart() override { follower_->Restart(); }

 private:
  const std::shared_ptr<Follower> follower_;
};

}  // namespace

WatchClient::WatchClient(const Options& options)
    : options_(options), service_(std::make_shared<Service>(options_)) {}

WatchClient::~WatchClient() = default;

std::unique_ptr<Watch> WatchClient::Follow(const std::string& showtime_id, WatchSink* sink) {
  auto follower =
      std::make_shared<Follower>(*service_->stub, service_->notice, options_, showtime_id, sink);
  follower->BeginLater(0);
  return std::make_unique<FollowedWatch>(std::move(follower));
}

}  // namespace seatlock::edge
