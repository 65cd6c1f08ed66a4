#include "clients/cpp/grpc_watch.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "clients/cpp/bearer.h"
#include "clients/cpp/outcome.h"
#include "seatlock/call_error.h"

namespace seatlock::client {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// As good as forever, and far from where adding it to a clock overflows.
constexpr milliseconds kLongest = std::chrono::hours(24 * 365);

// How often a first stream asks whether the names of the servers have been looked up.
constexpr milliseconds kLookUpPoll(10);

// A stream that lasted this long was no part of a quick round of failures.
constexpr milliseconds kCalm(1'000);

void* Tag(int step) {
  return reinterpret_cast<void*>(static_cast<intptr_t>(step));
}

// What gRPC makes of an HTTP answer that is not gRPC's: a 404 becomes UNIMPLEMENTED, which only
// this text tells from a service that does not have the method.
bool IsHttpError(const grpc::Status& status) {
  return absl::StrContains(status.error_message(), "Received http2 header with status: ");
}

// Whether asking again cannot heal it. The rest comes of the connection, of a proxy, or of a
// service that is overloaded or being replaced. clients/typescript has the same list.
bool IsForGood(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::UNAUTHENTICATED:
      return true;
    case grpc::StatusCode::UNIMPLEMENTED:
      return !IsHttpError(status);
    default:
      return false;
  }
}

}  // namespace

GrpcWatch::GrpcWatch(std::shared_ptr<Servers> servers, v1::WatchShowtimeRequest request,
                     absl::Status wrong_list, const WatchPauses& pauses,
                     std::function<std::string()> token)
    : servers_(std::move(servers)),
      token_(std::move(token)),
      silence_max_(pauses.silence_max),
      request_(std::move(request)),
      backoff_(pauses.retry),
      look_pause_(pauses.look),
      end_(std::move(wrong_list)) {
  if (request_.has_resume()) position_ = request_.resume();
  positioned_ = request_.has_resume();
}

GrpcWatch::~GrpcWatch() {
  Cancel();
  // What is under way ends with the cancelled call; its buffers must outlive it.
  while (true) {
    {
      base::MutexLock lock(mu_);
      if (stream_ == nullptr) break;
    }
    Advance(Clock::time_point::max());
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

absl::Status GrpcWatch::Failure() const {
  base::MutexLock lock(mu_);
  return failure_;
}

void GrpcWatch::Cancel() {
  base::MutexLock lock(mu_);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->context.TryCancel();
  cancelled_wake_.NotifyAll();
}

absl::StatusOr<Watch::Event> GrpcWatch::Next(milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + std::min(timeout, kLongest);
  while (true) {
    bool streaming = false;
    {
      base::MutexLock lock(mu_);
      if (cancelled_) return absl::CancelledError("the watch was cancelled");
      streaming = stream_ != nullptr;
    }
    if (event_.has_value()) return *std::exchange(event_, std::nullopt);
    if (!end_.ok()) return end_;
    if (streaming) {
      Look();
      if (Advance(std::min(deadline, look_at_))) continue;
    } else if (Pause(deadline)) {
      Open();
      continue;
    }
    if (Clock::now() >= deadline) return absl::DeadlineExceededError("no event within the time");
  }
}

void GrpcWatch::Open() {
  // A look-up cannot be waited for and cancelled at once, so it is asked after.
  if (next_ == nullptr && !servers_->AddressesKnown()) {
    retry_at_ = Clock::now() + kLookUpPoll;
    return;
  }
  if (next_ == nullptr) next_ = servers_->Choose(request_.showtime_id()).server;
  if (positioned_) *request_.mutable_resume() = position_;
  partial_.reset();
  auto stream = std::make_unique<Stream>();
  stream->server = std::exchange(next_, nullptr);
  stream->opened = Clock::now();
  look_at_ = stream->opened + look_pause_.Next();
  stream->token = TokenOf(token_);
  AddBearer(stream->token, &stream->context);
  base::MutexLock lock(mu_);
  if (cancelled_) return;
  stream->reader = stream->server->stub->AsyncWatchShowtime(&stream->context, request_, &queue_,
                                                            Tag(static_cast<int>(Step::kStart)));
  stream_ = std::move(stream);
}

bool GrpcWatch::Pause(Clock::time_point deadline) {
  base::MutexLock lock(mu_);
  const Clock::time_point until = std::min(deadline, retry_at_);
  while (!cancelled_ && Clock::now() < until) {
    cancelled_wake_.WaitFor(mu_,
                            duration_cast<milliseconds>(until - Clock::now()) + milliseconds(1));
  }
  return cancelled_ || Clock::now() >= retry_at_;
}

bool GrpcWatch::Advance(Clock::time_point deadline) {
  void* tag = nullptr;
  bool ok = false;
  // As a span: gRPC's points in time are on the wall clock, which may be set meanwhile.
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  const gpr_timespec span = gpr_time_from_millis(left.count(), GPR_TIMESPAN);
  if (queue_.AsyncNext(&tag, &ok, span) != grpc::CompletionQueue::GOT_EVENT) return false;
  Completed(static_cast<Step>(reinterpret_cast<intptr_t>(tag)), ok);
  return true;
}

// Only this thread replaces stream_, so it may use the object after it let go of the lock.
void GrpcWatch::Completed(Step step, bool ok) {
  Stream* stream = nullptr;
  {
    base::MutexLock lock(mu_);
    stream = stream_.get();
  }
  if (step == Step::kFinish) return Ended();
  const bool trusted = stream->verdict == Verdict::kTrusted;
  if (step == Step::kRead && ok && trusted && !Take()) Leave(Verdict::kBroken);
  if (ok) {
    stream->reader->Read(&stream->message, Tag(static_cast<int>(Step::kRead)));
  } else {
    stream->reader->Finish(&stream->status, Tag(static_cast<int>(Step::kFinish)));
  }
}

void GrpcWatch::Leave(Verdict verdict) {
  base::MutexLock lock(mu_);
  stream_->verdict = verdict;
  stream_->context.TryCancel();
}

void GrpcWatch::Look() {
  const Clock::time_point now = Clock::now();
  if (now < look_at_) return;
  look_at_ = now + look_pause_.Next();
  const Stream* stream = nullptr;
  {
    base::MutexLock lock(mu_);
    stream = stream_.get();
  }
  if (!servers_->several() || stream->verdict != Verdict::kTrusted) return;
  if (!stream->heard) {
    if (now - stream->opened >= silence_max_) Leave(Verdict::kSilent);
    return;
  }
  // Without a position, or in the midst of a snapshot, another server would begin anew.
  if (!positioned_ || partial_.has_value()) return;
  if (servers_->BetterIsBack(request_.showtime_id(), *stream->server)) Leave(Verdict::kLeaving);
}

absl::Status GrpcWatch::FailureOf(const Stream& stream) {
  switch (stream.verdict) {
    case Verdict::kBroken:
      return absl::DataLossError("the stream had a hole; asking again from the last position");
    case Verdict::kSilent:
      return absl::DeadlineExceededError("the server sent nothing");
    case Verdict::kLeaving:
      return absl::OkStatus();
    case Verdict::kTrusted:
      break;
  }
  const grpc::Status& status = stream.status;
  if (status.ok()) return absl::UnavailableError("the service ended the stream");
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                    status.error_details());
}

void GrpcWatch::Ended() {
  std::unique_ptr<Stream> stream;
  absl::Status failure;
  {
    base::MutexLock lock(mu_);
    stream = std::move(stream_);
    // What the caller ended says nothing about the server.
    if (cancelled_) return;
    failure = FailureOf(*stream);
    if (failure.ok()) return;
    failure = WithServer(failure, stream->server->address, servers_->several());
    failure_ = failure;
  }
  if (stream->heard) renewed_ = false;
  if (HasFreshToken(*stream)) {
    renewed_ = true;
    next_ = stream->server;
  } else if (stream->verdict == Verdict::kTrusted && IsForGood(stream->status)) {
    end_ = failure;
  } else {
    ChooseNext(*stream, failure);
  }
}

bool GrpcWatch::HasFreshToken(const Stream& stream) {
  const bool refused = stream.verdict == Verdict::kTrusted &&
                       stream.status.error_code() == grpc::StatusCode::UNAUTHENTICATED;
  std::string token = stream.token;
  return refused && !renewed_ && Renew(token_, &token);
}

void GrpcWatch::ChooseNext(const Stream& stream, const absl::Status& failure) {
  const auto asked_for = ErrorOf(failure).retry_after.value_or(milliseconds(0));
  if (failure.code() != absl::StatusCode::kResourceExhausted) {
    servers_->Failed(*stream.server, asked_for);
  }
  const Servers::Choice choice = servers_->Choose(request_.showtime_id());
  next_ = choice.server;
  const Clock::time_point now = Clock::now();
  if (now - stream.opened >= kCalm) moves_ = 0;
  if (!choice.away && next_ != stream.server && ++moves_ < servers_->size()) return;
  moves_ = 0;
  Hurry(*next_);
  retry_at_ = now + backoff_.Next(asked_for);
}

bool GrpcWatch::Take() {
  v1::WatchShowtimeResponse message;
  const Server* first_of = nullptr;
  {
    base::MutexLock lock(mu_);
    message.Swap(&stream_->message);
    failure_ = absl::OkStatus();
    if (!std::exchange(stream_->heard, true)) first_of = stream_->server.get();
  }
  if (first_of != nullptr) servers_->Answered(*first_of);
  switch (message.event_case()) {
    case v1::WatchShowtimeResponse::kSnapshot:
      TakeSnapshot(std::move(*message.mutable_snapshot()));
      break;
    case v1::WatchShowtimeResponse::kChange:
      if (!TakeChange(std::move(*message.mutable_change()))) return false;
      break;
    case v1::WatchShowtimeResponse::kProgress:
      if (!TakeProgress(std::move(*message.mutable_progress()))) return false;
      break;
    case v1::WatchShowtimeResponse::EVENT_NOT_SET:
      break;
  }
  backoff_.Reset();
  return true;
}

void GrpcWatch::MoveTo(const std::string& epoch, uint64_t revision) {
  position_.set_epoch(epoch);
  position_.set_revision(revision);
  positioned_ = true;
}

void GrpcWatch::TakeSnapshot(v1::ShowtimeSnapshot chunk) {
  const bool more = chunk.more();
  if (!partial_.has_value()) {
    partial_ = std::move(chunk);
  } else {
    for (v1::Seat& seat : *chunk.mutable_seats()) *partial_->add_seats() = std::move(seat);
  }
  if (more) return;
  partial_->set_more(false);
  MoveTo(partial_->epoch(), partial_->revision());
  event_ = *std::move(partial_);
  partial_.reset();
}

bool GrpcWatch::TakeChange(v1::Change change) {
  const bool first = position_.epoch().empty();
  if (first
          ? change.revision() != 1
          : change.epoch() != position_.epoch() || change.revision() != position_.revision() + 1) {
    return false;
  }
  MoveTo(change.epoch(), change.revision());
  event_ = std::move(change);
  return true;
}

bool GrpcWatch::TakeProgress(v1::Progress progress) {
  const bool known = !position_.epoch().empty();
  if (known &&
      (progress.epoch() != position_.epoch() || progress.revision() != position_.revision())) {
    return false;
  }
  if (progress.revision() == 0) positioned_ = true;
  event_ = std::move(progress);
  return true;
}

}  // namespace seatlock::client
