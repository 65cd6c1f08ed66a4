#include "seatlock/client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <thread>
#include <utility>

#include "clients/cpp/backoff.h"
#include "clients/cpp/credentials.h"
#include "clients/cpp/grpc_watch.h"
#include "clients/cpp/outcome.h"
#include "clients/cpp/servers.h"
#include "common/base/server_list.h"
#include "common/base/trace_context.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::client {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Stub = v1::SeatLockService::Stub;

template <typename Request, typename Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

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

// The service decided the request, and with it all attempts that were done before: one of them
// would have got its first answer again. An attempt that comes later is not settled (client.h).
bool Settles(const CallError& error) {
  return !error.reason.empty() && !error.metadata.contains("outcome") &&
         error.code != absl::StatusCode::kResourceExhausted;
}

// A gRPC server that shuts down ends so what it has not handed to a handler. This client cancels no
// call itself.
bool CutOffByTheServer(const CallError& error) {
  return error.code == absl::StatusCode::kCancelled && error.reason.empty();
}

bool MayRetry(const CallError& error, bool repeatable, bool several) {
  if (error.code == absl::StatusCode::kUnavailable) return repeatable || error.NothingHappened();
  if (error.code == absl::StatusCode::kResourceExhausted) return error.retry_after.has_value();
  if (CutOffByTheServer(error)) return repeatable && several;
  return error.code == absl::StatusCode::kDeadlineExceeded && repeatable;
}

// The server of `attempt` cannot serve now; another one may. A refusal for want of room is none:
// the showtime's server is asked again when it says.
bool IsAway(const CallError& error, bool had_its_time) {
  return error.code == absl::StatusCode::kUnavailable || CutOffByTheServer(error) ||
         (error.code == absl::StatusCode::kDeadlineExceeded && had_its_time);
}

std::vector<std::string> ListOf(const ClientOptions& options) {
  return options.servers.empty() ? std::vector<std::string>{options.target} : options.servers;
}

absl::Status CheckOptions(const ClientOptions& options) {
  absl::Status wrong = base::CheckServers(options.servers);
  return wrong.ok() ? CheckTls(options.tls) : wrong;
}

// Calls that concern no showtime go to one and the same server.
template <typename Request>
std::string ShowtimeOf(const Request& request) {
  if constexpr (requires { request.showtime_id(); }) {
    return request.showtime_id();
  } else {
    return "";
  }
}

}  // namespace

struct Client::Impl {
  explicit Impl(ClientOptions the_options)
      : options(std::move(the_options)),
        wrong_options(CheckOptions(options)),
        servers(Servers::Make({.list = ListOf(options),
                               .tls = wrong_options.ok() ? options.tls : std::nullopt,
                               .away = Backoff(options.away_first, options.away_max),
                               .trial_max = options.attempt_timeout})) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, Request request) const;

  // One attempt, which ends before `end`. Says what came of it to `servers`.
  template <typename Request, typename Response>
  absl::Status Attempt(Method<Request, Response> method, const Request& request,
                       const std::string& traceparent, const Server& server, Clock::time_point end,
                       Response* response) const;
  // Empty: none that may be sent.
  std::string Traceparent() const;
  void Note(const Server& server, const absl::Status& status, bool had_its_time) const;

  const ClientOptions options;
  const absl::Status wrong_options;
  const std::shared_ptr<Servers> servers;
};

template <typename Request, typename Response>
absl::Status Client::Impl::Attempt(Method<Request, Response> method, const Request& request,
                                   const std::string& traceparent, const Server& server,
                                   Clock::time_point end, Response* response) const {
  const bool several = servers->several();
  // Who has one server leaves it to gRPC, which knows why it cannot connect.
  absl::Status status = several ? Connect(server, end) : absl::OkStatus();
  const auto left = std::min<Clock::duration>(end - Clock::now(), options.attempt_timeout);
  if (status.ok()) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + left);
    if (!traceparent.empty()) context.AddMetadata(base::kTraceparent, traceparent);
    response->Clear();
    status = ToStatus((server.stub.get()->*method)(&context, request, response));
  }
  Note(server, status, left == options.attempt_timeout);
  return status.ok() ? status : WithServer(status, server.address, several);
}

std::string Client::Impl::Traceparent() const {
  if (!options.traceparent) return "";
  const auto trace = base::ParseTraceparent(options.traceparent());
  if (!trace) return "";
  // In the form that is known here: what follows in a later version may be anything, and gRPC ends
  // the process over metadata that is no text.
  return absl::StrCat("00-", trace->trace_id, "-", trace->parent_id,
                      trace->sampled ? "-01" : "-00");
}

void Client::Impl::Note(const Server& server, const absl::Status& status, bool had_its_time) const {
  const CallError error = ErrorOf(status);
  if (IsAway(error, had_its_time)) {
    servers->Failed(server, error.retry_after.value_or(milliseconds(0)));
  } else if (error.code != absl::StatusCode::kDeadlineExceeded) {
    servers->Answered(server);
  }
}

template <typename Request, typename Response>
absl::StatusOr<Response> Client::Impl::Call(Method<Request, Response> method,
                                            Request request) const {
  if (!wrong_options.ok()) return wrong_options;
  if constexpr (requires { request.set_request_id(""); }) {
    if (!request.has_request_id()) request.set_request_id(MakeRequestId());
  }
  const std::string traceparent = Traceparent();
  const Clock::time_point end = Clock::now() + options.timeout;
  Backoff backoff(options.backoff_first, options.backoff_max);
  servers->AwaitAddresses(end);
  const std::string showtime = ShowtimeOf(request);
  Servers::Choice choice = servers->Choose(showtime);
  const int attempts = options.retries + static_cast<int>(servers->size());
  Response response;
  absl::Status status;
  bool may_have_happened = false;
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    status = Attempt(method, request, traceparent, *choice.server, end, &response);
    if (status.ok()) return response;
    const CallError error = ErrorOf(status);
    may_have_happened = (may_have_happened || error.MayHaveHappened()) && !Settles(error);
    if (attempt == attempts || !MayRetry(error, Repeatable(request), servers->several())) break;
    const std::shared_ptr<const Server> failed =
        std::exchange(choice, servers->Choose(showtime)).server;
    const bool at_once = !choice.away && choice.server != failed;
    if (at_once && Clock::now() < end) continue;
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
absl::StatusOr<v1::ListShowtimesResponse> Client::ListShowtimes(v1::ListShowtimesRequest request) {
  return impl_->Call(&Stub::ListShowtimes, std::move(request));
}

std::unique_ptr<Watch> Client::WatchShowtime(v1::WatchShowtimeRequest request) {
  const ClientOptions& options = impl_->options;
  return std::make_unique<GrpcWatch>(
      impl_->servers, std::move(request), impl_->wrong_options,
      WatchPauses{.retry = Backoff(options.backoff_first, options.backoff_max),
                  .look = Backoff(options.return_pause, options.return_pause),
                  .silence_max = options.attempt_timeout});
}

std::string MakeRequestId() {
  return boost::uuids::to_string(boost::uuids::random_generator()());
}

}  // namespace seatlock::client
