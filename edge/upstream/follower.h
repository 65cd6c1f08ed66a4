// One showtime being followed: keeps one stream going for its sink, which hears of that one alone.
// A stream that ends is begun again from where the sink stands, as late as the service asks
// (RetryInfo) and with growing pauses; one that says nothing for kStreamSilentMsMax is given up.
// Strand-bound; shared, because streams and timers hold it weakly.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "edge/limits.h"
#include "edge/showtime/upstream.h"
#include "edge/upstream/health.h"
#include "edge/upstream/seat_service.h"
#include "edge/upstream/stream.h"

namespace seatlock::edge {

// Growing pauses between tries. Full jitter: anything up to the bound, so that many showtimes do
// not come back at one moment.
class Backoff {
 public:
  int64_t NextMs() {
    std::uniform_int_distribution<int64_t> below(0, bound_ms_);
    bound_ms_ = std::min(2 * bound_ms_, kStreamBackoffMsMax);
    return below(random_);
  }
  void Reset() { bound_ms_ = kStreamBackoffMsMin; }

 private:
  std::minstd_rand random_{std::random_device{}()};
  int64_t bound_ms_ = kStreamBackoffMsMin;
};

class Follower final : public Stream::Owner, public std::enable_shared_from_this<Follower> {
 public:
  // `sink` outlives the time until Stop().
  Follower(std::shared_ptr<SeatService> service, std::string showtime_id, WatchSink* sink);

  // Begins in the strand's next task, so that the sink hears nothing inside this call. Once.
  void Start();
  // Gives up the stream and begins another.
  void Restart();
  // The sink hears no more.
  void Stop();

  void OnEvent(const Stream* stream, StreamEvent event) override;
  bool Full(const Stream* stream) override;
  void OnEnd(const Stream* stream, const grpc::Status& status) override;

 private:
  void BeginLater(int64_t delay_ms);
  void Begin();
  void WatchSilence(int64_t delay_ms);
  void LoseSilentStream();
  void CancelStream();
  void See(Health::Seen seen);
  bool IsMine(const Stream* stream) const { return sink_ != nullptr && stream == stream_.get(); }

  const std::shared_ptr<SeatService> service_;
  const std::string showtime_id_;
  WatchSink* sink_;
  std::shared_ptr<Stream> stream_;  // Null between two.
  uint64_t attempt_ = 0;            // Timers of an attempt before do nothing.
  Health::Seen seen_ = Health::Seen::kNothing;
  int64_t last_event_ms_ = 0;  // Monotonic.
  Backoff backoff_;
};

}  // namespace seatlock::edge
