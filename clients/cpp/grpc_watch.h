// The Watch over gRPC streams; see watch.h. Uses a completion queue of its own and no thread: at
// most one message is read ahead, so a slow caller slows the stream and holds no memory.
//
// One stream at a time. While it is there, its verdict says what happens to it:
//
//   verdict   | when                                       | its messages | once it has ended
//   ----------+--------------------------------------------+--------------+------------------------
//   kTrusted  | from the start                             | taken        | its failure is shown
//   kBroken   | a message did not continue those before    | dropped      | DATA_LOSS is shown
//   kSilent   | several servers: no message for too long   | dropped      | DEADLINE_EXCEEDED is
//             | after the start                            |              | shown
//   kLeaving  | several servers: a better one is back      | dropped      | no failure: the better
//             |                                            |              | one is asked at once
//
// After a failure the server counts as away, unless it only had no room, and the next one is asked
// at once; after a pause if none is left, or if each had its turn since the last pause. Every
// stream begins at the position that was reached, so what was dropped comes again and nothing comes
// twice.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clients/cpp/backoff.h"
#include "clients/cpp/servers.h"
#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "seatlock/watch.h"

namespace seatlock::client {

struct WatchPauses {
  Backoff retry;                          // before asking again if all servers are away
  Backoff look;                           // before looking again whether a better server is back
  std::chrono::milliseconds silence_max;  // from a stream's start to its first message
};

class GrpcWatch final : public Watch {
 public:
  // With a `wrong_list` (not OK) every Next returns it.
  GrpcWatch(std::shared_ptr<Servers> servers, v1::WatchShowtimeRequest request,
            absl::Status wrong_list, const WatchPauses& pauses,
            std::function<std::string()> token = {});
  ~GrpcWatch() override;

  absl::StatusOr<Event> Next(std::chrono::milliseconds timeout) override;
  const v1::Position& position() const override { return position_; }
  absl::Status Failure() const override;
  void Cancel() override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Step { kStart, kRead, kFinish };
  enum class Verdict { kTrusted, kBroken, kSilent, kLeaving };

  // One attempt: everything that must live until its last completion.
  struct Stream {
    std::shared_ptr<const Server> server;
    Clock::time_point opened;
    grpc::ClientContext context;
    std::string token;  // that it carries; empty: none
    std::unique_ptr<grpc::ClientAsyncReader<v1::WatchShowtimeResponse>> reader;
    v1::WatchShowtimeResponse message;
    grpc::Status status;
    bool heard = false;  // it sent a message
    Verdict verdict = Verdict::kTrusted;
  };

  void Open();
  // Takes one completion; false if none came before `deadline`.
  bool Advance(Clock::time_point deadline);
  void Completed(Step step, bool ok);
  // The one place that changes a verdict: nothing more is taken from the stream, which ends soon.
  void Leave(Verdict verdict);
  // Leaves the stream if it is silent or if a better server is back. Now and then.
  void Look();
  void Ended();
  // Whether the stream was refused for its token and there is another one by now. Once between two
  // messages.
  bool HasFreshToken(const Stream& stream);
  static absl::Status FailureOf(const Stream& stream);
  // What to ask next after `stream`, and when.
  void ChooseNext(const Stream& stream, const absl::Status& failure);
  // Waits for the time of the next attempt; false where `deadline` is before it.
  bool Pause(Clock::time_point deadline);

  // Each takes a message of the stream; false where it does not continue what came before.
  bool Take();
  void MoveTo(const std::string& epoch, uint64_t revision);
  void TakeSnapshot(v1::ShowtimeSnapshot chunk);
  bool TakeChange(v1::Change change);
  bool TakeProgress(v1::Progress progress);

  const std::shared_ptr<Servers> servers_;
  const std::function<std::string()> token_;  // may be null
  const std::chrono::milliseconds silence_max_;
  v1::WatchShowtimeRequest request_;

  // Next's thread alone.
  grpc::CompletionQueue queue_;
  Backoff backoff_;
  Clock::time_point retry_at_;
  Backoff look_pause_;
  Clock::time_point look_at_;
  std::shared_ptr<const Server> next_;  // the server to ask next; null: the most preferred
  size_t moves_ = 0;                    // to other servers at once, since the last pause
  v1::Position position_;
  // Whether position_ says where to go on. It may be one without an epoch: that of a showtime
  // before its first change, after which every change follows and no snapshot.
  bool positioned_ = false;
  std::optional<v1::ShowtimeSnapshot> partial_;
  std::optional<Event> event_;
  absl::Status end_;  // not OK: the watch is over

  bool renewed_ = false;  // there was a fresh token since the last message

  mutable base::Mutex mu_;
  base::CondVar cancelled_wake_;
  std::unique_ptr<Stream> stream_ ABSL_GUARDED_BY(mu_);
  bool cancelled_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::client
