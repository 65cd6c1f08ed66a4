#include "edge/metrics.h"

#include <string>

namespace seatlock::edge {
namespace {

struct Named {
  const char* name;
  const char* help;
  const Stats::Number& number;
};

}  // namespace

void AddMetrics(const Stats& stats, runtime::Metrics* metrics) {
  const Named gauges[] = {
      {"seatlock_edge_connections", "Open WebSocket connections.", stats.connections},
      {"seatlock_edge_subscriptions", "Subscriptions of open connections.", stats.subscriptions},
      {"seatlock_edge_rooms", "Showtimes that are followed.", stats.rooms},
      {"seatlock_edge_upstream_streams", "WatchShowtime streams.", stats.upstream_streams},
  };
  const Named counters[] = {
      {"seatlock_edge_connections_total", "Connections upgraded.", stats.connections_total},
      {"seatlock_edge_upgrades_refused_total", "HTTP requests refused before the upgrade.",
       stats.upgrades_refused_total},
      {"seatlock_edge_joins_total", "Subscribes accepted.", stats.joins_total},
      {"seatlock_edge_frames_sent_total", "Frames queued to connections.", stats.frames_sent_total},
      {"seatlock_edge_frame_bytes_total", "Bytes of those frames, without headers.",
       stats.frame_bytes_total},
      {"seatlock_edge_snapshots_encoded_total", "current_seat_status frames encoded.",
       stats.snapshots_encoded_total},
      {"seatlock_edge_resumes_recovered_total", "Resumes that missed nothing.",
       stats.resumes_recovered_total},
      {"seatlock_edge_bad_messages_total", "Messages answered with an error.",
       stats.bad_messages_total},
      {"seatlock_edge_slow_closes_total", "Readers closed with 4101.", stats.slow_closes_total},
      {"seatlock_edge_dead_peers_total", "Connections cut because nothing came from them.",
       stats.dead_peers_total},
      {"seatlock_edge_upstream_changes_total", "Changes heard from the service.",
       stats.upstream_changes_total},
      {"seatlock_edge_upstream_lost_total", "Streams that ended or could not begin.",
       stats.upstream_lost_total},
      {"seatlock_edge_upstream_gaps_total", "Streams given up because they did not follow on.",
       stats.upstream_gaps_total},
  };
  const auto reader = [](const Stats::Number& number) {
    return [&number] { return static_cast<double>(number.load()); };
  };
  for (const Named& gauge : gauges) {
    metrics->AddGaugeCallback(gauge.name, gauge.help, reader(gauge.number));
  }
  for (const Named& counter : counters) {
    metrics->AddCounterCallback(counter.name, counter.help, reader(counter.number));
  }
  for (size_t i = 0; i < kCloseCodes.size(); ++i) {
    metrics->AddCounterCallback("seatlock_edge_closes_total", "Connections closed by the edge.",
                                reader(stats.closes_total[i]),
                                {{"code", std::to_string(static_cast<int>(kCloseCodes[i]))}});
  }
}

}  // namespace seatlock::edge
