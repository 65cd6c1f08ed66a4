// One caller of a load: locks, extends, unlocks, books and cancels at random, asks for what is so
// already, reads, repeats requests, and notes every question with its answer for the judge.
//
// It retries what a crash left open with the same request_id, at the next server, and after each
// restart asks again what was answered before it. Every lock has a session of its own. Run has a
// thread of its own; the rest is for the test, once Run has returned.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/testing/call.h"
#include "tests/testing/load_progress.h"
#include "tests/testing/seatlock_client.h"

namespace seatlock::testing {

class Worker {
 public:
  struct Options {
    // A server that does not answer costs so much.
    std::chrono::milliseconds deadline = std::chrono::seconds(20);
    int seats = kSeats;  // of each showtime
  };

  // Asks the next of `servers` after each failed call.
  Worker(int index, const std::vector<std::string>& servers, Progress& progress, uint64_t seed,
         const Options& options);
  Worker(int index, const std::vector<std::string>& servers, Progress& progress, uint64_t seed)
      : Worker(index, servers, progress, seed, Options()) {}

  // Until `stop`; then cancels its orders and gives back what late attempts may have taken, so
  // that only locks of a second are left.
  void Run(const std::atomic<bool>& stop);

  // All that it asked and was told, in order.
  const std::vector<Call>& calls() const { return calls_; }
  const std::string& problem() const { return problem_; }
  // Whether it has a problem; may be asked while it runs.
  bool objects() const { return objects_; }
  int asked_again() const { return asked_again_; }
  int retried() const { return retried_; }

 private:
  using Stub = SeatLockClient::Stub;
  struct Remembered {
    v1::LockSeatRequest request;
    v1::LockSeatResponse response;
  };
  // What the calls of one turn are about.
  struct Turn {
    v1::LockSeatRequest lock;
    uint64_t fence = 0;
    bool short_lived = false;

    const std::string& showtime() const { return lock.showtime_id(); }
    const std::string& seat() const { return lock.seat_id(); }
    const std::string& session() const { return lock.session_id(); }
  };
  struct Order {
    std::string showtime;
    std::string id;
  };

  void Object(const std::string& problem);
  SeatLockClient& client() { return *clients_[server_ % clients_.size()]; }
  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  bool OneIn(int count) { return Below(count) == 0; }
  std::string NextId(const char* kind);

  // Asks until a server says what became of it, and notes that.
  template <typename Request, typename Response>
  Answer<Response> Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                    Response*),
                       const Request& request, Question question);
  template <typename Response>
  void Note(const std::string& showtime, Question question, const Answer<Response>& answer);
  // Before the next attempt.
  static void Pause(const grpc::Status& status);

  void TakeTurn();
  // After the lock was refused: asks for a seat that is another's, or was.
  void TryOthersSeat(const Turn& turn);
  void HoldOn(const Turn& turn);  // asks for what it has already, extends
  void GiveBack(const Turn& turn);
  void Buy(const Turn& turn, bool only_held);
  void CancelOldest();
  // A `tombstone` also bars a booking that comes later.
  void Cancel(const Order& order, bool tombstone = false);

  Answer<v1::LockSeatResponse> Lock(const v1::LockSeatRequest& request);
  void Unlock(const v1::LockSeatRequest& lock);
  void ReadShowtimeOf(const std::string& showtime);
  void ReadLocksOf(const Turn& turn);
  void ReadOrderOf(const Order& order);

  void Remember(const v1::LockSeatRequest& request, v1::LockSeatResponse response);
  void AskAgain();

  const int index_;
  const int seats_;
  Progress& progress_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
  std::mt19937_64 random_;
  size_t server_;
  Call::Times times_;  // of the call under way
  int ids_ = 0;
  int starts_ = 1;
  int asked_again_ = 0;
  int retried_ = 0;
  std::deque<Order> open_orders_;
  std::deque<Remembered> remembered_;
  // Asked for again: an attempt before the answered one may have landed after it.
  std::vector<v1::LockSeatRequest> doubtful_locks_;
  std::vector<Order> doubtful_orders_;  // whose booking was refused
  std::vector<Call> calls_;
  std::string problem_;
  std::atomic<bool> objects_ = false;
};

}  // namespace seatlock::testing
