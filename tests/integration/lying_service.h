// A SeatLockService that lies in one way, to see that seatctl bench finds it out. It locks and
// frees seats of any showtime, and knows no time. Thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/scripted_service.h"
#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::testing {

enum class Lie {
  kNone,
  kGrantsHeldSeats,  // a lock is given to whoever asks, though another session has it
  kForgetsSome,      // every fourth lock is acknowledged and never made
  kLeavesOut,        // streams leave out revision 3
  kFreesNothing,     // unlocks are acknowledged and never made
};

class LyingService final : public v1::SeatLockService::Service {
 public:
  explicit LyingService(Lie lie) : lie_(lie) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~LyingService() override {
    {
      base::MutexLock lock(mu_);
      over_ = true;
      changed_.NotifyAll();
    }
    server_->Shutdown(std::chrono::system_clock::now());
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status LockSeat(grpc::ServerContext*, const v1::LockSeatRequest* request,
                        v1::LockSeatResponse* response) override {
    base::MutexLock lock(mu_);
    Showtime& showtime = showtimes_[request->showtime_id()];
    const auto held = showtime.seats.find(request->seat_id());
    const bool taken =
        held != showtime.seats.end() && held->second.session_id() != request->session_id();
    if (taken && lie_ != Lie::kGrantsHeldSeats) {
      return client::Refusal(grpc::StatusCode::FAILED_PRECONDITION, "SEAT_TAKEN", {});
    }
    v1::Seat seat;
    seat.set_seat_id(request->seat_id());
    seat.set_status(v1::SEAT_STATUS_LOCKED);
    seat.set_session_id(request->session_id());
    seat.mutable_expire_time()->set_seconds(4'000'000'000);
    const bool forget = lie_ == Lie::kForgetsSome && ++locks_ % 4 == 0;
    const uint64_t revision = showtime.changes.size() + 1;
    if (!forget) Add(request->showtime_id(), showtime, seat, v1::CHANGE_CAUSE_LOCK);
    response->mutable_lock()->set_seat_id(seat.seat_id());
    response->mutable_lock()->set_session_id(seat.session_id());
    *response->mutable_lock()->mutable_expire_time() = seat.expire_time();
    response->mutable_lock()->set_fence(revision);
    response->set_revision(revision);
    *response->mutable_server_time() = Now();
    return grpc::Status::OK;
  }

  grpc::Status UnlockSeats(grpc::ServerContext*, const v1::UnlockSeatsRequest* request,
                           v1::UnlockSeatsResponse* response) override {
    base::MutexLock lock(mu_);
    Showtime& showtime = showtimes_[request->showtime_id()];
    std::vector<v1::Seat> mine;
    for (const auto& [id, seat] : showtime.seats) {
      if (seat.session_id() == request->session_id()) mine.push_back(seat);
    }
    for (v1::Seat& seat : mine) {
      if (lie_ == Lie::kFreesNothing) break;
      seat.set_status(v1::SEAT_STATUS_AVAILABLE);
      seat.clear_expire_time();
      Add(request->showtime_id(), showtime, seat, v1::CHANGE_CAUSE_UNLOCK);
    }
    response->set_revision(showtime.changes.size());
    *response->mutable_server_time() = Now();
    return grpc::Status::OK;
  }

  grpc::Status GetShowtime(grpc::ServerContext*, const v1::GetShowtimeRequest* request,
                           v1::GetShowtimeResponse* response) override {
    base::MutexLock lock(mu_);
    const Showtime& showtime = showtimes_[request->showtime_id()];
    v1::ShowtimeSnapshot& snapshot = *response->mutable_snapshot();
    snapshot.set_showtime_id(request->showtime_id());
    snapshot.set_epoch("e");
    snapshot.set_revision(showtime.changes.size());
    for (const auto& [id, seat] : showtime.seats) *snapshot.add_seats() = seat;
    return grpc::Status::OK;
  }

  // Every change from the start, whatever position was named.
  grpc::Status WatchShowtime(grpc::ServerContext* context, const v1::WatchShowtimeRequest* request,
                             grpc::ServerWriter<v1::WatchShowtimeResponse>* writer) override {
    v1::WatchShowtimeResponse first;
    first.mutable_progress()->set_revision(0);
    if (!writer->Write(first)) return grpc::Status::OK;
    for (size_t next = 0;; ++next) {
      v1::WatchShowtimeResponse message;
      {
        base::MutexLock lock(mu_);
        const Showtime& showtime = showtimes_[request->showtime_id()];
        while (next >= showtime.changes.size() && !over_ && !context->IsCancelled()) {
          changed_.WaitFor(mu_, std::chrono::milliseconds(10));
        }
        if (next >= showtime.changes.size()) return grpc::Status::OK;
        *message.mutable_change() = showtime.changes[next];
      }
      if (lie_ == Lie::kLeavesOut && message.change().revision() == 3) continue;
      if (!writer->Write(message)) return grpc::Status::OK;
    }
  }

 private:
  struct Showtime {
    std::vector<v1::Change> changes;
    std::map<std::string, v1::Seat> seats;
  };

  static google::protobuf::Timestamp Now() {
    google::protobuf::Timestamp now;
    now.set_seconds(std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count());
    return now;
  }

  void Add(const std::string& id, Showtime& showtime, const v1::Seat& seat, v1::ChangeCause cause)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    v1::Change change;
    change.set_showtime_id(id);
    change.set_epoch("e");
    change.set_revision(showtime.changes.size() + 1);
    *change.mutable_commit_time() = Now();
    change.set_cause(cause);
    *change.add_seats() = seat;
    showtime.changes.push_back(change);
    if (seat.status() == v1::SEAT_STATUS_AVAILABLE) {
      showtime.seats.erase(seat.seat_id());
    } else {
      showtime.seats[seat.seat_id()] = seat;
    }
    changed_.NotifyAll();
  }

  const Lie lie_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  base::Mutex mu_;
  base::CondVar changed_;
  std::map<std::string, Showtime> showtimes_ ABSL_GUARDED_BY(mu_);
  int locks_ ABSL_GUARDED_BY(mu_) = 0;
  bool over_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::testing
