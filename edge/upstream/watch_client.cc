#include "edge/upstream/watch_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "edge/limits.h"
#include "edge/upstream/follower.h"
#include "edge/upstream/seat_service.h"

namespace seatlock::edge {
namespace {

grpc::ChannelArguments ChannelArgs() {
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
  return args;
}

class FollowedWatch final : public Watch {
 public:
  explicit FollowedWatch(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {}
  ~FollowedWatch() override { follower_->Stop(); }

  void Restart() override { follower_->Restart(); }

 private:
  const std::shared_ptr<Follower> follower_;
};

}  // namespace

SeatService::SeatService(const UpstreamOptions& with)
    : options(with),
      stub(v1::SeatLockService::NewStub(grpc::CreateCustomChannel(
          options.target, grpc::InsecureChannelCredentials(), ChannelArgs()))),
      health(*options.clock, *options.timers, options.on_upstream) {}

WatchClient::WatchClient(const Options& options)
    : service_(std::make_shared<SeatService>(options)) {}

WatchClient::~WatchClient() {
  service_->calls->CloseAndWait();
}

std::unique_ptr<Watch> WatchClient::Follow(const std::string& showtime_id, WatchSink* sink) {
  auto follower = std::make_shared<Follower>(service_, showtime_id, sink);
  follower->Start();
  return std::make_unique<FollowedWatch>(std::move(follower));
}

void WatchClient::Silence() {
  service_->health.Silence();
}

int64_t WatchClient::streams() const {
  return service_->options.stats->upstream_streams;
}

}  // namespace seatlock::edge
