#include "common/base/host_port.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/port.h"

namespace seatlock::base {
namespace {

absl::Status NotHostPort() {
  return absl::InvalidArgumentError("must be host:port, such as 127.0.0.1:8080 or [::1]:8080");
}

// Where the host ends: before the last colon, which may stand in no other place unless the host is
// an IPv6 address in brackets.
bool SplitHostPort(std::string_view text, std::string_view* host, std::string_view* port) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  *host = text.substr(0, colon);
  *port = text.substr(colon + 1);
  if (host->starts_with('[')) {
    if (!host->ends_with(']')) return false;
    *host = host->substr(1, host->size() - 2);
  } else if (host->find(':') != std::string_view::npos) {
    return false;
  }
  return !host->empty() && host->find_first_of(" \t[]/") == std::string_view::npos;
}

}  // namespace

std::string HostPort::ToString() const {
  if (host.find(':') != std::string::npos) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  std::string_view host;
  std::string_view port_text;
  if (!SplitHostPort(text, &host, &port_text)) return NotHostPort();
  const std::optional<uint16_t> port = ParsePort(port_text);
  if (!port.has_value()) return NotHostPort();
  return HostPort{.host = std::string(host), .port = *port};
}

}  // namespace seatlock::base
