#include "tests/bench/watch_feed.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::bench {
namespace {

constexpr char kEpoch[] = "epoch-1";

using Message = std::shared_ptr<const v1::WatchShowtimeResponse>;

}  // namespace

class WatchFeed::Service final : public v1::SeatLockService::CallbackService {
 public:
  Service();
  // Ends every stream.
  ~Service() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  const std::string& address() const { return address_; }
  void Say(const std::string& showtime_id, v1::Change change);

  grpc::ServerWriteReactor<v1::WatchShowtimeResponse>* WatchShowtime(
      grpc::CallbackServerContext* context, const v1::WatchShowtimeRequest* request) override;

 private:
  friend class Stream;
  struct Showtime {
    uint64_t revision = 0;
    std::map<std::string, v1::Seat> seats;
    std::set<std::shared_ptr<Stream>> streams;
  };

  static Message Start(const std::string& id, const Showtime& showtime,
                       const v1::WatchShowtimeRequest& request);

  base::Mutex mu_;
  std::map<std::string, Showtime> showtimes_ ABSL_GUARDED_BY(mu_);
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

// One watcher. Its fields are guarded by the service's lock; gRPC's operations are started without
// it, because they may call back at once. Kept by itself until OnDone().
class WatchFeed::Stream final : public grpc::ServerWriteReactor<v1::WatchShowtimeResponse> {
 public:
  Stream(Service& service, std::string showtime_id)
      : service_(service), showtime_id_(std::move(showtime_id)) {}

  // Under the lock, as the first and before any Pump().
  void KeepSelf(std::shared_ptr<Stream> self) { self_ = std::move(self); }
  // Under the lock; a Pump() without it has to follow.
  void Queue(Message message) { queue_.push_back(std::move(message)); }

  // Writes what is next, or finishes once it was cancelled.
  void Pump() {
    bool finish = false;
    {
      base::MutexLock lock(service_.mu_);
      if (writing_ || finished_ || (!cancelled_ && queue_.empty())) return;
      finish = cancelled_;
      if (finish) {
        finished_ = true;
      } else {
        writing_ = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    // From here on nobody else starts anything until this has called back.
    if (finish) {
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping"));
    } else {
      StartWrite(writing_.get());
    }
  }

  void OnWriteDone(bool ok) override {
    {
      base::MutexLock lock(service_.mu_);
      writing_.reset();
      if (!ok) cancelled_ = true;
    }
    Pump();
  }
  void OnCancel() override {
    {
      base::MutexLock lock(service_.mu_);
      cancelled_ = true;
      service_.showtimes_[showtime_id_].streams.erase(self_);
    }
    Pump();
  }
  void OnDone() override {
    // Outside of the lock: this may be the last to know it.
    const std::shared_ptr<Stream> self = std::move(self_);
  }

 private:
  Service& service_;
  const std::string showtime_id_;
  std::shared_ptr<Stream> self_;
  std::deque<Message> queue_;
  Message writing_;
  bool cancelled_ = false;
  bool finished_ = false;
};

WatchFeed::Service::Service() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  // The edge pings every 20 s.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) std::abort();
  address_ = "127.0.0.1:" + std::to_string(port);
}

void WatchFeed::Service::Say(const std::string& showtime_id, v1::Change change) {
  std::vector<std::shared_ptr<Stream>> streams;
  {
    base::MutexLock lock(mu_);
    Showtime& showtime = showtimes_[showtime_id];
    change.set_showtime_id(showtime_id);
    change.set_epoch(kEpoch);
    change.set_revision(++showtime.revision);
    change.mutable_commit_time()->set_seconds(1'700'000'000);
    for (const v1::Seat& seat : change.seats()) {
      showtime.seats.erase(seat.seat_id());
      if (seat.status() != v1::SEAT_STATUS_AVAILABLE) showtime.seats[seat.seat_id()] = seat;
    }
    auto message = std::make_shared<v1::WatchShowtimeResponse>();
    *message->mutable_change() = std::move(change);
    streams.assign(showtime.streams.begin(), showtime.streams.end());
    for (const auto& stream : streams) stream->Queue(message);
  }
  for (const auto& stream : streams) stream->Pump();
}

grpc::ServerWriteReactor<v1::WatchShowtimeResponse>* WatchFeed::Service::WatchShowtime(
    grpc::CallbackServerContext* /*context*/, const v1::WatchShowtimeRequest* request) {
  auto stream = std::make_shared<Stream>(*this, request->showtime_id());
  {
    base::MutexLock lock(mu_);
    Showtime& showtime = showtimes_[request->showtime_id()];
    stream->KeepSelf(stream);
    stream->Queue(Start(request->showtime_id(), showtime, *request));
    showtime.streams.insert(stream);
  }
  stream->Pump();
  return stream.get();
}

Message WatchFeed::Service::Start(const std::string& id, const Showtime& showtime,
                                  const v1::WatchShowtimeRequest& request) {
  auto message = std::make_shared<v1::WatchShowtimeResponse>();
  const bool current = request.has_resume() && request.resume().epoch() == kEpoch &&
                       request.resume().revision() == showtime.revision;
  if (showtime.revision == 0 || current) {
    message->mutable_progress()->set_revision(showtime.revision);
    if (showtime.revision > 0) message->mutable_progress()->set_epoch(kEpoch);
    return message;
  }
  v1::ShowtimeSnapshot& snapshot = *message->mutable_snapshot();
  snapshot.set_showtime_id(id);
  snapshot.set_epoch(kEpoch);
  snapshot.set_revision(showtime.revision);
  snapshot.set_replaces(request.has_resume());
  for (const auto& [seat_id, seat] : showtime.seats) *snapshot.add_seats() = seat;
  return message;
}

WatchFeed::WatchFeed() : service_(std::make_unique<Service>()) {}

WatchFeed::~WatchFeed() = default;

std::string WatchFeed::address() const {
  return service_->address();
}

void WatchFeed::Say(const std::string& showtime_id, v1::Change change) {
  service_->Say(showtime_id, std::move(change));
}

}  // namespace seatlock::bench
