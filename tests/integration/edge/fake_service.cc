#include "tests/integration/edge/fake_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::testing {
namespace {

constexpr std::chrono::milliseconds kLook{20};

}  // namespace

class FakeService::Impl final : public v1::SeatLockService::Service {
 public:
  explicit Impl(FakeService& fake) : fake_(fake) {}

  grpc::Status WatchShowtime(grpc::ServerContext* context, const v1::WatchShowtimeRequest* request,
                             grpc::ServerWriter<v1::WatchShowtimeResponse>* writer) override {
    int number = 0;
    {
      base::MutexLock lock(fake_.store_->mu);
      ++fake_.streams_;
      number = ++fake_.streams_begun_;
    }
    std::optional<uint64_t> at;
    // Before the first change there is no epoch, and every change follows on it.
    const bool from_start = request->resume().revision() == 0 && request->resume().epoch().empty();
    if (request->has_resume() && (from_start || request->resume().epoch() == fake_.store_->epoch)) {
      at = request->resume().revision();
    }
    bool caught_up = false;
    while (std::optional<v1::WatchShowtimeResponse> next =
               Next(*context, *request, number, &caught_up, &at)) {
      if (!writer->Write(*next)) break;
    }
    base::MutexLock lock(fake_.store_->mu);
    --fake_.streams_;
    if (fake_.end_) return *fake_.end_;
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
    base::MutexLock lock(fake_.store_->mu);
    while (!fake_.stopping_ && !fake_.end_ && !fake_.refused_.contains(id) &&
           !context.IsCancelled()) {
      if (number <= fake_.held_back_) {
        fake_.store_->changed.WaitFor(fake_.store_->mu, kLook);
        continue;
      }
      const Showtime& showtime = fake_.store_->showtimes[id];
      v1::WatchShowtimeResponse response;
      if (!*at || **at + 1 < showtime.first_revision || **at > showtime.head()) {
        *at = showtime.head();
        if (showtime.head() > 0) {
          *caught_up = true;
          ++fake_.snapshots_;
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
        if (**at > 0) response.mutable_progress()->set_epoch(fake_.store_->epoch);
        return response;
      }
      fake_.store_->changed.WaitFor(fake_.store_->mu, kLook);
    }
    return std::nullopt;
  }

  v1::WatchShowtimeResponse Snapshot(const std::string& id, const Showtime& showtime,
                                     bool replaces) {
    v1::WatchShowtimeResponse response;
    v1::ShowtimeSnapshot& snapshot = *response.mutable_snapshot();
    snapshot.set_showtime_id(id);
    snapshot.set_epoch(fake_.store_->epoch);
    snapshot.set_revision(showtime.head());
    snapshot.set_replaces(replaces);
    for (const auto& [seat_id, seat] : showtime.seats) *snapshot.add_seats() = seat;
    return response;
  }

  FakeService& fake_;
};

FakeService::FakeService() : store_(std::make_shared<Store>()), host_("127.0.0.1") {
  Start();
}

FakeService::FakeService(const FakeService& other, const std::string& host)
    : store_(other.store_),
      host_(host.empty() ? "127.0.0.1" : host),
      port_(host.empty() ? 0 : other.port_) {
  Start();
}

FakeService::~FakeService() {
  Stop();
}

void FakeService::Start() {
  {
    base::MutexLock lock(store_->mu);
    stopping_ = false;
  }
  // A setting of the process, for servers that are built afterwards.
  grpc::EnableDefaultHealthCheckService(true);
  impl_ = std::make_unique<Impl>(*this);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials(), &port_);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.RegisterService(impl_.get());
  impl_->server = builder.BuildAndStart();
  SetServing(serving_);
}

void FakeService::Stop() {
  if (!impl_) return;
  {
    base::MutexLock lock(store_->mu);
    stopping_ = true;
  }
  store_->changed.NotifyAll();
  impl_->server->Shutdown(std::chrono::system_clock::now());
  impl_->server->Wait();
  impl_.reset();
}

std::string FakeService::address() const {
  return host_ + ":" + std::to_string(port_);
}

void FakeService::Say(const std::string& showtime_id, v1::Change change) {
  {
    base::MutexLock lock(store_->mu);
    Showtime& showtime = store_->showtimes[showtime_id];
    change.set_showtime_id(showtime_id);
    change.set_epoch(store_->epoch);
    change.set_revision(showtime.head() + 1);
    change.mutable_commit_time()->set_seconds(1'700'000'000);
    for (const v1::Seat& seat : change.seats()) {
      showtime.seats.erase(seat.seat_id());
      if (seat.status() != v1::SEAT_STATUS_AVAILABLE) showtime.seats[seat.seat_id()] = seat;
    }
    showtime.changes.push_back(std::move(change));
  }
  store_->changed.NotifyAll();
}

void FakeService::Trim(const std::string& showtime_id) {
  base::MutexLock lock(store_->mu);
  Showtime& showtime = store_->showtimes[showtime_id];
  showtime.first_revision = showtime.head() + 1;
  showtime.changes.clear();
}

void FakeService::HoldBackOpenStreams() {
  base::MutexLock lock(store_->mu);
  held_back_ = streams_begun_;
}

void FakeService::HoldBackAll() {
  base::MutexLock lock(store_->mu);
  held_back_ = std::numeric_limits<int>::max();
}

void FakeService::LetGo() {
  base::MutexLock lock(store_->mu);
  held_back_ = 0;
}

void FakeService::Refuse(const std::string& showtime_id) {
  base::MutexLock lock(store_->mu);
  refused_.insert(showtime_id);
  store_->changed.NotifyAll();
}

void FakeService::ServeAgain(const std::string& showtime_id) {
  base::MutexLock lock(store_->mu);
  refused_.erase(showtime_id);
}

void FakeService::UseOtherStore() {
  store_ = std::make_shared<Store>();
  store_->epoch = "epoch-2";
}

void FakeService::SetServing(bool serving) {
  serving_ = serving;
  if (impl_) impl_->server->GetHealthCheckService()->SetServingStatus(serving);
}

void FakeService::EndStreams(const grpc::Status& status) {
  base::MutexLock lock(store_->mu);
  end_ = status;
  store_->changed.NotifyAll();
}

void FakeService::Serve() {
  base::MutexLock lock(store_->mu);
  end_.reset();
}

int FakeService::streams() const {
  base::MutexLock lock(store_->mu);
  return streams_;
}

int FakeService::streams_begun() const {
  base::MutexLock lock(store_->mu);
  return streams_begun_;
}

int FakeService::snapshots() const {
  base::MutexLock lock(store_->mu);
  return snapshots_;
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
