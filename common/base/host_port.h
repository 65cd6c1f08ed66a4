// A host and a TCP port as flags and options give them. Values and functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seatlock::base {

// A host (name, IPv4 or IPv6 address without brackets) and a TCP port; 0 asks the system for one.
struct HostPort {
  std::string host;
  uint16_t port = 0;

  // "127.0.0.1:8080", "[::1]:8080": what ParseHostPort reads.
  std::string ToString() const;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// Reads "host:port" or "[v6]:port". InvalidArgument says what is wrong in words that complete
// "--listen ...".
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);

}  // namespace seatlock::base
