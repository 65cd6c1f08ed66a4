#include "tests/testing/watch_stream.h"

namespace seatlock::testing {
namespace {

using SteadyClock = std::chrono::steady_clock;

// What is left of a wait, rounded up; not positive once it is over.
std::chrono::milliseconds Left(SteadyClock::time_point deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
}

}  // namespace

WatchStream::WatchStream(v1::SeatLockService::Stub& stub, const std::string& showtime,
                         const std::optional<v1::Position>& resume) {
  v1::WatchShowtimeRequest request;
  request.set_showtime_id(showtime);
  if (resume.has_value()) *request.mutable_resume() = *resume;
  reader_ = stub.WatchShowtime(&context_, request);
  thread_ = std::thread([this] { ReadAll(); });
}

WatchStream::~WatchStream() {
  context_.TryCancel();
  thread_.join();
}

void WatchStream::ReadAll() {
  v1::WatchShowtimeResponse message;
  while (reader_->Read(&message)) {
    base::MutexLock lock(mu_);
    messages_.push_back(std::move(message));
    changed_.NotifyAll();
  }
  const grpc::Status status = reader_->Finish();
  base::MutexLock lock(mu_);
  end_ = status;
  changed_.NotifyAll();
}

std::optional<v1::WatchShowtimeResponse> WatchStream::Next(Milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  base::MutexLock lock(mu_);
  while (messages_.empty()) {
    const Milliseconds left = Left(deadline);
    if (end_.has_value() || left <= Milliseconds(0)) return std::nullopt;
    changed_.WaitFor(mu_, left);
  }
  v1::WatchShowtimeResponse message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

absl::Status WatchStream::FollowTo(ShowtimeView& view, uint64_t revision, Milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  while (view.revision() < revision) {
    const auto message = Next(std::max(Left(deadline), Milliseconds(0)));
    if (!message.has_value()) {
      const bool ended = WaitForEnd(Milliseconds(0)).has_value();
      return ended ? absl::UnavailableError("the stream has ended")
                   : absl::DeadlineExceededError("at revision " + std::to_string(view.revision()));
    }
    absl::Status status = view.Apply(*message);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::optional<grpc::Status> WatchStream::WaitForEnd(Milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  base::MutexLock lock(mu_);
  while (!end_.has_value()) {
    const Milliseconds left = Left(deadline);
    if (left <= Milliseconds(0)) return std::nullopt;
    changed_.WaitFor(mu_, left);
  }
  return end_;
}

}  // namespace seatlock::testing
