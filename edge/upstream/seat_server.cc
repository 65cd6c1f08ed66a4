#include "edge/upstream/seat_server.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& address, const std::string& authority,
                                       std::shared_ptr<grpc::ChannelCredentials> credentials) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kChannelBackoffMsMin);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kChannelBackoffMsMax);
  // Despite its name this bounds one attempt to connect.
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kChannelConnectMsMax);
  // Finds a dead path under idle streams; the service permits one ping each 10 s.
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The service is a neighbour: never by way of a proxy meant for the web.
  args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (!authority.empty()) args.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
  if (credentials == nullptr) credentials = grpc::InsecureChannelCredentials();
  return grpc::CreateCustomChannel(address, credentials, args);
}

std::function<void(bool)> NoticeOf(const std::string& address, const UpstreamOptions& options) {
  if (!options.on_server) return nullptr;
  return [address, &options](bool up) { options.on_server(address, up); };
}

}  // namespace

SeatServer::SeatServer(const std::string& address, const std::string& authority,
                       const UpstreamOptions& options, std::shared_ptr<base::Gate> calls,
                       Host& host)
    : options_(options),
      calls_(std::move(calls)),
      host_(host),
      entry_(std::make_shared<ServerEntry>(address)),
      channel_(Connect(address, authority, options.credentials)),
      stub_(v1::SeatLockService::NewStub(channel_)),
      health_stub_(grpc::health::v1::Health::NewStub(channel_)),
      notice_(*options.clock, *options.timers, NoticeOf(address, options)) {}

void SeatServer::AskForHealth() {
  if (std::exchange(asked_, true)) return;
  Ask(false);
}

void SeatServer::GiveUp() {
  given_up_ = true;
  Silence();
  if (const auto call = std::exchange(call_, nullptr)) call->Cancel();
}

void SeatServer::Saw(bool up) {
  if (!asked_) Become(up ? ServerState::kServing : ServerState::kAway);
}

// ---- Its health --------------------------------------------------------------------------------

void SeatServer::Ask(bool wait_for_ready) {
  call_ = HealthCall::Begin(*health_stub_, *options_.executor, calls_, weak_from_this(),
                            wait_for_ready);
}

void SeatServer::AskLater(int64_t delay_ms, bool wait_for_ready) {
  options_.timers->After(delay_ms, [weak = weak_from_this(), wait_for_ready] {
    const std::shared_ptr<SeatServer> self = weak.lock();
    if (self && !self->given_up_) self->Ask(wait_for_ready);
  });
}

void SeatServer::OnHealth(const HealthCall* call, bool serving) {
  if (call != call_.get()) return;
  backoff_.Reset();
  Become(serving ? ServerState::kServing : ServerState::kNotServing);
}

void SeatServer::OnHealthEnd(const HealthCall* call, const grpc::Status& status) {
  if (call != call_.get()) return;
  call_ = nullptr;
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    AskLater(kHealthAgainMs, false);
    Become(ServerState::kServing);
  } else {
    AskLater(backoff_.NextMs(), true);
    Become(ServerState::kAway);
  }
}

void SeatServer::Become(ServerState next) {
  if (given_up_ || entry_->state.exchange(next) == next) return;
  if (asked_) notice_.Saw(next == ServerState::kServing);
  host_.OnState(*this);
}

}  // namespace seatlock::edge
