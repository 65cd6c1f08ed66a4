// Sends planned calls over gRPC, each once more with the same request_id after a failure that asks
// for it, and says what came of each. Never blocks. Thread-safe.
//
// A call is tried again if the service is unavailable, cut it off, or did not answer in time, after
// a growing random pause, until --timeout has passed since it was first sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "clients/cli/bench/names.h"
#include "clients/cli/bench/workload.h"
#include "clients/cpp/servers.h"
#include "common/base/mutex.h"

namespace seatlock::cli::bench {

using Connections = std::vector<std::shared_ptr<client::Servers>>;

// Connections to the options' servers, kConnectionsPerServer times.
Connections Connect(const Options& options);

// How far the server's clock is ahead of this machine's, and how far off that may be. From the
// answer that took the shortest time.
struct ClockOffset {
  int64_t ahead_us = 0;
  int64_t within_us = 0;
  bool known = false;
};

class GrpcCalls {
 public:
  // Called by a thread of gRPC.
  using Done = std::function<void(const Plan& plan, const Outcome& outcome)>;

  GrpcCalls(const Options& options, const Names& names, Connections connections, Done done);
  // All calls must have ended.
  ~GrpcCalls();

  void Start(const Plan& plan);
  // Sends again what is due, and says when the next one is: the caller's loop is the timer. The
  // farthest time if nothing waits.
  std::chrono::steady_clock::time_point SendDue();

  ClockOffset clock_offset() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Async = v1::SeatLockService::StubInterface::async_interface;
  template <typename Request, typename Response>
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);
  struct Call;
  template <typename Request, typename Response>
  struct TypedCall;

  std::unique_ptr<Call> Make(const Plan& plan) const;
  template <typename Request, typename Response>
  std::unique_ptr<Call> MakeTyped(Method<Request, Response> method, const Plan& plan) const;
  void Attempt(std::unique_ptr<Call> call);
  void Ended(std::unique_ptr<Call> call, const grpc::Status& status);
  void NoteClock(const Call& call, int64_t server_ms);

  const Options options_;
  const Names& names_;
  const Connections connections_;
  const Done done_;

  mutable base::Mutex mu_;
  std::multimap<Clock::time_point, std::unique_ptr<Call>> waiting_ ABSL_GUARDED_BY(mu_);
  ClockOffset offset_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::cli::bench
