// Callers that use the C++ client library and its list of servers, as a site does, and write down
// what they were told. Each call must succeed or be refused by the rules; all else is a failure.
// Thread-compatible.
#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "clients/cpp/client.h"
#include "tests/testing/crash_load.h"
#include "tests/testing/history_checker.h"

namespace seatlock::testing {

// One caller: takes seats that others want too, gives them back, buys them, cancels.
class ClientCaller {
 public:
  using Kind = Operation::Kind;
  using Outcome = Operation::Outcome;
  static constexpr std::chrono::seconds kShortTtl{3};

  ClientCaller(int index, client::Client& client, Progress& progress, uint64_t seed)
      : index_(index), client_(client), progress_(progress), random_(seed) {}

  void Run(const std::atomic<bool>& stop) {
    while (!stop) OnceAround();
  }

  const std::vector<Operation>& operations() const { return operations_; }
  // A line each.
  const std::vector<std::string>& failures() const { return failures_; }
  std::chrono::milliseconds longest() const { return longest_; }

 private:
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  std::string NextId(const char* kind) { return absl::StrCat(kind, index_, "-", ++ids_); }

  void OnceAround() {
    Operation operation{.kind = Kind::kLock,
                        .showtime = ShowtimeOf(Below(kShowtimes)),
                        .seat = absl::StrCat("A", Below(kSeats)),
                        .session = NextId("s")};
    const bool short_lived = Below(16) == 0;
    if (!Lock(operation, short_lived) || short_lived) return;  // that one is left to expire
    if (Below(2) == 0) {
      Unlock(operation);
    } else if (Book(operation)) {
      Cancel(operation);
    }
  }

  bool Lock(Operation operation, bool short_lived) {
    v1::LockSeatRequest request;
    request.set_showtime_id(operation.showtime);
    request.set_seat_id(operation.seat);
    request.set_session_id(operation.session);
    if (short_lived) request.mutable_ttl()->set_seconds(kShortTtl.count());
    return Record(operation, [&] { return client_.LockSeat(request); });
  }
  void Unlock(Operation operation) {
    operation.kind = Kind::kUnlock;
    v1::UnlockSeatRequest request;
    request.set_showtime_id(operation.showtime);
    request.set_seat_id(operation.seat);
    request.set_session_id(operation.session);
    Record(operation, [&] { return client_.UnlockSeat(request); });
  }
  bool Book(Operation& operation) {
    operation.kind = Kind::kBook;
    operation.order = NextId("o");
    v1::BookSeatsRequest request;
    request.set_showtime_id(operation.showtime);
    request.add_seat_ids(operation.seat);
    request.set_session_id(operation.session);
    request.set_order_id(operation.order);
    request.set_only_held(true);
    return Record(operation, [&] { return client_.BookSeats(request); });
  }
  void Cancel(Operation operation) {
    operation.kind = Kind::kCancel;
    v1::CancelBookingRequest request;
    request.set_showtime_id(operation.showtime);
    request.set_order_id(operation.order);
    request.set_all(true);
    Record(operation, [&] { return client_.CancelBooking(request); });
  }

  // Calls and writes down what came of it; whether it was acknowledged. The library's own retries
  // are inside the call, so all of it is the time of the question.
  template <typename Call>
  bool Record(Operation operation, const Call& call) {
    const auto asked = std::chrono::steady_clock::now();
    const auto answer = call();
    const auto answered = std::chrono::steady_clock::now();
    longest_ =
        std::max(longest_, std::chrono::duration_cast<std::chrono::milliseconds>(answered - asked));
    operation.times = {.first_asked = asked, .last_asked = asked, .answered = answered};
    if (answer.ok()) {
      operation.outcome = Outcome::kAcknowledged;
      operation.revision = answer->revision();
      progress_.Acknowledged();
    } else if (answer.status().code() == absl::StatusCode::kFailedPrecondition) {
      operation.outcome = Outcome::kRefused;
    } else if (client::ErrorOf(answer.status()).reason != "LOCK_EXPIRED" ||
               answered - asked < kShortTtl) {
      failures_.push_back(
          absl::StrCat(static_cast<int>(operation.kind), ": ", answer.status().ToString()));
    }
    operations_.push_back(operation);
    return answer.ok();
  }

  const int index_;
  client::Client& client_;
  Progress& progress_;
  std::mt19937_64 random_;
  int ids_ = 0;
  std::vector<Operation> operations_;
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
  std::vector<Operation> Operations() const {
    std::vector<Operation> all;
    for (const auto& caller : callers_) {
      all.insert(all.end(), caller->operations().begin(), caller->operations().end());
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
