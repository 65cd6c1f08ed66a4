#include "tests/testing/seatlock_client.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "seatlock/v1/seats.pb.h"

namespace seatlock::testing {
namespace {

template <typename Repeated>
void SetAll(Repeated* field, const std::vector<std::string>& values) {
  field->Assign(values.begin(), values.end());
}

template <typename Request>
void SetTtl(Request& request, const std::optional<int64_t>& ttl_ms) {
  if (!ttl_ms.has_value()) return;
  request.mutable_ttl()->set_seconds(*ttl_ms / 1000);
  request.mutable_ttl()->set_nanos(static_cast<int32_t>(*ttl_ms % 1000 * 1'000'000));
}

template <typename Request>
void SetRequestId(Request& request, const std::optional<std::string>& id) {
  if (id.has_value()) request.set_request_id(*id);
}

void DecodeDetail(const google::protobuf::Any& detail, Refusal& refusal) {
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad;
  google::rpc::RetryInfo retry;
  v1::SeatConflicts conflicts;
  if (detail.UnpackTo(&info)) {
    refusal.domain = info.domain();
    refusal.reason = info.reason();
    refusal.metadata.insert(info.metadata().begin(), info.metadata().end());
  } else if (detail.UnpackTo(&bad)) {
    for (const auto& violation : bad.field_violations()) {
      refusal.fields.push_back(violation.field());
    }
  } else if (detail.UnpackTo(&retry)) {
    refusal.retry_after_ms =
        retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1'000'000;
  } else if (detail.UnpackTo(&conflicts)) {
    for (const v1::SeatConflict& conflict : conflicts.conflicts()) {
      refusal.conflicts.push_back({conflict.seat_id(), conflict.status(), conflict.reason()});
    }
  } else {
    absl::StrAppend(&refusal.unknown_details, detail.type_url(), " ");
  }
}

}  // namespace

Refusal DecodeRefusal(const grpc::Status& status) {
  Refusal refusal;
  refusal.code = status.error_code();
  refusal.message = status.error_message();
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) {
    refusal.unknown_details = "not a google.rpc.Status";
    return refusal;
  }
  for (const google::protobuf::Any& detail : rich.details()) DecodeDetail(detail, refusal);
  return refusal;
}

std::shared_ptr<grpc::Channel> TestChannel(const std::string& address,
                                           grpc::ChannelArguments args) {
  // A connection without calls is looked after every 5 s by default, so that a stopping server
  // would wait as long for its end. An own setting of the environment stands.
  static const int unused = setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100", 0);
  static_cast<void>(unused);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);  // bounds the attempt to connect
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), args);
}

SeatLockClient::SeatLockClient(const std::string& address, std::chrono::milliseconds deadline)
    : channel_(TestChannel(address)),
      stub_(v1::SeatLockService::NewStub(channel_)),
      deadline_(deadline) {
  // A first attempt that fails (seen under ThreadSanitizer, with a nonsensical errno) is made again
  // here, so that no test's first call is the one to hear of it. A server that is away is for the
  // calls to find.
  channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(3));
}

void SeatLockClient::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() + deadline_);
  context.set_wait_for_ready(wait_for_ready_);
}

v1::LockSeatRequest LockSeatRequestOf(const std::string& showtime, const std::string& seat,
                                      const std::string& session, const LockOptions& options) {
  v1::LockSeatRequest request;
  request.set_showtime_id(showtime);
  request.set_seat_id(seat);
  request.set_session_id(session);
  SetTtl(request, options.ttl_ms);
  SetRequestId(request, options.request_id);
  request.set_max_session_seats(options.max_session_seats);
  return request;
}

v1::LockSeatsRequest LockSeatsRequestOf(const std::string& showtime,
                                        const std::vector<std::string>& seats,
                                        const std::string& session, const LockOptions& options) {
  v1::LockSeatsRequest request;
  request.set_showtime_id(showtime);
  SetAll(request.mutable_seat_ids(), seats);
  SetAll(request.mutable_release_seat_ids(), options.release);
  request.set_session_id(session);
  SetTtl(request, options.ttl_ms);
  SetRequestId(request, options.request_id);
  request.set_max_session_seats(options.max_session_seats);
  return request;
}

v1::BookSeatsRequest BookSeatsRequestOf(const std::string& showtime,
                                        const std::vector<std::string>& seats,
                                        const std::string& session, const std::string& order,
                                        const BookOptions& options) {
  v1::BookSeatsRequest request;
  request.set_showtime_id(showtime);
  SetAll(request.mutable_seat_ids(), seats);
  request.set_session_id(session);
  request.set_order_id(order);
  SetRequestId(request, options.request_id);
  request.mutable_fences()->insert(options.fences.begin(), options.fences.end());
  request.set_only_held(options.only_held);
  request.set_add_to_order(options.add_to_order);
  return request;
}

Answer<v1::LockSeatResponse> SeatLockClient::Lock(const std::string& showtime,
                                                  const std::string& seat,
                                                  const std::string& session,
                                                  const LockOptions& options) {
  return Call(&Stub::LockSeat, LockSeatRequestOf(showtime, seat, session, options));
}

Answer<v1::LockSeatsResponse> SeatLockClient::LockMany(const std::string& showtime,
                                                       const Seats& seats,
                                                       const std::string& session,
                                                       const LockOptions& options) {
  return Call(&Stub::LockSeats, LockSeatsRequestOf(showtime, seats, session, options));
}

Answer<v1::UnlockSeatResponse> SeatLockClient::Unlock(const std::string& showtime,
                                                      const std::string& seat,
                                                      const std::string& session,
                                                      const RequestIdOption& request_id) {
  v1::UnlockSeatRequest request;
  request.set_showtime_id(showtime);
  request.set_seat_id(seat);
  request.set_session_id(session);
  SetRequestId(request, request_id);
  return Call(&Stub::UnlockSeat, request);
}

Answer<v1::UnlockSeatsResponse> SeatLockClient::UnlockMany(const std::string& showtime,
                                                           const Seats& seats,
                                                           const std::string& session,
                                                           const RequestIdOption& request_id) {
  v1::UnlockSeatsRequest request;
  request.set_showtime_id(showtime);
  SetAll(request.mutable_seat_ids(), seats);
  request.set_all(seats.empty());
  request.set_session_id(session);
  SetRequestId(request, request_id);
  return Call(&Stub::UnlockSeats, request);
}

Answer<v1::ExtendLocksResponse> SeatLockClient::Extend(const std::string& showtime,
                                                       const Seats& seats,
                                                       const std::string& session,
                                                       const LockOptions& options) {
  v1::ExtendLocksRequest request;
  request.set_showtime_id(showtime);
  SetAll(request.mutable_seat_ids(), seats);
  request.set_all(seats.empty());
  request.set_session_id(session);
  SetTtl(request, options.ttl_ms);
  SetRequestId(request, options.request_id);
  return Call(&Stub::ExtendLocks, request);
}

Answer<v1::BookSeatsResponse> SeatLockClient::Book(const std::string& showtime, const Seats& seats,
                                                   const std::string& session,
                                                   const std::string& order,
                                                   const BookOptions& options) {
  return Call(&Stub::BookSeats, BookSeatsRequestOf(showtime, seats, session, order, options));
}

Answer<v1::CancelBookingResponse> SeatLockClient::Cancel(const std::string& showtime,
                                                         const Seats& seats,
                                                         const std::string& order,
                                                         const CancelOptions& options) {
  v1::CancelBookingRequest request;
  request.set_showtime_id(showtime);
  SetAll(request.mutable_seat_ids(), seats);
  request.set_all(seats.empty());
  request.set_order_id(order);
  SetRequestId(request, options.request_id);
  request.set_tombstone(options.tombstone);
  return Call(&Stub::CancelBooking, request);
}

Answer<v1::GetOrderResponse> SeatLockClient::GetOrder(const std::string& showtime,
                                                      const std::string& order) {
  v1::GetOrderRequest request;
  request.set_showtime_id(showtime);
  request.set_order_id(order);
  return Call(&Stub::GetOrder, request);
}

Answer<v1::GetShowtimeResponse> SeatLockClient::Get(const std::string& showtime) {
  v1::GetShowtimeRequest request;
  request.set_showtime_id(showtime);
  return Call(&Stub::GetShowtime, request);
}

Answer<v1::ListShowtimesResponse> SeatLockClient::List(int page_size,
                                                       const std::string& page_token) {
  v1::ListShowtimesRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  return Call(&Stub::ListShowtimes, request);
}

Answer<v1::ListSessionLocksResponse> SeatLockClient::ListLocks(const std::string& showtime,
                                                               const std::string& session) {
  v1::ListSessionLocksRequest request;
  request.set_showtime_id(showtime);
  request.set_session_id(session);
  return Call(&Stub::ListSessionLocks, request);
}

int64_t ToMs(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000 + time.nanos() / 1'000'000;
}

int64_t WallClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string Describe(const v1::Seat& seat) {
  static constexpr size_t kPrefix = sizeof("SEAT_STATUS_") - 1;
  const std::string expire =
      seat.has_expire_time() ? absl::StrCat(" @", ToMs(seat.expire_time())) : "";
  return absl::StrCat(seat.seat_id(), " ", v1::SeatStatus_Name(seat.status()).substr(kPrefix), " ",
                      seat.session_id(), " ", seat.order_id().empty() ? "-" : seat.order_id(),
                      expire);
}

}  // namespace seatlock::testing
