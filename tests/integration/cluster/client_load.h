// Callers that use the C++ client library and its list of servers, as a site does, and note for the
// judge (model_judge.h) what they were told. Each call must succeed or be refused by the rules; all
// else is a failure.
// Thread-compatible.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "seatlock/client.h"
#include "tests/testing/call.h"
#include "tests/testing/load_progress.h"
#include "tests/testing/seatlock_client.h"

namespace seatlock::testing {

// One caller: takes seats that others want too, gives them back, buys them, cancels.
class ClientCaller {
 public:
  static constexpr std::chrono::seconds kShortTtl{3};

  ClientCaller(int index, client::Client& client, Progress& progress, uint64_t seed)
      : index_(index), client_(client), progress_(progress), random_(seed) {}

  void Run(const std::atomic<bool>& stop) {
    while (!stop) OnceAround();
  }

  // All that it asked and was told, in order.
  const std::vector<Call>& calls() const { return calls_; }
  // A line each.
  const std::vector<std::string>& failures() const { return failures_; }
  std::chrono::milliseconds longest() const { return longest_; }

 private:
  using Client = client::Client;

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  std::string NextId(const char* kind) { return absl::StrCat(kind, index_, "-", ++ids_); }

  void OnceAround() {
    const std::string showtime = ShowtimeOf(Below(kShowtimes));
    const std::string seat = absl::StrCat("A", Below(kSeats));
    const std::string session = NextId("s");
    v1::LockSeatRequest lock =
        LockSeatRequestOf(showtime, seat, session, {.request_id = NextId("r")});
    const bool short_lived = Below(16) == 0;
    if (short_lived) lock.mutable_ttl()->set_seconds(kShortTtl.count());
    if (!Ask(&Client::LockSeat, lock) || short_lived) return;  // that one is left to expire
    if (Below(2) == 0) {
      Unlock(lock);
    } else {
      BuyAndCancel(lock);
    }
  }
  void Unlock(const v1::LockSeatRequest& lock) {
    v1::UnlockSeatRequest request;
    request.set_showtime_id(lock.showtime_id());
    request.set_seat_id(lock.seat_id());
    request.set_session_id(lock.session_id());
    request.set_request_id(NextId("r"));
    Ask(&Client::UnlockSeat, request);
  }
  void BuyAndCancel(const v1::LockSeatRequest& lock) {
    const std::string order = NextId("o");
    if (!Ask(&Client::BookSeats,
             BookSeatsRequestOf(lock.showtime_id(), {lock.seat_id()}, lock.session_id(), order,
                                {.request_id = NextId("r"), .only_held = true}))) {
      return;
    }
    v1::CancelBookingRequest request;
    request.set_showtime_id(lock.showtime_id());
    request.set_order_id(order);
    request.set_all(true);
    request.set_request_id(NextId("r"));
    Ask(&Client::CancelBooking, request);
  }

  // Calls and notes what came of it; whether it was acknowledged. The library's own retries are
  // inside the call, so all of it is the time of the question.
  template <typename Method, typename Request>
  bool Ask(Method method, const Request& request) {
    Call call{.showtime = request.showtime_id(), .question = CommandOf(request)};
    call.times.first_asked = call.times.last_asked = std::chrono::steady_clock::now();
    call.times.last_asked_ms = WallClockMs();
    const auto answer = (client_.*method)(request);
    call.times.answered = std::chrono::steady_clock::now();
    call.times.answered_ms = WallClockMs();
    longest_ = std::max(longest_, std::chrono::duration_cast<std::chrono::milliseconds>(
                                      call.times.answered - call.times.first_asked));
    if (answer.ok()) {
      call.end = Call::End::kAnswered;
      call.said = SaidOf(*answer);
      progress_.Acknowledged();
    } else {
      NoteFailure(answer.status(), call);
    }
    calls_.push_back(std::move(call));
    return answer.ok();
  }
  void NoteFailure(const absl::Status& status, Call& call) {
    const client::CallError error = client::ErrorOf(status);
    if (error.code == absl::StatusCode::kFailedPrecondition) {
      Refusal refusal;
      refusal.reason = error.reason;
      for (const v1::SeatConflict& conflict : error.conflicts) {
        refusal.conflicts.push_back({conflict.seat_id(), conflict.status(), conflict.reason()});
      }
      call.end = Call::End::kAnswered;
      call.said = SaidOf(refusal);
    } else if (error.reason == "LOCK_EXPIRED") {
      call.end = Call::End::kEnded;
    } else {
      failures_.push_back(absl::StrCat(Describe(call.question), ": ", status.ToString()));
    }
  }

  const int index_;
  Client& client_;
  Progress& progress_;
  std::mt19937_64 random_;
  int ids_ = 0;
  std::vector<Call> calls_;
  std::vector<std::string> failures_;
  std::chrono::milliseconds longest_{0};
};

// Callers that share one Client, each on a thread of its own.
class ClientLoad {
 public:
  // Starts at once. `options` as a site would have them.
  ClientLoad(client::ClientOptions options, int callers, uint64_t seed)
      : client_(std::move(options)) {
    for (int i = 0; i < callers; ++i) {
      callers_.push_back(std::make_unique<ClientCaller>(i, client_, progress_,
                                                        seed * 100 + static_cast<uint64_t>(i)));
    }
    for (const auto& caller : callers_) {
      threads_.emplace_back([this, &caller] { caller->Run(stop_); });
    }
  }
  ~ClientLoad() { Stop(); }

  Progress& progress() { return progress_; }
  client::Client& client() { return client_; }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // After Stop.
  std::vector<Call> Calls() const {
    std::vector<Call> all;
    for (const auto& caller : callers_) {
      all.insert(all.end(), caller->calls().begin(), caller->calls().end());
    }
    return all;
  }
  std::vector<std::string> Failures() const {
    std::vector<std::string> all;
    for (const auto& caller : callers_) {
      all.insert(all.end(), caller->failures().begin(), caller->failures().end());
    }
    return all;
  }
  std::chrono::milliseconds Longest() const {
    std::chrono::milliseconds longest{0};
    for (const auto& caller : callers_) longest = std::max(longest, caller->longest());
    return longest;
  }

 private:
  client::Client client_;
  Progress progress_;
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<ClientCaller>> callers_;
  std::vector<std::thread> threads_;
};

}  // namespace seatlock::testing
