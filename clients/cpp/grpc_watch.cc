#include "clients/cpp/grpc_watch.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "clients/cpp/call_error.h"

namespace seatlock::client {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// As good as forever, and far from where adding it to a clock overflows.
constexpr milliseconds kLongest = std::chrono::hours(24 * 365);

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

GrpcWatch::GrpcWatch(std::shared_ptr<v1::SeatLockService::Stub> stub,
                     v1::WatchShowtimeRequest request, Backoff backoff)
    : stub_(std::move(stub)), request_(std::move(request)), backoff_(backoff) {
  if (request_.has_resume()) position_ = request_.resume();
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
    if (!streaming) {
      if (!Pause(deadline)) return absl::DeadlineExceededError("no event within the time");
      Open();
    } else if (!Advance(deadline)) {
      return absl::DeadlineExceededError("no event within the time");
    }
  }
}

void GrpcWatch::Open() {
  if (position_.epoch().empty()) {
    request_.clear_resume();
  } else {
    *request_.mutable_resume() = position_;
  }
  partial_.reset();
  auto stream = std::make_unique<Stream>();
  base::MutexLock lock(mu_);
  if (cancelled_) return;
  stream->reader = stub_->AsyncWatchShowtime(&stream->context, request_, &queue_,
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
  if (step == Step::kRead && ok && !stream->distrusted && !Take()) {
    stream->distrusted = true;
    stream->context.TryCancel();
  }
  if (ok) {
    stream->reader->Read(&stream->message, Tag(static_cast<int>(Step::kRead)));
  } else {
    stream->reader->Finish(&stream->status, Tag(static_cast<int>(Step::kFinish)));
  }
}

void GrpcWatch::Ended() {
  base::MutexLock lock(mu_);
  const grpc::Status status = stream_->status;
  const bool distrusted = stream_->distrusted;
  stream_ = nullptr;
  if (distrusted) {
    failure_ = absl::DataLossError("the stream had a hole; asking again from the last position");
  } else if (status.ok()) {
    failure_ = absl::UnavailableError("the service ended the stream");
  } else {
    failure_ = MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                          status.error_message(), status.error_details());
  }
  if (!distrusted && IsForGood(status)) {
    end_ = failure_;
    return;
  }
  const auto asked_for = ErrorOf(failure_).retry_after.value_or(milliseconds(0));
  retry_at_ = Clock::now() + backoff_.Next(asked_for);
}

bool GrpcWatch::Take() {
  v1::WatchShowtimeResponse message;
  {
    base::MutexLock lock(mu_);
    message.Swap(&stream_->message);
    failure_ = absl::OkStatus();
  }
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

void GrpcWatch::TakeSnapshot(v1::ShowtimeSnapshot chunk) {
  const bool more = chunk.more();
  if (!partial_.has_value()) {
    partial_ = std::move(chunk);
  } else {
    for (v1::Seat& seat : *chunk.mutable_seats()) *partial_->add_seats() = std::move(seat);
  }
  if (more) return;
  partial_->set_more(false);
  position_.set_epoch(partial_->epoch());
  position_.set_revision(partial_->revision());
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
  position_.set_epoch(change.epoch());
  position_.set_revision(change.revision());
  event_ = std::move(change);
  return true;
}

bool GrpcWatch::TakeProgress(v1::Progress progress) {
  const bool known = !position_.epoch().empty();
  if (known &&
      (progress.epoch() != position_.epoch() || progress.revision() != position_.revision())) {
    return false;
  }
  event_ = std::move(progress);
  return true;
}

}  // namespace seatlock::client
