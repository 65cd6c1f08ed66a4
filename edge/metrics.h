// What the edge counts, as metrics: sums over its threads. What is handed in is read until nobody
// asks `metrics` for its text any more.
#pragma once

#include <functional>
#include <vector>

#include "common/runtime/metrics.h"
#include "edge/fanout/memory_budget.h"
#include "edge/stats.h"
#include "edge/upstream/server_board.h"
#include "edge/ws/admission.h"

namespace seatlock::edge {

void AddMetrics(std::vector<const Stats*> threads, const Admission& admission,
                const MemoryBudget& budget, runtime::Metrics* metrics);

// `read` is thread-safe.
void AddServerMetrics(const std::function<std::vector<ServerStatus>()>& read,
                      runtime::Metrics* metrics);

}  // namespace seatlock::edge
