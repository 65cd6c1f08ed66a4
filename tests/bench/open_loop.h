// A load on one gRPC method that comes at fixed times, whatever the answers do: as shoppers do, who
// do not wait for each other. What is measured begins when a call was due, so a server that is late
// is not measured less often. Used from one thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/bench/load.h"
#include "tests/testing/seatlock_client.h"

namespace seatlock::bench {

struct OpenLoopOptions {
  std::string address;
  int channels = 1;
  double per_second = 100;
  std::chrono::milliseconds warm_up{0};  // calls that are due by then are made, and not counted
  std::chrono::milliseconds duration{1000};
  // A call that is due while so many are open is not made, and counted as held back.
  uint64_t in_flight_max = 10'000;
};

struct OpenLoopResult {
  LoadResult granted;      // the calls that ended with OK
  uint64_t exhausted = 0;  // RESOURCE_EXHAUSTED
  uint64_t failed = 0;     // anything else
  uint64_t held_back = 0;

  uint64_t made() const { return granted.calls + exhausted + failed; }
  double MadePerSecond() const { return static_cast<double>(made()) / granted.seconds; }
};

template <typename Request, typename Response>
class OpenLoop {
 public:
  using Async = v1::SeatLockService::StubInterface::async_interface;
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);
  // Fills the request of call `number`, which counts from 0.
  using Fill = std::function<void(uint64_t number, Request& request)>;

  OpenLoop(const OpenLoopOptions& options, Method method, Fill fill)
      : options_(options), method_(method), fill_(std::move(fill)) {
    for (int i = 0; i < options.channels; ++i) {
      stubs_.push_back(v1::SeatLockService::NewStub(testing::TestChannel(options.address)));
    }
  }

  // Makes all calls and waits for their answers. Blocks.
  OpenLoopResult Run() {
    const auto start = Clock::now();
    const auto counted_from = start + options_.warm_up;
    const auto end = counted_from + options_.duration;
    const auto gap = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / options_.per_second));
    auto due = start;
    while (due < end) {
      std::this_thread::sleep_until(due);
      const auto now = Clock::now();
      for (; due <= now && due < end; due += gap) MakeCall(due, due >= counted_from);
    }
    base::MutexLock lock(mu_);
    while (open_ > 0) ended_.Wait(mu_);
    result_.granted.seconds = std::chrono::duration<double>(options_.duration).count();
    result_.granted.calls = result_.granted.latencies_us.size();
    std::sort(result_.granted.latencies_us.begin(), result_.granted.latencies_us.end());
    return std::move(result_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Call {
    grpc::ClientContext context;
    Request request;
    Response response;
    Clock::time_point due;
    bool counted = false;
  };

  void MakeCall(Clock::time_point due, bool counted) {
    {
      base::MutexLock lock(mu_);
      if (open_ >= options_.in_flight_max) {
        if (counted) ++result_.held_back;
        return;
      }
      ++open_;
    }
    auto call = std::make_shared<Call>();
    call->due = due;
    call->counted = counted;
    const uint64_t number = number_++;
    fill_(number, call->request);
    (stubs_[number % stubs_.size()]->async()->*method_)(
        &call->context, &call->request, &call->response,
        [this, call](const grpc::Status& status) { Done(*call, status); });
  }

  void Done(const Call& call, const grpc::Status& status) {
    const auto took = Clock::now() - call.due;
    base::MutexLock lock(mu_);
    if (!call.counted) {
    } else if (status.ok()) {
      result_.granted.latencies_us.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    } else if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      ++result_.exhausted;
    } else {
      ++result_.failed;
    }
    if (--open_ == 0) ended_.NotifyAll();
  }

  const OpenLoopOptions options_;
  const Method method_;
  const Fill fill_;
  std::vector<std::unique_ptr<v1::SeatLockService::Stub>> stubs_;
  uint64_t number_ = 0;
  base::Mutex mu_;
  base::CondVar ended_;
  uint64_t open_ ABSL_GUARDED_BY(mu_) = 0;
  OpenLoopResult result_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::bench
