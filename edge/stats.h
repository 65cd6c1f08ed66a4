// What one thread of the edge counts: written on its strand, read by whoever serves metrics, who
// adds up the threads. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "edge/protocol/close_code.h"

namespace seatlock::edge {

struct Stats {
  using Number = std::atomic<int64_t>;

  // Now.
  Number handshakes{0};  // Those that are being refused too.
  Number connections{0};
  Number connections_blocked{0};
  Number subscriptions{0};
  Number rooms{0};  // Of this thread; `sources` are the edge's.
  Number sources{0};
  Number sources_away{0};  // Of the sources: viewers were told that they are not live.
  Number upstream_streams{0};
  Number history_bytes{0};  // Of all showtimes that are followed; the home strand's.

  // Since the start.
  Number connections_total{0};
  Number upgrades_refused_total{0};
  Number handshakes_displaced_total{0};  // Cut off for a newcomer, without an answer.
  Number joins_total{0};
  Number frames_sent_total{0};
  Number frame_bytes_total{0};
  Number snapshots_encoded_total{0};
  Number snapshots_sent_total{0};
  Number room_changes_total{0};  // Changes that crossed to this thread's rooms.
  Number ring_misses_total{0};   // A reader was passed by and gets a snapshot.
  Number resumes_recovered_total{0};
  Number resumes_failed_total{0};
  Number backfills_total{0};
  Number bad_messages_total{0};
  // Subscriptions refused or ended, by the code of the error that said so.
  Number subscribes_rate_limited_total{0};
  Number subscribes_unavailable_total{0};
  Number subscribes_too_many_total{0};
  Number subscribes_token_required_total{0};
  Number shed_total{0};  // Of the 4101: because all together held back too much.
  Number dead_peers_total{0};
  Number upstream_changes_total{0};
  Number upstream_lost_total{0};
  Number upstream_refused_total{0};
  Number upstream_gaps_total{0};
  std::array<Number, kCloseCodes.size()> closes_total{};  // As kCloseCodes.

  // From a change's commit to its last connection of this thread having been written to, by
  // milliseconds; the last one is whatever is above.
  static constexpr std::array<int64_t, 13> kLatencyBoundsMs = {
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};
  std::array<Number, kLatencyBoundsMs.size() + 1> latency_counts{};
  Number latency_sum_ms{0};

  void CountClose(CloseCode code) {
    for (size_t i = 0; i < kCloseCodes.size(); ++i) {
      if (kCloseCodes[i] == code) ++closes_total[i];
    }
  }
  void CountLatency(int64_t ms) {
    size_t i = 0;
    while (i < kLatencyBoundsMs.size() && ms > kLatencyBoundsMs[i]) ++i;
    ++latency_counts[i];
    latency_sum_ms += ms;
  }
};

}  // namespace seatlock::edge
