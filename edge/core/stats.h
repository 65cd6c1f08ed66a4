// What the edge counts. Written on the strand, read by whoever serves metrics. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "edge/core/close_code.h"

namespace seatlock::edge {

struct Stats {
  using Number = std::atomic<int64_t>;

  // Now.
  Number connections{0};
  Number subscriptions{0};
  Number rooms{0};
  Number upstream_streams{0};

  // Since the start.
  Number connections_total{0};
  Number upgrades_refused_total{0};
  Number joins_total{0};
  Number frames_sent_total{0};
  Number frame_bytes_total{0};
  Number snapshots_encoded_total{0};
  Number resumes_recovered_total{0};
  Number bad_messages_total{0};
  Number slow_closes_total{0};
  Number dead_peers_total{0};
  Number upstream_changes_total{0};
  Number upstream_lost_total{0};
  Number upstream_gaps_total{0};
  std::array<Number, kCloseCodes.size()> closes_total{};  // As kCloseCodes.

  void CountClose(CloseCode code) {
    for (size_t i = 0; i < kCloseCodes.size(); ++i) {
      if (kCloseCodes[i] == code) ++closes_total[i];
    }
    if (code == CloseCode::kTooSlow) ++slow_closes_total;
  }
};

}  // namespace seatlock::edge
