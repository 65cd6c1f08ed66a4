#include "clients/cpp/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <thread>
#include <utility>

#include "clients/cpp/backoff.h"
#include "clients/cpp/grpc_watch.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::client {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Stub = v1::SeatLockService::Stub;

template <typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

grpc::ChannelArguments ChannelArgs() {
  grpc::ChannelArguments args;
  // This client retries by itself: see service_config.h.
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // A watch may be idle; the service permits pings every 10 s (and answers faster than this).
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // gRPC's own pauses grow from 1 s to 2 minutes, far beyond a restart of the service.
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  return args;
}

absl::Status ToStatus(const grpc::Status& status) {
  return MakeStatus(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                    status.error_details());
}

// A call may be repeated where it cannot do twice what it does: reads, mutations with a request_id.
template <typename Request>
bool Repeatable(const Request& request) {
  if constexpr (requires { request.request_id(); }) {
    return !request.request_id().empty();
  } else {
    return true;
  }
}

// It changes seats: it has a request_id.
template <typename Request>
constexpr bool IsMutation() {
  return requires(Request request) {
    request.request_id();
  };
}

// The service decided the request, and with it all attempts before: one that had been done would
// have got its first answer again.
bool Settles(const CallError& error) {
  return !error.reason.empty() && !error.metadata.contains("outcome") &&
         error.code != absl::StatusCode::kResourceExhausted;
}

bool MayRetry(const CallError& error, bool repeatable) {
  if (error.code == absl::StatusCode::kUnavailable) return repeatable || error.NothingHappened();
  if (error.code == absl::StatusCode::kResourceExhausted) return error.retry_after.has_value();
  return error.code == absl::StatusCode::kDeadlineExceeded && repeatable;
}

}  // namespace

struct Client::Impl {
  explicit Impl(ClientOptions the_options)
      : options(std::move(the_options)),
        stub(v1::SeatLockService::NewStub(grpc::CreateCustomChannel(
            options.target, grpc::InsecureChannelCredentials(), ChannelArgs()))) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, Request request) const;

  // One attempt, which ends before `end`.
  template <typename Request, typename Response>
  absl::Status Attempt(Method<Request, Response> method, const Request& request,
                       Clock::time_point end, Response* response) const;

  const ClientOptions options;
  const std::shared_ptr<Stub> stub;
};

template <typename Request, typename Response>
absl::Status Client::Impl::Attempt(Method<Request, Response> method, const Request& request,
                                   Clock::time_point end, Response* response) const {
  grpc::ClientContext context;
  const auto left = std::min<Clock::duration>(end - Clock::now(), options.attempt_timeout);
  context.set_deadline(std::chrono::system_clock::now() + left);
  response->Clear();
  return ToStatus((stub.get()->*method)(&context, request, response));
}

template <typename Request, typename Response>
absl::StatusOr<Response> Client::Impl::Call(Method<Request, Response> method,
                                            Request request) const {
  if constexpr (requires { request.set_request_id(""); }) {
    if (!request.has_request_id()) request.set_request_id(MakeRequestId());
  }
  const Clock::time_point end = Clock::now() + options.timeout;
  Backoff backoff(options.backoff_first, options.backoff_max);
  Response response;
  absl::Status status;
  bool may_have_happened = false;
  for (int attempt = 0; attempt <= options.retries; ++attempt) {
    status = Attempt(method, request, end, &response);
    if (status.ok()) return response;
    const CallError error = ErrorOf(status);
    may_have_happened = (may_have_happened || error.MayHaveHappened()) && !Settles(error);
    if (attempt == options.retries || !MayRetry(error, Repeatable(request))) break;
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
    const milliseconds pause = backoff.Next(error.retry_after.value_or(milliseconds(0)), left);
    if (Clock::now() + pause >= end) break;
    std::this_thread::sleep_for(pause);
  }
  return IsMutation<Request>() && may_have_happened ? WithUnknownOutcome(status) : status;
}

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Client::~Client() = default;

absl::StatusOr<v1::LockSeatResponse> Client::LockSeat(v1::LockSeatRequest request) {
  return impl_->Call(&Stub::LockSeat, std::move(request));
}
absl::StatusOr<v1::LockSeatsResponse> Client::LockSeats(v1::LockSeatsRequest request) {
  return impl_->Call(&Stub::LockSeats, std::move(request));
}
absl::StatusOr<v1::UnlockSeatResponse> Client::UnlockSeat(v1::UnlockSeatRequest request) {
  return impl_->Call(&Stub::UnlockSeat, std::move(request));
}
absl::StatusOr<v1::UnlockSeatsResponse> Client::UnlockSeats(v1::UnlockSeatsRequest request) {
  return impl_->Call(&Stub::UnlockSeats, std::move(request));
}
absl::StatusOr<v1::ExtendLocksResponse> Client::ExtendLocks(v1::ExtendLocksRequest request) {
  return impl_->Call(&Stub::ExtendLocks, std::move(request));
}
absl::StatusOr<v1::BookSeatsResponse> Client::BookSeats(v1::BookSeatsRequest request) {
  return impl_->Call(&Stub::BookSeats, std::move(request));
}
absl::StatusOr<v1::CancelBookingResponse> Client::CancelBooking(v1::CancelBookingRequest request) {
  return impl_->Call(&Stub::CancelBooking, std::move(request));
}
absl::StatusOr<v1::GetOrderResponse> Client::GetOrder(v1::GetOrderRequest request) {
  return impl_->Call(&Stub::GetOrder, std::move(request));
}
absl::StatusOr<v1::GetShowtimeResponse> Client::GetShowtime(v1::GetShowtimeRequest request) {
  return impl_->Call(&Stub::GetShowtime, std::move(request));
}
absl::StatusOr<v1::ListSessionLocksResponse> Client::ListSessionLocks(
    v1::ListSessionLocksRequest request) {
  return impl_->Call(&Stub::ListSessionLocks, std::move(request));
}

std::unique_ptr<Watch> Client::WatchShowtime(v1::WatchShowtimeRequest request) {
  return std::make_unique<GrpcWatch>(
      impl_->stub, std::move(request),
      Backoff(impl_->options.backoff_first, impl_->options.backoff_max));
}

std::string MakeRequestId() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

}  // namespace seatlock::client
