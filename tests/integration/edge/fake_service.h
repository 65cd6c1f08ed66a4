// A seat service that says what a test tells it to: WatchShowtime over real gRPC, with history,
// resume and snapshots as the contract has them, and a switch to turn it off and on again on the
// same port. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::testing {

class FakeService {
 public:
  FakeService();
  ~FakeService();

  // Starts to serve; on the port it had before, if it had one.
  void Start();
  // Ends every stream and frees the port.
  void Stop();
  // "127.0.0.1:PORT".
  std::string address() const;

  // Appends a change to a showtime; epoch and revision are filled in.
  void Say(const std::string& showtime_id, v1::Change change);
  // Forgets a showtime's changes: whoever resumes gets a snapshot of them in their place.
  void Trim(const std::string& showtime_id);
  // Streams that are open now hear nothing more, later ones do; until LetGo().
  void HoldBackOpenStreams();
  void LetGo();
  // Streams of this showtime are refused, as by a service that has too many watches; until
  // ServeAgain().
  void Refuse(const std::string& showtime_id);
  void ServeAgain(const std::string& showtime_id);
  // Streams that are open now.
  int streams() const;

 private:
  class Impl;
  struct Showtime {
    std::map<std::string, v1::Seat> seats;
    std::vector<v1::Change> changes;  // Revisions first_revision and up.
    uint64_t first_revision = 1;
    uint64_t head() const { return first_revision + changes.size() - 1; }
  };

  mutable base::Mutex mu_;
  mutable base::CondVar changed_;
  std::map<std::string, Showtime> showtimes_ ABSL_GUARDED_BY(mu_);
  std::set<std::string> refused_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int streams_ ABSL_GUARDED_BY(mu_) = 0;
  int streams_begun_ ABSL_GUARDED_BY(mu_) = 0;
  int held_back_ ABSL_GUARDED_BY(mu_) = 0;  // So many of the first that were begun.
  int port_ = 0;
  std::unique_ptr<Impl> impl_;
};

// Seats for Say().
v1::Seat LockedSeat(const std::string& seat_id, const std::string& session_id,
                    int64_t expires_s = 1'800'000'000);
v1::Seat FreedSeat(const std::string& seat_id, const std::string& session_id);
v1::Seat SeatOf(const std::string& seat_id, v1::SeatStatus status);
v1::Change ChangeOf(v1::ChangeCause cause, const std::vector<v1::Seat>& seats);

}  // namespace seatlock::testing
