// Where a reader is in a showtime's history, as callers know it. A value.
#pragma once

#include "services/seatlock/domain/types.h"

namespace seatlock::engine {

struct Position {
  domain::Epoch epoch;
  domain::Revision revision;

  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace seatlock::engine
