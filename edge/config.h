// What seatlock-edge can be told, by flag or environment variable. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/runtime/logging.h"
#include "common/runtime/net.h"
#include "edge/limits.h"
#include "edge/ws/allowed_origins.h"
#include "edge/ws/proxies.h"

namespace seatlock::edge {

// TLS to the seat service: PEM files, all empty without it.
struct UpstreamTls {
  std::string ca;
  std::string cert;  // the edge's own; empty: it has none
  std::string key;
};

struct Config {
  runtime::HostPort listen{"127.0.0.1", 8080};
  runtime::HostPort admin_listen{"127.0.0.1", 9102};
  // Servers of one store; distinct, at least one, at most kServersMax.
  std::vector<runtime::HostPort> upstreams{{"127.0.0.1", 50051}};
  UpstreamTls upstream_tls;
  // Whether upstreams may be beyond this machine without TLS.
  bool allow_plaintext = false;
  AllowedOrigins allowed_origins;
  int64_t threads = 0;                      // 0: one a core.
  int64_t connections_max = 0;              // 0: as many as descriptors allow.
  int64_t connections_per_address_max = 0;  // 0: any.
  int64_t new_showtimes_per_address_max = kNewShowtimesPerAddress;  // 0: any.
  TrustedProxies trusted_proxies;
  int64_t memory_budget_mib = kMemoryBudgetMib;  // What may be held back for slow readers.
  int64_t drain_window_ms = kDrainWindowMs;
  int64_t drain_delay_ms = 0;
  runtime::LoggingOptions logging;
};

// "a:50051,b:50051", as the flag takes them.
std::string UpstreamsText(const Config& config);

// Reads the environment and the arguments into `config`. A value: exit with it, the reason or what
// was asked for is printed.
std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config);

}  // namespace seatlock::edge
