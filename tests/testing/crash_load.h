// Load for tests that kill servers: workers that retry what a crash left open, followers that
// resume by position. What they note down is judged by CheckHistory and CheckRefusals.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "tests/testing/history_checker.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {

inline constexpr int kShowtimes = 4;
inline constexpr int kSeats = 20;
inline constexpr std::chrono::seconds kSettleMax{60};
inline constexpr size_t kOpenOrdersMax = 2;
inline constexpr size_t kRememberedMax = 3;

inline std::string ShowtimeOf(int index) {
  return "show-" + std::to_string(index);
}

// What threads tell each other: how often the server was started, how much was acknowledged.
class Progress {
 public:
  void Restarted() {
    base::MutexLock lock(mu_);
    ++starts_;
    acks_ = 0;
  }
  void Acknowledged() {
    base::MutexLock lock(mu_);
    ++acks_;
    changed_.NotifyAll();
  }
  int starts() const {
    base::MutexLock lock(mu_);
    return starts_;
  }
  // False where it takes longer than 30 s.
  bool WaitForAcks(int count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    base::MutexLock lock(mu_);
    while (acks_ < count && std::chrono::steady_clock::now() < deadline) {
      changed_.WaitFor(mu_, std::chrono::milliseconds(100));
    }
    return acks_ >= count;
  }

 private:
  mutable base::Mutex mu_;
  base::CondVar changed_;
  int starts_ ABSL_GUARDED_BY(mu_) = 0;
  int acks_ ABSL_GUARDED_BY(mu_) = 0;
};

// One caller: locks, unlocks, books and cancels at random, retries what a crash left open with the
// same request_id, and after each restart asks again what was answered before it.
class Worker {
 public:
  using Kind = Operation::Kind;
  using Outcome = Operation::Outcome;

  // Asks the next of `servers` after each failed call. One that does not answer costs `deadline`.
  Worker(int index, const std::vector<std::string>& servers, Progress& progress, uint64_t seed,
         std::chrono::milliseconds deadline = std::chrono::seconds(20))
      : index_(index), progress_(progress), random_(seed), server_(index) {
    for (const std::string& address : servers) {
      clients_.push_back(std::make_unique<SeatLockClient>(address, deadline));
      clients_.back()->set_wait_for_ready(servers.size() == 1);
    }
  }

  void Run(const std::atomic<bool>& stop) {
    while (!stop && problem_.empty()) {
      Lock();
      if (progress_.starts() != starts_) AskAgain();
      while (open_orders_.size() > kOpenOrdersMax) CancelOldest();
    }
    while (!open_orders_.empty() && problem_.empty()) CancelOldest();
  }

  const std::vector<Operation>& operations() const { return operations_; }
  const std::string& problem() const { return problem_; }
  // Whether it has a problem; may be asked while it runs.
  bool objects() const { return objects_; }
  int asked_again() const { return asked_again_; }
  int retried() const { return retried_; }

 private:
  struct Remembered {
    v1::LockSeatRequest request;
    v1::LockSeatResponse response;
  };

  void Object(const std::string& problem) {
    problem_ = problem;
    objects_ = true;
  }
  SeatLockClient& client() { return *clients_[server_ % clients_.size()]; }
  int Below(int bound) { return static_cast<int>(random_() % bound); }
  std::string NextId(const char* kind) {
    return std::string(kind) + std::to_string(index_) + "-" + std::to_string(++ids_);
  }

  // Repeats `call` until the server says what became of it.
  template <typename Call>
  auto Settle(const Call& call) {
    const auto deadline = std::chrono::steady_clock::now() + kSettleMax;
    times_.first_asked = times_.last_asked = std::chrono::steady_clock::now();
    auto answer = call();
    times_.answered = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < deadline) {
      const grpc::StatusCode code = answer.status.error_code();
      if (code != grpc::StatusCode::UNAVAILABLE && code != grpc::StatusCode::DEADLINE_EXCEEDED) {
        return answer;
      }
      ++retried_;
      ++server_;
      times_.last_asked = std::chrono::steady_clock::now();
      answer = call();
      times_.answered = std::chrono::steady_clock::now();
    }
    Object("never settled: " + answer.status.error_message());
    return answer;
  }

  // Writes down how `operation` ended; whether it was acknowledged.
  bool Record(Operation operation, const grpc::Status& status, uint64_t revision) {
    const bool refused = status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    // It went in, and ended before a server that stood still could answer.
    const bool ended = operation.kind == Kind::kLock && IsLockExpired(status);
    if (!status.ok() && !refused && !ended) Object("strange status: " + status.error_message());
    operation.outcome = status.ok() ? Outcome::kAcknowledged
                        : refused   ? Outcome::kRefused
                                    : Outcome::kUnknown;
    operation.revision = revision;
    operation.times = times_;
    operations_.push_back(operation);
    if (status.ok()) progress_.Acknowledged();
    return status.ok();
  }

  void Lock() {
    Operation operation{.kind = Kind::kLock,
                        .showtime = ShowtimeOf(Below(kShowtimes)),
                        .seat = "A" + std::to_string(Below(kSeats)),
                        .session = NextId("s")};
    const bool short_lived = Below(4) == 0;
    const auto request =
        LockSeatRequestOf(operation.showtime, operation.seat, operation.session,
                          {.ttl_ms = short_lived ? 1000 : 600'000, .request_id = NextId("r")});
    const auto answer =
        Settle([&] { return client().Call(&SeatLockClient::Stub::LockSeat, request); });
    if (!Record(operation, answer.status, answer.response.revision())) return;
    Remember(request, answer.response);
    if (short_lived) return;  // left to expire
    if (Below(2) == 0) {
      Unlock(operation);
    } else {
      Book(operation);
    }
  }

  void Unlock(Operation operation) {
    operation.kind = Kind::kUnlock;
    const std::string id = NextId("r");
    const auto answer = Settle(
        [&] { return client().Unlock(operation.showtime, operation.seat, operation.session, id); });
    Record(operation, answer.status, answer.response.revision());
  }

  void Book(Operation operation) {
    operation.kind = Kind::kBook;
    operation.order = NextId("o");
    const BookOptions options{.request_id = NextId("r"), .only_held = true};
    const auto answer = Settle([&] {
      return client().Book(operation.showtime, {operation.seat}, operation.session, operation.order,
                           options);
    });
    if (Record(operation, answer.status, answer.response.revision())) {
      open_orders_.push_back(operation);
    }
  }

  void CancelOldest() {
    Operation operation = open_orders_.front();
    open_orders_.pop_front();
    operation.kind = Kind::kCancel;
    const CancelOptions options{.request_id = NextId("r")};
    const auto answer =
        Settle([&] { return client().Cancel(operation.showtime, {}, operation.order, options); });
    Record(operation, answer.status, answer.response.revision());
  }

  void Remember(const v1::LockSeatRequest& request, v1::LockSeatResponse response) {
    response.clear_server_time();
    remembered_.push_back({request, response});
    if (remembered_.size() > kRememberedMax) remembered_.pop_front();
  }

  static bool IsLockExpired(const grpc::Status& status) {
    return DecodeRefusal(status).reason == "LOCK_EXPIRED";
  }

  // The same request_id gives the same answer, whatever happened to the seat and the server. Only a
  // lock of a second may have ended meanwhile, and is then said to.
  void AskAgain() {
    starts_ = progress_.starts();
    for (const Remembered& known : remembered_) {
      auto answer =
          Settle([&] { return client().Call(&SeatLockClient::Stub::LockSeat, known.request); });
      answer.response.clear_server_time();
      ++asked_again_;
      if (known.request.ttl().seconds() <= 1 && IsLockExpired(answer.status)) continue;
      if (!answer.ok() ||
          answer.response.SerializeAsString() != known.response.SerializeAsString()) {
        Object("asked again: " + answer.status.error_message() + " " +
               answer.response.ShortDebugString() + ", not " + known.response.ShortDebugString());
      }
    }
  }

  const int index_;
  Progress& progress_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
  std::mt19937_64 random_;
  size_t server_;
  // Of the operation under way: when it was asked first and last, and when it was answered.
  Operation::Times times_;
  int ids_ = 0;
  int starts_ = 1;
  int asked_again_ = 0;
  int retried_ = 0;
  std::deque<Operation> open_orders_;
  std::deque<Remembered> remembered_;
  std::vector<Operation> operations_;
  std::string problem_;
  std::atomic<bool> objects_ = false;
};

// Follows one showtime through every crash, resuming by position.
class Follower {
 public:
  // Goes on with the next of `servers` each time a stream ends.
  Follower(std::string showtime, const std::vector<std::string>& servers)
      : showtime_(std::move(showtime)) {
    for (const std::string& address : servers) {
      clients_.push_back(std::make_unique<SeatLockClient>(address));
    }
  }

  // Ends once the view stands at `last_revision`, which is 0 until it is known.
  void Run() {
    while (problem_.empty() && !Done()) {
      const bool fresh = view_.revision() == 0;
      WatchStream watch(clients_[streams_ % clients_.size()]->stub(), showtime_,
                        fresh ? std::nullopt : std::make_optional(view_.position()));
      while (problem_.empty() && !Done()) {
        const auto message = watch.Next(std::chrono::milliseconds(100));
        if (!message.has_value()) {
          if (watch.WaitForEnd(std::chrono::milliseconds(0)).has_value()) break;
          continue;
        }
        const absl::Status status = view_.Apply(*message);
        if (!status.ok()) problem_ = std::string(status.message());
        revision_ = view_.revision();
        opened_ = true;
      }
      ++streams_;
    }
  }

  void FinishAt(uint64_t revision) { last_revision_ = revision; }
  void GiveUp() { given_up_ = true; }
  bool opened() const { return opened_; }
  uint64_t revision() const { return revision_; }
  // After Run.
  const ShowtimeView& view() const { return view_; }
  const std::string& problem() const { return problem_; }
  int streams() const { return streams_; }

 private:
  bool Done() const {
    return given_up_ || (last_revision_ > 0 && view_.revision() >= last_revision_);
  }

  const std::string showtime_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
  ShowtimeView view_;
  std::string problem_;
  int streams_ = 0;
  std::atomic<uint64_t> revision_ = 0;
  std::atomic<bool> opened_ = false;
  std::atomic<uint64_t> last_revision_ = 0;
  std::atomic<bool> given_up_ = false;
};

inline bool WaitUntil(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace seatlock::testing
