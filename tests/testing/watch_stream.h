// An open WatchShowtime stream whose messages a thread collects as they come. Owned by the test,
// cancelled by the destructor. Thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/testing/showtime_view.h"

namespace seatlock::testing {

class WatchStream {
 public:
  using Milliseconds = std::chrono::milliseconds;

  WatchStream(v1::SeatLockService::Stub& stub, const std::string& showtime,
              const std::optional<v1::Position>& resume = std::nullopt);
  ~WatchStream();
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // The next message; nothing where none came in time or the stream has ended.
  std::optional<v1::WatchShowtimeResponse> Next(Milliseconds timeout = kSoon);
  // Feeds messages to `view` until it stands at `revision`. DEADLINE_EXCEEDED, UNAVAILABLE where
  // the stream ended, or the view's own objection.
  absl::Status FollowTo(ShowtimeView& view, uint64_t revision, Milliseconds timeout = kSoon);
  // How the stream ended; nothing where it did not in time.
  std::optional<grpc::Status> WaitForEnd(Milliseconds timeout = kSoon);

  static constexpr Milliseconds kSoon{20'000};

 private:
  void ReadAll();

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchShowtimeResponse>> reader_;
  base::Mutex mu_;
  base::CondVar changed_;
  std::deque<v1::WatchShowtimeResponse> messages_ ABSL_GUARDED_BY(mu_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace seatlock::testing
