// What all that follow showtimes share: the servers, and whether the service is there at all. Its
// gate is thread-safe, the rest is strand-bound.
#pragma once

#include <memory>

#include "common/base/gate.h"
#include "edge/upstream/health.h"
#include "edge/upstream/options.h"
#include "edge/upstream/seat_servers.h"

namespace seatlock::edge {

struct SeatService {
  explicit SeatService(const UpstreamOptions& with)
      : options(with), health(*options.clock, *options.timers, options.on_upstream) {}

  const UpstreamOptions options;
  // Calls that gRPC still knows of are inside.
  const std::shared_ptr<base::Gate> calls = std::make_shared<base::Gate>();
  const std::shared_ptr<SeatServers> servers = std::make_shared<SeatServers>(options, calls);
  Health health;
};

}  // namespace seatlock::edge
