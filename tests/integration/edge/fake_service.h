// A seat service that says what a test tells it to: WatchShowtime over real gRPC, with history,
// resume and snapshots as the contract has them, grpc.health.v1, and a switch to turn it off and on
// again on the same port. Several may be servers of one store. Thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::testing {

class FakeService {
 public:
  FakeService();
  // Another server of the store of `other`; if `host` (a loopback address) is given, on the port of
  // `other`.
  explicit FakeService(const FakeService& other, const std::string& host = "");
  ~FakeService();

  // Starts to serve; on the port it had before, if it had one.
  void Start();
  // Ends every stream and frees the port.
  void Stop();
  // "127.0.0.1:PORT", if no other host was given.
  std::string address() const;

  // Appends a change to a showtime; epoch and revision are filled in.
  void Say(const std::string& showtime_id, v1::Change change);
  // Forgets a showtime's changes: whoever resumes gets a snapshot of them in their place.
  void Trim(const std::string& showtime_id);
  // Streams that are open now hear nothing more, later ones do; until LetGo().
  void HoldBackOpenStreams();
  // Nor do those to come.
  void HoldBackAll();
  void LetGo();
  // Streams of this showtime are refused, as by a service that has too many watches; until
  // ServeAgain().
  void Refuse(const std::string& showtime_id);
  void ServeAgain(const std::string& showtime_id);
  // Stands on a store of its own from now on, with another history. While it is turned off.
  void UseOtherStore();
  // What its health says; kept while it is turned off.
  void SetServing(bool serving);
  // Streams, also those to come, end with this; until Serve().
  void EndStreams(const grpc::Status& status);
  void Serve();
  // Streams that are open now, and how many there were.
  int streams() const;
  int streams_begun() const;
  // Snapshots that it has sent.
  int snapshots() const;

 private:
  class Impl;
  struct Showtime {
    std::map<std::string, v1::Seat> seats;
    std::vector<v1::Change> changes;  // Revisions first_revision and up.
    uint64_t first_revision = 1;
    uint64_t head() const { return first_revision + changes.size() - 1; }
  };

  // What all servers of it share. Its mutex guards what is each one's own, too.
  struct Store {
    base::Mutex mu;
    base::CondVar changed;
    std::string epoch = "epoch-1";
    std::map<std::string, Showtime> showtimes ABSL_GUARDED_BY(mu);
  };

  std::shared_ptr<Store> store_;
  std::set<std::string> refused_ ABSL_GUARDED_BY(store_->mu);
  bool stopping_ ABSL_GUARDED_BY(store_->mu) = false;
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(store_->mu);
  int streams_ ABSL_GUARDED_BY(store_->mu) = 0;
  int streams_begun_ ABSL_GUARDED_BY(store_->mu) = 0;
  int snapshots_ ABSL_GUARDED_BY(store_->mu) = 0;
  int held_back_ ABSL_GUARDED_BY(store_->mu) = 0;  // So many of the first that were begun.
  bool serving_ = true;
  const std::string host_;
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
