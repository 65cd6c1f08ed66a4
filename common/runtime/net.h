// Addresses as flags give them, and the process's limit of open files. Values and functions;
// thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::runtime {

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

// Reads a TCP port, 0-65535. InvalidArgument otherwise.
absl::StatusOr<uint16_t> ParsePort(std::string_view text);

// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard one and returns it: each
// connection is a file, and the soft limit of 1024 is meant for programs that use select().
absl::StatusOr<uint64_t> RaiseOpenFilesLimit();

}  // namespace seatlock::runtime
