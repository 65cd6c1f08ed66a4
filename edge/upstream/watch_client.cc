#include "edge/upstream/watch_client.h"

#include <utility>

#include "edge/upstream/follower.h"
#include "edge/upstream/seat_service.h"

namespace seatlock::edge {
namespace {

class FollowedWatch final : public Watch {
 public:
  explicit FollowedWatch(std::shared_ptr<Follower> follower) : follower_(std::move(follower)) {}
  ~FollowedWatch() override { follower_->Stop(); }

  void Restart() override { follower_->Restart(); }

 private:
  const std::shared_ptr<Follower> follower_;
};

}  // namespace

WatchClient::WatchClient(const Options& options)
    : service_(std::make_shared<SeatService>(options)) {
  service_->servers->Start();
}

WatchClient::~WatchClient() {
  service_->servers->Stop();
  service_->calls->CloseAndWait();
}

std::unique_ptr<Watch> WatchClient::Follow(const std::string& showtime_id, WatchSink* sink) {
  auto follower = std::make_shared<Follower>(service_, showtime_id, sink);
  follower->Start();
  return std::make_unique<FollowedWatch>(std::move(follower));
}

void WatchClient::Silence() {
  service_->health.Silence();
  service_->servers->Silence();
}

std::vector<ServerStatus> WatchClient::servers() const {
  return service_->servers->Read();
}

int64_t WatchClient::streams() const {
  return service_->options.stats->upstream_streams;
}

}  // namespace seatlock::edge
