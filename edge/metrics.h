// The edge's Stats as metrics. `stats` is read until nobody asks `metrics` for its text any more.
#pragma once

#include "common/runtime/metrics.h"
#include "edge/core/stats.h"

namespace seatlock::edge {

void AddMetrics(const Stats& stats, runtime::Metrics* metrics);

}  // namespace seatlock::edge
