#include "edge/metrics.h"

#include <string>
#include <utility>

namespace seatlock::edge {
namespace {

using Threads = std::vector<const Stats*>;

struct Named {
  const char* name;
  const char* help;
  Stats::Number Stats::*number;
};

constexpr Named kGauges[] = {
    {"seatlock_edge_handshakes", "Connections before their upgrade, or being refused.",
     &Stats::handshakes},
    {"seatlock_edge_connections", "Open WebSocket connections.", &Stats::connections},
    {"seatlock_edge_connections_blocked", "Connections whose socket takes no more just now.",
     &Stats::connections_blocked},
    {"seatlock_edge_subscriptions", "Subscriptions of open connections.", &Stats::subscriptions},
    {"seatlock_edge_rooms", "Showtimes that are followed.", &Stats::sources},
    {"seatlock_edge_rooms_away",
     "Showtimes that are followed and not up to date, because no server serves them.",
     &Stats::sources_away},
    {"seatlock_edge_upstream_streams", "WatchShowtime streams.", &Stats::upstream_streams},
    {"seatlock_edge_history_bytes", "What is kept of showtimes for resumes and slow readers.",
     &Stats::history_bytes},
};

constexpr Named kCounters[] = {
    {"seatlock_edge_connections_total", "Connections upgraded.", &Stats::connections_total},
    {"seatlock_edge_handshakes_displaced_total",
     "Handshakes cut off, the oldest first, because newcomers needed their place.",
     &Stats::handshakes_displaced_total},
    {"seatlock_edge_joins_total", "Subscribes accepted.", &Stats::joins_total},
    {"seatlock_edge_frames_sent_total", "Text frames handed to sockets.",
     &Stats::frames_sent_total},
    {"seatlock_edge_frame_bytes_total", "Bytes handed to sockets after the upgrade.",
     &Stats::frame_bytes_total},
    {"seatlock_edge_snapshots_encoded_total", "current_seat_status frames encoded.",
     &Stats::snapshots_encoded_total},
    {"seatlock_edge_snapshots_sent_total", "current_seat_status frames sent.",
     &Stats::snapshots_sent_total},
    {"seatlock_edge_room_changes_total", "Changes that crossed to the rooms of a thread.",
     &Stats::room_changes_total},
    {"seatlock_edge_ring_misses_total", "Readers that a room's history passed by.",
     &Stats::ring_misses_total},
    {"seatlock_edge_resumes_recovered_total", "Resumes that missed nothing.",
     &Stats::resumes_recovered_total},
    {"seatlock_edge_resumes_failed_total", "Resumes that were answered with a snapshot.",
     &Stats::resumes_failed_total},
    {"seatlock_edge_backfills_total", "Short streams begun for resumes.", &Stats::backfills_total},
    {"seatlock_edge_bad_messages_total", "Messages answered with an error.",
     &Stats::bad_messages_total},
    {"seatlock_edge_shed_total", "Readers cut off because all together held back too much.",
     &Stats::shed_total},
    {"seatlock_edge_dead_peers_total", "Connections cut because nothing came from them.",
     &Stats::dead_peers_total},
    {"seatlock_edge_upstream_changes_total", "Changes heard from the service.",
     &Stats::upstream_changes_total},
    {"seatlock_edge_upstream_lost_total", "Streams that ended or could not begin.",
     &Stats::upstream_lost_total},
    {"seatlock_edge_upstream_refused_total", "Streams that the service refused.",
     &Stats::upstream_refused_total},
    {"seatlock_edge_upstream_gaps_total", "Streams given up because they did not follow on.",
     &Stats::upstream_gaps_total},
};

// Subscriptions refused or ended, by the error's code.
constexpr struct {
  const char* code;
  Stats::Number Stats::*number;
} kSubscribesRefused[] = {
    {"RATE_LIMITED", &Stats::subscribes_rate_limited_total},
    {"SHOWTIME_UNAVAILABLE", &Stats::subscribes_unavailable_total},
    {"TOO_MANY_SUBSCRIPTIONS", &Stats::subscribes_too_many_total},
    {"TOKEN_REQUIRED", &Stats::subscribes_token_required_total},
};

double Sum(const Threads& threads, Stats::Number Stats::*number) {
  int64_t sum = 0;
  for (const Stats* stats : threads) sum += (stats->*number).load();
  return static_cast<double>(sum);
}

double Closes(const Threads& threads, size_t code) {
  int64_t sum = 0;
  for (const Stats* stats : threads) sum += stats->closes_total[code].load();
  return static_cast<double>(sum);
}

void AddCloses(const Threads& threads, runtime::Metrics* metrics) {
  for (size_t i = 0; i < kCloseCodes.size(); ++i) {
    const auto read = [threads, i] { return Closes(threads, i); };
    metrics->AddCounterCallback("seatlock_edge_closes_total", "Connections closed by the edge.",
                                read, {{"code", std::to_string(static_cast<int>(kCloseCodes[i]))}});
    if (kCloseCodes[i] == CloseCode::kTooSlow) {
      metrics->AddCounterCallback("seatlock_edge_slow_closes_total", "Readers closed with 4101.",
                                  read);
    }
  }
}

runtime::Histogram::Reading Latency(const Threads& threads) {
  constexpr double kMsASecond = 1000;
  runtime::Histogram::Reading reading;
  reading.counts.resize(Stats::kLatencyBoundsMs.size() + 1);
  for (const Stats* stats : threads) {
    for (size_t i = 0; i < reading.counts.size(); ++i) {
      reading.counts[i] += static_cast<uint64_t>(stats->latency_counts[i].load());
    }
    reading.sum += static_cast<double>(stats->latency_sum_ms.load()) / kMsASecond;
  }
  return reading;
}

std::vector<double> LatencyBoundsSeconds() {
  std::vector<double> bounds;
  for (const int64_t ms : Stats::kLatencyBoundsMs) {
    bounds.push_back(static_cast<double>(ms) / 1000);
  }
  return bounds;
}

}  // namespace

void AddMetrics(Threads threads, const Admission& admission, const MemoryBudget& budget,
                runtime::Metrics* metrics) {
  for (const Named& gauge : kGauges) {
    metrics->AddGaugeCallback(gauge.name, gauge.help,
                              [threads, number = gauge.number] { return Sum(threads, number); });
  }
  for (const Named& counter : kCounters) {
    metrics->AddCounterCallback(counter.name, counter.help, [threads, number = counter.number] {
      return Sum(threads, number);
    });
  }
  AddCloses(threads, metrics);
  for (const auto& refused : kSubscribesRefused) {
    metrics->AddCounterCallback("seatlock_edge_subscribes_refused_total",
                                "Subscriptions refused or ended with an error.",
                                [threads, number = refused.number] { return Sum(threads, number); },
                                {{"code", refused.code}});
  }
  for (const int status : Admission::kRefusals) {
    metrics->AddCounterCallback(
        "seatlock_edge_upgrades_refused_total", "HTTP requests refused before the upgrade.",
        [&admission, status] { return static_cast<double>(admission.RefusalCount(status)); },
        {{"status", std::to_string(status)}});
  }
  for (const bool trusted : {true, false}) {
    metrics->AddCounterCallback(
        "seatlock_edge_upgrades_forwarded_total",
        "Upgrades with X-Forwarded-For, by whether their peer is one of --trusted-proxies.",
        [&admission, trusted] { return static_cast<double>(admission.ForwardedCount(trusted)); },
        {{"proxy", trusted ? "trusted" : "untrusted"}});
  }
  metrics->AddGaugeCallback("seatlock_edge_sockets",
                            "Connections and those that shake hands or are being refused.",
                            [&admission] { return static_cast<double>(admission.sockets()); });
  metrics->AddGaugeCallback("seatlock_edge_held_bytes", "Bytes held back for slow readers.",
                            [&budget] { return static_cast<double>(budget.bytes()); });
  metrics->AddGaugeCallback("seatlock_edge_held_max_bytes",
                            "The bound of seatlock_edge_held_bytes: --memory-budget-mib.",
                            [&budget] { return static_cast<double>(budget.bytes_max()); });
  metrics->AddGaugeCallback(
      "seatlock_edge_connections_max", "The bound of seatlock_edge_connections.",
      [&admission] { return static_cast<double>(admission.connections_max()); });
  metrics->AddGaugeCallback("seatlock_edge_threads", "Threads that serve browsers.",
                            [count = threads.size()] { return static_cast<double>(count); });
  metrics->AddHistogramCallback(
      "seatlock_edge_commit_to_socket_seconds",
      "From a change's commit to all connections of a thread having been written to.",
      LatencyBoundsSeconds(), [threads] { return Latency(threads); });
}

void AddServerMetrics(const std::function<std::vector<ServerStatus>()>& read,
                      runtime::Metrics* metrics) {
  using Values = std::vector<std::pair<std::string, double>>;
  metrics->AddGaugesCallback(
      "seatlock_edge_upstream_up", "1 if this server serves, else 0.", "server", [read] {
        Values values;
        for (const ServerStatus& server : read()) {
          values.emplace_back(server.address, server.state == ServerState::kServing ? 1 : 0);
        }
        return values;
      });
  metrics->AddGaugesCallback("seatlock_edge_upstream_server_streams",
                             "WatchShowtime streams of this server.", "server", [read] {
                               Values values;
                               for (const ServerStatus& server : read()) {
                                 values.emplace_back(server.address,
                                                     static_cast<double>(server.streams));
                               }
                               return values;
                             });
}

}  // namespace seatlock::edge
