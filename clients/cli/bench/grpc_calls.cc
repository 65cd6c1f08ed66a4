#include "clients/cli/bench/grpc_calls.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string>
#include <utility>

#include "clients/cli/bench/limits.h"
#include "clients/cpp/backoff.h"
#include "seatlock/call_error.h"

namespace seatlock::cli::bench {
namespace {

using client::CallError;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// As the client library has them.
constexpr milliseconds kAttemptMax(4'000);
constexpr milliseconds kPauseFirst(50);
constexpr milliseconds kPauseMax(2'000);

int64_t ToMs(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000 + time.nanos() / 1'000'000;
}

void SetTtl(int64_t ttl_ms, google::protobuf::Duration* ttl) {
  ttl->set_seconds(ttl_ms / 1'000);
  ttl->set_nanos(static_cast<int32_t>(ttl_ms % 1'000 * 1'000'000));
}

bool MayRetry(const CallError& error) {
  return error.code == absl::StatusCode::kUnavailable ||
         error.code == absl::StatusCode::kDeadlineExceeded ||
         (error.code == absl::StatusCode::kCancelled && error.reason.empty());
}

}  // namespace

Connections Connect(const Options& options) {
  Connections connections;
  for (int i = 0; i < kConnectionsPerServer; ++i) {
    client::ServersOptions servers;
    servers.list = options.servers;
    servers.tls = options.tls;
    servers.own_connections = true;
    connections.push_back(client::Servers::Make(std::move(servers)));
  }
  return connections;
}

struct GrpcCalls::Call {
  using Callback = std::function<void(grpc::Status)>;

  virtual ~Call() = default;
  virtual void Send(Async& async, Callback callback) = 0;
  virtual void Read(Outcome* outcome) const = 0;

  Plan plan;
  std::unique_ptr<grpc::ClientContext> context;
  std::shared_ptr<client::Servers> servers;
  std::shared_ptr<const client::Server> server;
  client::Backoff backoff{kPauseFirst, kPauseMax};
  Clock::time_point end;      // of all attempts
  Clock::time_point sent_at;  // the last one
  int64_t sent_wall_us = 0;
  int attempts = 0;
};

template <typename Request, typename Response>
struct GrpcCalls::TypedCall final : Call {
  explicit TypedCall(Method<Request, Response> the_method) : method(the_method) {}

  void Send(Async& async, Callback callback) override {
    response.Clear();
    (async.*method)(context.get(), &request, &response, std::move(callback));
  }
  void Read(Outcome* outcome) const override {
    outcome->revision = response.revision();
    outcome->server_ms = ToMs(response.server_time());
    if constexpr (requires { response.lock(); }) {
      outcome->expire_ms = ToMs(response.lock().expire_time());
      outcome->fence = response.lock().fence();
    }
    if constexpr (requires { response.locks(); }) {
      if (response.locks_size() > 0) outcome->expire_ms = ToMs(response.locks(0).expire_time());
    }
  }

  const Method<Request, Response> method;
  Request request;
  Response response;
};

GrpcCalls::GrpcCalls(const Options& options, const Names& names, Connections connections, Done done)
    : options_(options),
      names_(names),
      connections_(std::move(connections)),
      done_(std::move(done)) {}

GrpcCalls::~GrpcCalls() = default;

template <typename Request, typename Response>
std::unique_ptr<GrpcCalls::Call> GrpcCalls::MakeTyped(Method<Request, Response> method,
                                                      const Plan& plan) const {
  auto call = std::make_unique<TypedCall<Request, Response>>(method);
  Request& request = call->request;
  request.set_showtime_id(names_.Showtime(plan.showtime));
  request.set_request_id(names_.RequestId(plan.number));
  if constexpr (requires { request.set_seat_id(""); }) request.set_seat_id(Names::Seat(plan.seat));
  if constexpr (requires { request.add_seat_ids(""); }) {
    request.add_seat_ids(Names::Seat(plan.seat));
  }
  if constexpr (requires { request.set_session_id(""); }) {
    request.set_session_id(names_.Session(plan.session));
  }
  if constexpr (requires { request.set_order_id(""); }) {
    request.set_order_id(names_.Order(plan.order));
  }
  if constexpr (requires { request.mutable_ttl(); }) SetTtl(options_.ttl_ms, request.mutable_ttl());
  if constexpr (requires { request.set_only_held(true); }) request.set_only_held(true);
  return call;
}

std::unique_ptr<GrpcCalls::Call> GrpcCalls::Make(const Plan& plan) const {
  switch (plan.kind) {
    case Kind::kLock:
      return MakeTyped<v1::LockSeatRequest, v1::LockSeatResponse>(&Async::LockSeat, plan);
    case Kind::kUnlock:
      return MakeTyped<v1::UnlockSeatRequest, v1::UnlockSeatResponse>(&Async::UnlockSeat, plan);
    case Kind::kExtend:
      return MakeTyped<v1::ExtendLocksRequest, v1::ExtendLocksResponse>(&Async::ExtendLocks, plan);
    case Kind::kBook:
      return MakeTyped<v1::BookSeatsRequest, v1::BookSeatsResponse>(&Async::BookSeats, plan);
    case Kind::kCancel:
      break;
  }
  return MakeTyped<v1::CancelBookingRequest, v1::CancelBookingResponse>(&Async::CancelBooking,
                                                                        plan);
}

void GrpcCalls::Start(const Plan& plan) {
  std::unique_ptr<Call> call = Make(plan);
  call->plan = plan;
  call->servers = connections_[plan.number % connections_.size()];
  call->end = Clock::now() + milliseconds(options_.timeout_ms);
  Attempt(std::move(call));
}

void GrpcCalls::Attempt(std::unique_ptr<Call> call) {
  call->server = call->servers->Choose(names_.Showtime(call->plan.showtime)).server;
  call->context = std::make_unique<grpc::ClientContext>();
  call->sent_at = Clock::now();
  const auto wall = std::chrono::system_clock::now();
  call->sent_wall_us = std::chrono::duration_cast<microseconds>(wall.time_since_epoch()).count();
  call->context->set_deadline(wall +
                              std::min<Clock::duration>(call->end - call->sent_at, kAttemptMax));
  ++call->attempts;
  Call* const raw = call.release();
  raw->Send(*raw->server->stub->async(),
            [this, raw](const grpc::Status& status) { Ended(std::unique_ptr<Call>(raw), status); });
}

void GrpcCalls::Ended(std::unique_ptr<Call> call, const grpc::Status& status) {
  Outcome outcome;
  outcome.retries = call->attempts - 1;
  if (status.ok()) {
    call->servers->Answered(*call->server);
    call->Read(&outcome);
    NoteClock(*call, outcome.server_ms);
    done_(call->plan, outcome);
    return;
  }
  const CallError error =
      client::ErrorOf(client::MakeStatus(static_cast<absl::StatusCode>(status.error_code()),
                                         status.error_message(), status.error_details()));
  if (MayRetry(error)) {
    call->servers->Failed(*call->server, error.retry_after.value_or(milliseconds(0)));
    const Clock::time_point now = Clock::now();
    const Clock::time_point at =
        now + call->backoff.Next(error.retry_after.value_or(milliseconds(0)),
                                 std::chrono::duration_cast<milliseconds>(call->end - now));
    if (at < call->end) {
      base::MutexLock lock(mu_);
      waiting_.emplace(at, std::move(call));
      return;
    }
  } else {
    call->servers->Answered(*call->server);
  }
  outcome.reason = error.reason.empty() ? absl::StatusCodeToString(error.code) : error.reason;
  outcome.message = error.message;
  done_(call->plan, outcome);
}

std::chrono::steady_clock::time_point GrpcCalls::SendDue() {
  const Clock::time_point now = Clock::now();
  std::vector<std::unique_ptr<Call>> due;
  Clock::time_point next = Clock::time_point::max();
  {
    base::MutexLock lock(mu_);
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
      due.push_back(std::move(waiting_.begin()->second));
      waiting_.erase(waiting_.begin());
    }
    if (!waiting_.empty()) next = waiting_.begin()->first;
  }
  for (std::unique_ptr<Call>& call : due) Attempt(std::move(call));
  return next;
}

void GrpcCalls::NoteClock(const Call& call, int64_t server_ms) {
  const auto took = std::chrono::duration_cast<microseconds>(Clock::now() - call.sent_at).count();
  base::MutexLock lock(mu_);
  // The server tells whole milliseconds: the time lies in the one that it names.
  const int64_t within = took / 2 + 500;
  if (offset_.known && within >= offset_.within_us) return;
  const int64_t ahead = server_ms * 1'000 + 500 - (call.sent_wall_us + took / 2);
  offset_ = {.ahead_us = ahead, .within_us = within, .known = true};
}

ClockOffset GrpcCalls::clock_offset() const {
  base::MutexLock lock(mu_);
  return offset_;
}

}  // namespace seatlock::cli::bench
