#include "services/seatlock/rpc/service.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "services/seatlock/domain/decide.h"
#include "services/seatlock/domain/limits.h"
#include "services/seatlock/domain/validate.h"
#include "services/seatlock/rpc/convert.h"
#include "services/seatlock/rpc/cutter.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/mutate.h"
#include "services/seatlock/rpc/page_token.h"
#include "services/seatlock/rpc/raw_message.h"
#include "services/seatlock/rpc/status.h"
#include "services/seatlock/rpc/unary_call.h"
#include "services/seatlock/rpc/watch_call.h"

namespace seatlock::rpc {
namespace {

using domain::FieldViolation;

// The violations among `checks`.
std::vector<FieldViolation> Found(std::vector<std::optional<FieldViolation>> checks) {
  std::vector<FieldViolation> found;
  for (std::optional<FieldViolation>& check : checks) {
    if (check) found.push_back(*std::move(check));
  }
  return found;
}

std::optional<FieldViolation> CheckPageSize(int32_t size) {
  if (size >= 0) return std::nullopt;
  return FieldViolation{"page_size", "must not be negative"};
}

std::optional<FieldViolation> CheckPageToken(bool is_ours) {
  if (is_ours) return std::nullopt;
  return FieldViolation{"page_token", "must be the next_page_token of an answer, unchanged"};
}

size_t PageSize(int32_t asked) {
  return static_cast<size_t>(asked == 0 ? kListPageDefault : std::min(asked, kListPageMax));
}

v1::OrderState ToProto(const domain::OrderEntry* order) {
  if (order == nullptr) return v1::ORDER_STATE_UNKNOWN;
  return order->closed ? v1::ORDER_STATE_CANCELLED : v1::ORDER_STATE_OPEN;
}

// GetShowtimeResponse, whose seats are shared with all who ask at this revision.
grpc::ByteBuffer ShowtimeResponse(const engine::WatchEncoder& encoder, const std::string& showtime,
                                  const engine::SeatSnapshot& snapshot, int64_t now_ms) {
  engine::SnapshotPart part{snapshot.position};
  part.seat_bytes = snapshot.seat_bytes;
  v1::GetShowtimeResponse rest;
  SetTime(now_ms, rest.mutable_server_time());
  std::vector<engine::Bytes> parts{std::make_shared<const std::string>(
      encoder.EncodeSnapshotHead(domain::ShowtimeId(showtime), part))};
  parts.insert(parts.end(), snapshot.seats.begin(), snapshot.seats.end());
  parts.push_back(std::make_shared<const std::string>(rest.SerializeAsString()));
  return Share(parts);
}

}  // namespace

Service::Service(engine::Engine& engine, Calls& calls) : engine_(engine), calls_(calls) {}

grpc::ServerUnaryReactor* Service::LockSeat(grpc::CallbackServerContext* context,
                                            const v1::LockSeatRequest* request,
                                            v1::LockSeatResponse* response) {
  return Mutate(engine_, calls_, Method::kLockSeat, context, request, response);
}

grpc::ServerUnaryReactor* Service::LockSeats(grpc::CallbackServerContext* context,
                                             const v1::LockSeatsRequest* request,
                                             v1::LockSeatsResponse* response) {
  return Mutate(engine_, calls_, Method::kLockSeats, context, request, response);
}

grpc::ServerUnaryReactor* Service::UnlockSeat(grpc::CallbackServerContext* context,
                                              const v1::UnlockSeatRequest* request,
                                              v1::UnlockSeatResponse* response) {
  return Mutate(engine_, calls_, Method::kUnlockSeat, context, request, response);
}

grpc::ServerUnaryReactor* Service::UnlockSeats(grpc::CallbackServerContext* context,
                                               const v1::UnlockSeatsRequest* request,
                                               v1::UnlockSeatsResponse* response) {
  return Mutate(engine_, calls_, Method::kUnlockSeats, context, request, response);
}

grpc::ServerUnaryReactor* Service::ExtendLocks(grpc::CallbackServerContext* context,
                                               const v1::ExtendLocksRequest* request,
                                               v1::ExtendLocksResponse* response) {
  return Mutate(engine_, calls_, Method::kExtendLocks, context, request, response);
}

grpc::ServerUnaryReactor* Service::BookSeats(grpc::CallbackServerContext* context,
                                             const v1::BookSeatsRequest* request,
                                             v1::BookSeatsResponse* response) {
  return Mutate(engine_, calls_, Method::kBookSeats, context, request, response);
}

grpc::ServerUnaryReactor* Service::CancelBooking(grpc::CallbackServerContext* context,
                                                 const v1::CancelBookingRequest* request,
                                                 v1::CancelBookingResponse* response) {
  return Mutate(engine_, calls_, Method::kCancelBooking, context, request, response);
}

grpc::ServerUnaryReactor* Service::GetOrder(grpc::CallbackServerContext* context,
                                            const v1::GetOrderRequest* request,
                                            v1::GetOrderResponse* response) {
  UnaryCall call(calls_, Method::kGetOrder, context);
  if (call.refused()) return call.reactor();
  call.NoteShowtime(request->showtime_id());
  auto violations =
      Found({CheckShowtime(request->showtime_id()),
             domain::CheckId("order_id", request->order_id(), domain::kOrderIdBytesMax)});
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  engine::Query query;
  query.read = [call, request, response](const engine::View& view) -> base::Task {
    const domain::OrderEntry* order = view.state.FindOrder(domain::OrderId(request->order_id()));
    response->set_state(ToProto(order));
    if (order != nullptr) {
      for (const domain::SeatId& seat : order->seats) response->add_seat_ids(seat.value());
    }
    response->set_revision(view.state.revision().value());
    return [call, response] { call.Finish(grpc::Status::OK, response->revision()); };
  };
  query.fail = [call](engine::Failure failure) { call.Finish(ToStatus(failure)); };
  query.cancelled = [call] { return call.Gone(); };
  engine_.Read(domain::ShowtimeId(request->showtime_id()), std::move(query));
  return call.reactor();
}

grpc::ServerUnaryReactor* Service::ListShowtimes(grpc::CallbackServerContext* context,
                                                 const v1::ListShowtimesRequest* request,
                                                 v1::ListShowtimesResponse* response) {
  UnaryCall call(calls_, Method::kListShowtimes, context);
  if (call.refused()) return call.reactor();
  std::optional<domain::ShowtimeId> after = ParsePageToken(request->page_token());
  auto violations = Found({CheckPageSize(request->page_size()), CheckPageToken(after.has_value())});
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  engine::ListQuery query;
  query.after = *std::move(after);
  query.limit = PageSize(request->page_size());
  query.done = [call, response](const engine::SummaryPage& page) {
    for (const engine::Summary& summary : page.showtimes) {
      SetSummary(summary, response->add_showtimes());
    }
    if (page.more) response->set_next_page_token(PageTokenAfter(page.last));
    call.Finish(grpc::Status::OK);
  };
  query.fail = [call](const engine::Failure& failure) { call.Finish(ToStatus(failure)); };
  query.cancelled = [call] { return call.Gone(); };
  engine_.List(std::move(query));
  return call.reactor();
}

namespace {

// A call of GetShowtime. Its answer holds on to a snapshot until the caller has taken it, so the
// engine is told of it as of a watcher. Owns itself: gRPC's OnDone ends it.
class ShowtimeCall final : public grpc::ServerUnaryReactor {
 public:
  class Answer final : public engine::Recipient {
   public:
    explicit Answer(grpc::CallbackServerContext& context) : cutter_(context) {}

    std::optional<int64_t> busy_since_ms() const override {
      const int64_t since_ms = since_ms_;
      return since_ms < 0 ? std::nullopt : std::optional(since_ms);
    }
    void Shed(engine::Failure /*failure*/) override { since_ms_ = -1; }
    void Cut() override { cutter_.Cut(); }

    int64_t handed_bytes() const override { return bytes_; }

    void HandedOver(size_t bytes, int64_t now_ms) {
      bytes_ = static_cast<int64_t>(bytes);
      since_ms_ = now_ms;
    }
    void OnDone() { cutter_.OnDone(); }

   private:
    Cutter cutter_;
    std::atomic<int64_t> since_ms_{-1};  // -1: none
    std::atomic<int64_t> bytes_{0};
  };

  ShowtimeCall(engine::Recipients& recipients, grpc::CallbackServerContext& context)
      : recipients_(recipients), answer_(std::make_shared<Answer>(context)) {
    recipients_.Add(answer_);
  }
  const std::shared_ptr<Answer>& answer() const { return answer_; }

  void OnDone() override {
    recipients_.Remove(answer_.get());
    answer_->OnDone();
    delete this;
  }

 private:
  engine::Recipients& recipients_;
  const std::shared_ptr<Answer> answer_;
};

}  // namespace

grpc::ServerUnaryReactor* Service::GetShowtime(grpc::CallbackServerContext* context,
                                               const grpc::ByteBuffer* bytes,
                                               grpc::ByteBuffer* response) {
  auto* reactor = new ShowtimeCall(engine_.recipients(), *context);
  UnaryCall call(calls_, Method::kGetShowtime, context, reactor);
  if (call.refused()) return call.reactor();
  v1::GetShowtimeRequest request;
  if (!Parse(*bytes, &request)) {
    call.Finish(Unparsed());
    return call.reactor();
  }
  call.NoteShowtime(request.showtime_id());
  auto violations = Found({CheckShowtime(request.showtime_id())});
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  engine::SnapshotQuery query;
  query.done = [this, call, response, answer = reactor->answer(), showtime = request.showtime_id()](
                   std::shared_ptr<const engine::SeatSnapshot> snapshot) {
    if (snapshot->seat_bytes + kEnvelopeBytesMax > kShowtimeBytesMax) {
      return call.Finish(SnapshotTooLarge());
    }
    *response = ShowtimeResponse(engine_.encoder(), showtime, *snapshot, calls_.clock.NowMs());
    answer->HandedOver(snapshot->seat_bytes, calls_.clock.MonotonicMs());
    call.Finish(grpc::Status::OK, snapshot->position.revision.value());
  };
  query.fail = [call](engine::Failure failure) { call.Finish(ToStatus(failure)); };
  query.cancelled = [call] { return call.Gone(); };
  engine_.Read(domain::ShowtimeId(request.showtime_id()), std::move(query));
  return call.reactor();
}

grpc::ServerUnaryReactor* Service::ListSessionLocks(grpc::CallbackServerContext* context,
                                                    const v1::ListSessionLocksRequest* request,
                                                    v1::ListSessionLocksResponse* response) {
  UnaryCall call(calls_, Method::kListSessionLocks, context);
  if (call.refused()) return call.reactor();
  call.NoteShowtime(request->showtime_id());
  auto violations =
      Found({CheckShowtime(request->showtime_id()),
             domain::CheckId("session_id", request->session_id(), domain::kSessionIdBytesMax)});
  if (!violations.empty()) {
    call.Finish(InvalidFields(std::move(violations)));
    return call.reactor();
  }
  engine::Query query;
  query.read = [call, request, response](const engine::View& view) -> base::Task {
    const domain::ShowtimeId showtime(request->showtime_id());
    for (const domain::SeatId& id : view.state.HeldBy(domain::SessionId(request->session_id()))) {
      const domain::SeatView seat = *view.state.FindSeat(id);
      if (seat.expire_ms <= view.now_ms) continue;  // it lapsed while the answer waited
      SetLock(showtime, {id, seat.session, seat.expire_ms, seat.fence}, response->add_locks());
    }
    response->set_revision(view.state.revision().value());
    return [call, response] { call.Succeed(response); };
  };
  query.fail = [call](engine::Failure failure) { call.Finish(ToStatus(failure)); };
  query.cancelled = [call] { return call.Gone(); };
  engine_.Read(domain::ShowtimeId(request->showtime_id()), std::move(query));
  return call.reactor();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* Service::WatchShowtime(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return WatchCall::Start(engine_, calls_, *context, *request);
}

}  // namespace seatlock::rpc
