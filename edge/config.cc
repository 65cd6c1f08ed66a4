#include "edge/config.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/look_up.h"
#include "common/base/server_list.h"
#include "common/runtime/flags.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

constexpr int64_t kConnectionsMax = 10'000'000;

absl::Status SetUpstreams(std::string_view text, Config* config) {
  const absl::StatusOr<std::vector<std::string>> servers = base::ParseServers(text);
  if (!servers.ok()) return servers.status();
  config->upstreams.clear();
  for (const std::string& server : *servers) {
    config->upstreams.push_back(*runtime::ParseHostPort(server));
  }
  return absl::OkStatus();
}

// Keeps also how it was written, for --print-config.
template <typename Value>
absl::Status SetParsed(std::string_view text, Value* value, std::string* written) {
  absl::StatusOr<Value> parsed = Value::Parse(text);
  if (!parsed.ok()) return parsed.status();
  *value = *std::move(parsed);
  *written = text;
  return absl::OkStatus();
}

void AddTlsFlags(Config* config, runtime::Flags* flags) {
  UpstreamTls& tls = config->upstream_tls;
  flags->File(&tls.ca, "upstream-ca",
              "PEM: who may have signed the seat service's certificate; turns TLS on. Files for "
              "--upstream are read anew when they change");
  flags->File(&tls.cert, "upstream-cert",
              "PEM: the edge's own certificate, if the seat service asks for one");
  flags->File(&tls.key, "upstream-key", "PEM: the key of --upstream-cert");
  flags->Bool(&config->allow_plaintext, "allow-plaintext",
              "let --upstream be beyond this machine without TLS");
}

absl::Status CheckTls(const Config& config) {
  const UpstreamTls& tls = config.upstream_tls;
  if (tls.cert.empty() != tls.key.empty()) {
    return absl::InvalidArgumentError(
        "--upstream-cert and --upstream-key go together: one is missing");
  }
  if (tls.ca.empty() && !tls.cert.empty()) {
    return absl::InvalidArgumentError("--upstream-cert and --upstream-key need --upstream-ca");
  }
  if (!tls.ca.empty() || config.allow_plaintext) return absl::OkStatus();
  for (const runtime::HostPort& upstream : config.upstreams) {
    if (base::IsLoopback(upstream.host)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--upstream=", upstream.ToString(),
                     " is beyond this machine: give --upstream-ca, or --allow-plaintext if the "
                     "network is trusted"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string UpstreamsText(const Config& config) {
  return absl::StrJoin(config.upstreams, ",", [](std::string* out, const runtime::HostPort& one) {
    out->append(one.ToString());
  });
}

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  std::string origins;
  runtime::Flags flags(
      "seatlock-edge",
      "Shows seats to browsers over WebSocket. Whether the one that runs with these "
      "settings is ready: seatlock-edge health",
      "SEATLOCK_EDGE_");
  flags.Address(&config->listen, "listen", "where browsers connect");
  flags.Address(&config->admin_listen, "admin-listen",
                "where /livez, /readyz, /metrics and /version listen");
  flags.Custom(
      "upstream", "HOST:PORT,...",
      "the seat service (gRPC): one server, or all servers of one store; a name stands for all of "
      "its addresses. A showtime is followed on the server that it prefers, and on the next one "
      "while that is away",
      [config](std::string_view text) { return SetUpstreams(text, config); },
      [config] { return UpstreamsText(*config); });
  AddTlsFlags(config, &flags);
  flags.Check([config] { return CheckTls(*config); });
  flags.Custom(
      "allowed-origins", "ORIGIN,...",
      "pages that may connect, such as https://a.example,https://*.b.example (any subdomain of "
      "b.example); empty or *: any",
      [config, &origins](std::string_view text) {
        return SetParsed(text, &config->allowed_origins, &origins);
      },
      [&origins] { return origins; });
  flags.Int(&config->connections_max, "max-connections", 0, kConnectionsMax,
            "connections that are let in, 0: as many as open files allow");
  flags.Int(&config->connections_per_address_max, "max-connections-per-address", 0, kConnectionsMax,
            "connections of one address (of an IPv6 /64), 0: any number");
  flags.Int(&config->new_showtimes_per_address_max, "max-new-showtimes-per-address", 0,
            kNewShowtimesPerAddressMax,
            "showtimes that nobody follows yet and one address may open at once; a hundredth of it "
            "comes back each second, 0: any number");
  std::string proxies;
  flags.Custom(
      "trusted-proxies", "NETWORK,...",
      "proxies whose X-Forwarded-For says a client's address, such as 10.0.0.0/8,::1",
      [config, &proxies](std::string_view text) {
        return SetParsed(text, &config->trusted_proxies, &proxies);
      },
      [&proxies] { return proxies; });
  flags.Int(&config->threads, "threads", 0, kThreadsMax,
            "threads that serve browsers, 0: one a core");
  flags.Int(&config->memory_budget_mib, "memory-budget-mib", 1, kMemoryBudgetMibMax,
            "MiB that may be held back for slow readers together; above it the slowest are closed");
  flags.Int(&config->drain_window_ms, "drain-window-ms", 0, kDrainWindowMsMax,
            "the most milliseconds over which browsers are sent away on SIGTERM: one for each of "
            "them, and at least 2000 if this allows it");
  flags.DurationMs(&config->drain_delay_ms, "drain-delay", 0, kDrainDelayMsMax,
                   "how long /readyz says 503 before the edge drains; it accepts until then");
  runtime::AddLoggingFlags(&config->logging, &flags);
  flags.EnvAlias("WEBSOCKET_SERVER_PORT", "listen",
                 "the port of --listen; SEATLOCK_EDGE_LISTEN and --listen beat it",
                 [config](std::string_view text) -> absl::Status {
                   const absl::StatusOr<uint16_t> port = runtime::ParsePort(text);
                   if (port.ok()) config->listen.port = *port;
                   return port.status();
                 });
  return flags.Parse(argc, argv);
}

}  // namespace seatlock::edge
