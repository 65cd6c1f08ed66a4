#include "edge/config.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/runtime/flags.h"
#include "edge/limits.h"

namespace seatlock::edge {
namespace {

constexpr int64_t kConnectionsMax = 10'000'000;

// scheme://host or scheme://host:port, as browsers send it (RFC 6454, 6.2).
bool IsOrigin(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const std::string_view rest = text.substr(scheme + 3);
  return !rest.empty() && rest.find_first_of("/?# ") == std::string_view::npos;
}

// None: not a list of origins. Empty: any.
std::optional<std::vector<std::string>> ParseOrigins(const std::string& text) {
  if (text.empty() || text == "*") return std::vector<std::string>{};
  std::vector<std::string> origins;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    origins.emplace_back(absl::StripAsciiWhitespace(part));
    if (!IsOrigin(origins.back())) return std::nullopt;
  }
  return origins;
}

}  // namespace

std::optional<int> ReadConfig(int argc, const char* const* argv, Config* config) {
  std::string origins;
  runtime::Flags flags("seatlock-edge", "Shows seats to browsers over WebSocket.",
                       "SEATLOCK_EDGE_");
  flags.Address(&config->listen, "listen", "where browsers connect");
  flags.Address(&config->admin_listen, "admin-listen",
                "where /livez, /readyz, /metrics and /version listen");
  flags.Address(&config->upstream, "upstream", "the seat service (gRPC)");
  flags.String(&origins, "allowed-origins",
               "origins of pages that may connect, such as https://a.example,https://b.example; "
               "empty or *: any");
  flags.Int(&config->connections_max, "max-connections", 0, kConnectionsMax,
            "connections that are let in, 0: as many as open files allow");
  flags.Int(&config->connections_per_address_max, "max-connections-per-address", 0, kConnectionsMax,
            "connections of one address (of an IPv6 /64), 0: any number");
  std::string proxies;
  flags.Custom(
      "trusted-proxies", "NETWORK,...",
      "proxies whose X-Forwarded-For says a client's address, such as 10.0.0.0/8,::1",
      [config, &proxies](std::string_view text) -> absl::Status {
        absl::StatusOr<TrustedProxies> parsed = TrustedProxies::Parse(text);
        if (!parsed.ok()) return parsed.status();
        config->trusted_proxies = *std::move(parsed);
        proxies = text;
        return absl::OkStatus();
      },
      [&proxies] { return proxies; });
  flags.Int(&config->threads, "threads", 0, kThreadsMax,
            "threads that serve browsers, 0: one a core");
  flags.Int(&config->memory_budget_mib, "memory-budget-mib", 1, kMemoryBudgetMibMax,
            "MiB that may be held back for slow readers together; above it the slowest are closed");
  flags.Int(&config->drain_window_ms, "drain-window-ms", 0, kDrainWindowMsMax,
            "milliseconds over which browsers are sent away on SIGTERM");
  runtime::AddLoggingFlags(&config->logging, &flags);
  flags.EnvAlias("WEBSOCKET_SERVER_PORT", "listen",
                 "the port of --listen; SEATLOCK_EDGE_LISTEN and --listen beat it",
                 [config](std::string_view text) -> absl::Status {
                   const absl::StatusOr<uint16_t> port = runtime::ParsePort(text);
                   if (port.ok()) config->listen.port = *port;
                   return port.status();
                 });
  if (std::optional<int> exit_code = flags.Parse(argc, argv)) return exit_code;
  std::optional<std::vector<std::string>> parsed = ParseOrigins(origins);
  if (!parsed) {
    std::fprintf(stderr,
                 "seatlock-edge: --allowed-origins is '%s': must be origins such as "
                 "https://a.example, separated by commas\n",
                 origins.c_str());
    return 2;
  }
  config->allowed_origins = *std::move(parsed);
  return std::nullopt;
}

}  // namespace seatlock::edge
