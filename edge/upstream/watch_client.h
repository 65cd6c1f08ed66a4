// Follows showtimes over gRPC (WatchShowtime): one stream a showtime, on the channel of the server
// that it prefers of those that are there (route.h). A stream that ends, for whatever reason, is
// begun again from where its sink stands (follower.h).
//
// Strand-bound: made, used and destroyed on the strand that `executor` posts to, or when nobody
// runs that any more; gRPC's threads only convert messages and post. What a stream may read ahead
// of the strand is bounded (stream.h), so a slow strand slows the service's stream, not this
// process's memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "edge/showtime/upstream.h"
#include "edge/upstream/options.h"
#include "edge/upstream/server_board.h"

namespace seatlock::edge {

struct SeatService;

class WatchClient final : public Upstream {
 public:
  using Options = UpstreamOptions;

  // Connects to an only server with the first Follow(), and to several at once.
  explicit WatchClient(const Options& options);
  // All watches are gone. Waits until gRPC is done with their streams, which were cancelled: that
  // needs gRPC's threads alone, and takes milliseconds. After this nothing touches what the options
  // point at; tasks that were posted may run, or be destroyed, at any later time.
  ~WatchClient() override;

  std::unique_ptr<Watch> Follow(const std::string& showtime_id, WatchSink* sink) override;

  // From now on nobody is told whether the service is there: watches are ended one by one, and the
  // last of them may be of a showtime whose stream was lost.
  void Silence();

  // Streams that gRPC still knows of.
  int64_t streams() const;
  // How each server is; in the order of the options. Thread-safe.
  std::vector<ServerStatus> servers() const;

 private:
  const std::shared_ptr<SeatService> service_;
};

}  // namespace seatlock::edge
