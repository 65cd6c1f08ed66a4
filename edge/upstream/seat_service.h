// The connection to the seat service, and what all that follow showtimes on it share. Its channel
// and gate are thread-safe, the rest is strand-bound.
#pragma once

#include <memory>

#include "common/base/gate.h"
#include "edge/upstream/health.h"
#include "edge/upstream/options.h"
#include "seatlock/v1/seatlock_service.grpc.pb.h"

namespace seatlock::edge {

struct SeatService {
  // Connects with the first call.
  explicit SeatService(const UpstreamOptions& with);

  const UpstreamOptions options;
  const std::unique_ptr<v1::SeatLockService::Stub> stub;
  // Calls that gRPC still knows of are inside.
  const std::shared_ptr<base::Gate> calls = std::make_shared<base::Gate>();
  Health health;
};

}  // namespace seatlock::edge
