// From the service's messages to the edge's own. Pure.
#pragma once

#include <variant>

#include "edge/protocol/events.h"
#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::edge {

struct Progress {
  Position position;
};

// monostate: a message of a kind that this edge does not know.
using StreamEvent = std::variant<std::monostate, SnapshotPart, Change, Progress>;

// Moves strings out of `message`.
StreamEvent ToEvent(v1::WatchShowtimeResponse& message);

}  // namespace seatlock::edge
