// The Watch over a gRPC stub; see watch.h. Uses a completion queue of its own and no thread: at
// most one message is read ahead, so a slow caller slows the stream and holds no memory.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>

#include "clients/cpp/backoff.h"
#include "clients/cpp/watch.h"
#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::client {

class GrpcWatch final : public Watch {
 public:
  GrpcWatch(std::shared_ptr<v1::SeatLockService::Stub> stub, v1::WatchShowtimeRequest request,
            Backoff backoff);
  ~GrpcWatch() override;

  absl::StatusOr<Event> Next(std::chrono::milliseconds timeout) override;
  const v1::Position& position() const override { return position_; }
  absl::Status Failure() const override;
  void Cancel() override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Step { kStart, kRead, kFinish };

  // One attempt: everything that must live until its last completion.
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncReader<v1::WatchShowtimeResponse>> reader;
    v1::WatchShowtimeResponse message;
    grpc::Status status;
    bool distrusted = false;  // it broke its promises: take nothing more from it
  };

  void Open();
  // Takes one completion; false where none came before `deadline`.
  bool Advance(Clock::time_point deadline);
  void Completed(Step step, bool ok);
  void Ended();
  // Waits for the time of the next attempt; false where `deadline` is before it.
  bool Pause(Clock::time_point deadline);

  // Each takes a message of the stream; false where it does not continue what came before.
  bool Take();
  void TakeSnapshot(v1::ShowtimeSnapshot chunk);
  bool TakeChange(v1::Change change);
  bool TakeProgress(v1::Progress progress);

  const std::shared_ptr<v1::SeatLockService::Stub> stub_;
  v1::WatchShowtimeRequest request_;

  // Next's thread alone.
  grpc::CompletionQueue queue_;
  Backoff backoff_;
  Clock::time_point retry_at_;
  v1::Position position_;
  std::optional<v1::ShowtimeSnapshot> partial_;
  std::optional<Event> event_;
  absl::Status end_;  // not OK: the watch is over

  mutable base::Mutex mu_;
  base::CondVar cancelled_wake_;
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::client
