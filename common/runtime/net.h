// Addresses as flags give them, and the process's limit of open files. Values and functions;
// thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/host_port.h"

namespace seatlock::runtime {

using base::HostPort;
using base::ParseHostPort;

// Reads a TCP port, 0-65535. InvalidArgument otherwise.
absl::StatusOr<uint16_t> ParsePort(std::string_view text);

// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard one and returns it: each
// connection is a file, and the soft limit of 1024 is meant for programs that use select().
absl::StatusOr<uint64_t> RaiseOpenFilesLimit();

}  // namespace seatlock::runtime
