// Follows showtimes over gRPC (WatchShowtime): one stream a showtime on one shared channel. A
// stream that ends, for whatever reason, is begun again from where its sink stands, as late as the
// service asks (RetryInfo) and with growing pauses.
//
// Strand-bound: made, used and destroyed on the strand that `executor` posts to; gRPC's threads
// only convert messages and post. At most one message a stream is on its way to the strand, so a
// slow strand slows the service's stream, not this process's memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "edge/showtime/upstream.h"
#include "edge/stats.h"
#include "edge/timers.h"

namespace seatlock::edge {

class WatchClient final : public Upstream {
 public:
  struct Options {
    std::string target;  // host:port
    const base::Clock* clock = nullptr;
    base::Executor* executor = nullptr;
    Timers* timers = nullptr;
    Stats* stats = nullptr;
    // Told when the service is lost and when it is back, at most once a second. May be null.
    std::function<void(bool up)> on_upstream = nullptr;
  };

  // Connects with the first Follow(). What `options` points at outlives this and every stream.
  explicit WatchClient(const Options& options);
  // All watches are gone. Streams may still be ending: run the strand until streams() is 0.
  ~WatchClient() override;

  std::unique_ptr<Watch> Follow(const std::string& showtime_id, WatchSink* sink) override;

  // Streams that gRPC still knows of.
  int64_t streams() const { return options_.stats->upstream_streams; }

 private:
  struct Service;

  const Options options_;
  const std::shared_ptr<Service> service_;
};

}  // namespace seatlock::edge
