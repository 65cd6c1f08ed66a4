#include "tests/integration/edge/fake_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <utility>

#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::testing {
namespace {

constexpr char kEpoch[] = "epoch-1";
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

class FakeService::Impl final : public v1::SeatLockService::Service {
 public:
  explicit Impl(FakeService& fake) : fake_(fake) {}

  grpc::Status WatchShowtime(grpc::ServerContext* context, const v1::WatchShowtimeRequest* request,
                             grpc::ServerWriter<v1::WatchShowtimeResponse>* writer) override {
    int number = 0;
    {
      base::MutexLock lock(fake_.mu_);
      ++fake_.streams_;
      number = ++fake_.streams_begun_;
    }
    std::optional<uint64_t> at;
    // Before the first change there is no epoch, and every change follows on it.
    const bool from_start = request->resume().revision() == 0 && request->resume().epoch().empty();
    if (request->has_resume() && (from_start || request->resume().epoch() == kEpoch)) {
      at = request->resume().revision();
    }
    bool caught_up = false;
    while (std::optional<v1::WatchShowtimeResponse> next =
               Next(*context, *request, number, &caught_up, &at)) {
      if (!writer->Write(*next)) break;
    }
    base::MutexLock lock(fake_.mu_);
    --fake_.streams_;
    if (fake_.refused_.contains(request->showtime_id())) {
      return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watches on this server");
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  }

  std::unique_ptr<grpc::Server> server;

 private:
  // The next message after `at`; none where the stream has to end.
  std::optional<v1::WatchShowtimeResponse> Next(grpc::ServerContext& context,
                                                const v1::WatchShowtimeRequest& request, int number,
                                                bool* caught_up, std::optional<uint64_t>* at) {
    const std::string& id = request.showtime_id();
    base::MutexLock lock(fake_.mu_);
    while (!fake_.stopping_ && !fake_.refused_.contains(id) && !context.IsCancelled()) {
      if (number <= fake_.held_back_) {
        fake_.changed_.WaitFor(fake_.mu_, kLook);
        continue;
      }
      const Showtime& showtime = fake_.showtimes_[id];
      v1::WatchShowtimeResponse response;
      if (!*at || **at + 1 < showtime.first_revision || **at > showtime.head()) {
        *at = showtime.head();
        if (showtime.head() > 0) {
          *caught_up = true;
          return Snapshot(id, showtime, request.has_resume());
        }
      }
      if (**at < showtime.head()) {
        *response.mutable_change() = showtime.changes[**at + 1 - showtime.first_revision];
        ++**at;
        return response;
      }
      if (!std::exchange(*caught_up, true)) {
        response.mutable_progress()->set_revision(**at);
        if (**at > 0) response.mutable_progress()->set_epoch(kEpoch);
        return response;
      }
      fake_.changed_.WaitFor(fake_.mu_, kLook);
    }
    return std::nullopt;
  }

  static v1::WatchShowtimeResponse Snapshot(const std::string& id, const Showtime& showtime,
                                            bool replaces) {
    v1::WatchShowtimeResponse response;
    v1::ShowtimeSnapshot& snapshot = *response.mutable_snapshot();
    snapshot.set_showtime_id(id);
    snapshot.set_epoch(kEpoch);
    snapshot.set_revision(showtime.head());
    snapshot.set_replaces(replaces);
    for (const auto& [seat_id, seat] : showtime.seats) *snapshot.add_seats() = seat;
    return response;
  }

  FakeService& fake_;
};

FakeService::FakeService() {
  Start();
}

FakeService::~FakeService() {
  Stop();
}

void FakeService::Start() {
  {
    base::MutexLock lock(mu_);
    stopping_ = false;
  }
  impl_ = std::make_unique<Impl>(*this);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::InsecureServerCredentials(),
                           &port_);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.RegisterService(impl_.get());
  impl_->server = builder.BuildAndStart();
}

void FakeService::Stop() {
  if (!impl_) return;
  {
    base::MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
  impl_.reset();
}

std::string FakeService::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void FakeService::Say(const std::string& showtime_id, v1::Change change) {
  {
    base::MutexLock lock(mu_);
    Showtime& showtime = showtimes_[showtime_id];
    change.set_showtime_id(showtime_id);
    change.set_epoch(kEpoch);
    change.set_revision(showtime.head() + 1);
    change.mutable_commit_time()->set_seconds(1'700'000'000);
    for (const v1::Seat& seat : change.seats()) {
      showtime.seats.erase(seat.seat_id());
      if (seat.status() != v1::SEAT_STATUS_AVAILABLE) showtime.seats[seat.seat_id()] = seat;
    }
    showtime.changes.push_back(std::move(change));
  }
  changed_.NotifyAll();
}

void FakeService::Trim(const std::string& showtime_id) {
  base::MutexLock lock(mu_);
  Showtime& showtime = showtimes_[showtime_id];
  showtime.first_revision = showtime.head() + 1;
  showtime.changes.clear();
}

void FakeService::HoldBackOpenStreams() {
  base::MutexLock lock(mu_);
  held_back_ = streams_begun_;
}

void FakeService::LetGo() {
  base::MutexLock lock(mu_);
  held_back_ = 0;
}

void FakeService::Refuse(const std::string& showtime_id) {
  base::MutexLock lock(mu_);
  refused_.insert(showtime_id);
  changed_.NotifyAll();
}

void FakeService::ServeAgain(const std::string& showtime_id) {
  base::MutexLock lock(mu_);
  refused_.erase(showtime_id);
}

int FakeService::streams() const {
  base::MutexLock lock(mu_);
  return streams_;
}

v1::Seat LockedSeat(const std::string& seat_id, const std::string& session_id, int64_t expires_s) {
  v1::Seat seat = SeatOf(seat_id, v1::SEAT_STATUS_LOCKED);
  seat.set_session_id(session_id);
  seat.mutable_expire_time()->set_seconds(expires_s);
  return seat;
}

v1::Seat FreedSeat(const std::string& seat_id, const std::string& session_id) {
  v1::Seat seat = SeatOf(seat_id, v1::SEAT_STATUS_AVAILABLE);
  seat.set_session_id(session_id);
  return seat;
}

v1::Seat SeatOf(const std::string& seat_id, v1::SeatStatus status) {
  v1::Seat seat;
  seat.set_seat_id(seat_id);
  seat.set_status(status);
  return seat;
}

v1::Change ChangeOf(v1::ChangeCause cause, const std::vector<v1::Seat>& seats) {
  v1::Change change;
  change.set_cause(cause);
  for (const v1::Seat& seat : seats) *change.add_seats() = seat;
  return change;
}

}  // namespace seatlock::testing
