#include "clients/cli/bench/ws_url.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/host_port.h"

namespace seatlock::cli::bench {
namespace {

constexpr char kScheme[] = "ws://";
constexpr char kPath[] = "/ws/seat-updates";
constexpr uint16_t kPort = 80;

absl::Status Wrong(const std::string& url) {
  return absl::InvalidArgumentError(
      absl::StrCat("URL must be like ws://127.0.0.1:8080/ws/seat-updates (got '", url, "')"));
}

// Whether a port follows the host: "[::1]" has colons and none.
bool HasPort(const std::string& authority) {
  const size_t colon = authority.rfind(':');
  return colon != std::string::npos && authority.find(']', colon) == std::string::npos;
}

}  // namespace

std::string WsUrl::Authority() const {
  return base::HostPort{host, port}.ToString();
}

absl::StatusOr<WsUrl> ParseWsUrl(const std::string& url) {
  if (absl::StartsWith(url, "wss://")) {
    return absl::InvalidArgumentError(
        "wss:// is not spoken yet: use the ws:// address of the edge behind the proxy");
  }
  if (!absl::StartsWith(url, kScheme)) return Wrong(url);
  for (const char c : url) {
    if (c <= ' ' || c == 0x7f || c == '#' || c == '@') return Wrong(url);
  }
  const std::string rest = url.substr(sizeof(kScheme) - 1);
  const size_t end = rest.find_first_of("/?");
  std::string authority = rest.substr(0, end);
  if (!HasPort(authority)) absl::StrAppend(&authority, ":", kPort);
  const auto host_port = base::ParseHostPort(authority);
  if (!host_port.ok() || host_port->host.empty() || host_port->port == 0) return Wrong(url);
  std::string path = end == std::string::npos ? "" : rest.substr(end);
  if (path.empty() || path == "/") path = kPath;
  if (path[0] == '?') path = absl::StrCat(kPath, path);
  return WsUrl{host_port->host, host_port->port, std::move(path)};
}

}  // namespace seatlock::cli::bench
