#include "tests/bench/poller.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"
#include "tests/testing/seatlock_client.h"

namespace seatlock::bench {

struct Poller::State {
  std::unique_ptr<grpc::GenericStub> stub;
  grpc::ByteBuffer request;
  std::chrono::microseconds interval{};
  std::atomic<bool> stopping{false};

  base::Mutex mu;
  base::CondVar changed;
  PollResult result ABSL_GUARDED_BY(mu);
  uint64_t under_way ABSL_GUARDED_BY(mu) = 0;
};

namespace {

struct Poll {
  grpc::ClientContext context;
  grpc::ByteBuffer answer;
};

}  // namespace

Poller::Poller(const std::string& address, const std::string& showtime, int per_second)
    : state_(std::make_shared<State>()) {
  state_->stub = std::make_unique<grpc::GenericStub>(testing::TestChannel(address));
  state_->interval = std::chrono::microseconds(1'000'000 / per_second);
  v1::GetShowtimeRequest request;
  request.set_showtime_id(showtime);
  bool own = false;
  grpc::SerializationTraits<v1::GetShowtimeRequest>::Serialize(request, &state_->request, &own);
  thread_ = std::thread([state = state_] {
    auto next = std::chrono::steady_clock::now();
    while (!state->stopping) {
      auto poll = std::make_shared<Poll>();
      {
        base::MutexLock lock(state->mu);
        ++state->result.asked;
        ++state->under_way;
      }
      state->stub->UnaryCall(&poll->context, "/seatlock.v1.SeatLockService/GetShowtime", {},
                             &state->request, &poll->answer,
                             [state, poll](const grpc::Status& status) {
                               base::MutexLock lock(state->mu);
                               if (status.ok()) {
                                 ++state->result.answered;
                                 state->result.smallest_bytes =
                                     std::min(state->result.smallest_bytes, poll->answer.Length());
                               }
                               --state->under_way;
                               state->changed.NotifyAll();
                             });
      next += state->interval;
      std::this_thread::sleep_until(next);
    }
  });
}

Poller::~Poller() {
  Stop();
}

PollResult Poller::Stop() {
  state_->stopping = true;
  if (thread_.joinable()) thread_.join();
  base::MutexLock lock(state_->mu);
  while (state_->under_way > 0) state_->changed.Wait(state_->mu);
  return state_->result;
}

}  // namespace seatlock::bench
