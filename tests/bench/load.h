// A load on one gRPC method: a fixed number of calls in flight over a few channels, each answered
// call followed by the next, by the callback API. Used from one thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/testing/seatlock_client.h"

namespace seatlock::bench {

struct LoadResult {
  double seconds = 0;
  uint64_t calls = 0;
  uint64_t failures = 0;
  std::vector<int64_t> latencies_us;  // sorted

  double PerSecond() const { return static_cast<double>(calls) / seconds; }
  // The latency that `share` of the calls stayed below, in milliseconds.
  double QuantileMs(double share) const {
    if (latencies_us.empty()) return 0;
    const size_t last = latencies_us.size() - 1;
    return static_cast<double>(
               latencies_us[static_cast<size_t>(share * static_cast<double>(last))]) /
           1000;
  }
};

struct LoadOptions {
  std::string address;
  int channels = 4;
  int in_flight = 64;
  // It ends after so many calls or so long, whichever comes first.
  uint64_t calls = UINT64_MAX;
  std::chrono::milliseconds duration{60'000};
  // How every call must end; anything else is a failure.
  grpc::StatusCode expected = grpc::StatusCode::OK;
};

template <typename Request, typename Response>
class Load {
 public:
  using Async = v1::SeatLockService::StubInterface::async_interface;
  using Method = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                                 std::function<void(grpc::Status)>);
  // Fills the request of call `number`, which counts from 0 over all slots. Thread-safe.
  using Fill = std::function<void(uint64_t number, Request& request)>;

  Load(const LoadOptions& options, Method method, Fill fill)
      : options_(options), method_(method), fill_(std::move(fill)), slots_(options.in_flight) {
    for (int i = 0; i < options.channels; ++i) {
      stubs_.push_back(v1::SeatLockService::NewStub(testing::TestChannel(options.address)));
    }
  }

  // Runs it to its end. Blocks.
  LoadResult Run() {
    const auto start = Clock::now();
    deadline_ = start + options_.duration;
    running_ = options_.in_flight;
    for (int i = 0; i < options_.in_flight; ++i) Next(i);
    {
      base::MutexLock lock(mu_);
      while (running_ > 0) ended_.Wait(mu_);
    }
    LoadResult result;
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    for (const Slot& slot : slots_) {
      result.failures += slot.failures;
      result.latencies_us.insert(result.latencies_us.end(), slot.latencies_us.begin(),
                                 slot.latencies_us.end());
    }
    result.calls = result.latencies_us.size();
    std::sort(result.latencies_us.begin(), result.latencies_us.end());
    return result;
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Slot {
    std::unique_ptr<grpc::ClientContext> context;
    Request request;
    Response response;
    Clock::time_point started;
    uint64_t failures = 0;
    std::vector<int64_t> latencies_us;
  };

  void Next(int index) {
    const uint64_t number = number_.fetch_add(1);
    if (number >= options_.calls || Clock::now() >= deadline_) {
      base::MutexLock lock(mu_);
      if (--running_ == 0) ended_.NotifyAll();
      return;
    }
    Slot& slot = slots_[index];
    fill_(number, slot.request);
    slot.context = std::make_unique<grpc::ClientContext>();
    slot.started = Clock::now();
    (stubs_[index % stubs_.size()]->async()->*method_)(
        slot.context.get(), &slot.request, &slot.response,
        [this, index](const grpc::Status& status) { Done(index, status); });
  }

  void Done(int index, const grpc::Status& status) {
    Slot& slot = slots_[index];
    if (status.error_code() == options_.expected) {
      slot.latencies_us.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - slot.started)
              .count());
    } else if (slot.failures++ == 0) {
      std::fprintf(stderr, "a call failed: %s\n", status.error_message().c_str());
    }
    Next(index);
  }

  const LoadOptions options_;
  const Method method_;
  const Fill fill_;
  std::vector<std::unique_ptr<v1::SeatLockService::Stub>> stubs_;
  Clock::time_point deadline_;
  std::atomic<uint64_t> number_{0};
  std::vector<Slot> slots_;  // each is used by one call at a time
  base::Mutex mu_;
  base::CondVar ended_;
  int running_ ABSL_GUARDED_BY(mu_) = 0;
};

using LockSeatLoad = Load<v1::LockSeatRequest, v1::LockSeatResponse>;
using LockSeatsLoad = Load<v1::LockSeatsRequest, v1::LockSeatsResponse>;
using UnlockSeatLoad = Load<v1::UnlockSeatRequest, v1::UnlockSeatResponse>;
using BookSeatsLoad = Load<v1::BookSeatsRequest, v1::BookSeatsResponse>;

}  // namespace seatlock::bench
