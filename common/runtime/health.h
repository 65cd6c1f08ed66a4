// What `seatlockd health` and `seatlock-edge health` do: ask the program that runs with the same
// settings whether it is ready. Containers call it, so that their images need no HTTP client.
// Thread-safe. Blocks for at most the deadline; if the address is a name that nobody answers for,
// for as long as the look-up takes.
#pragma once

#include <chrono>
#include <string_view>

#include "absl/status/status.h"
#include "common/runtime/net.h"

namespace seatlock::runtime {

// Below the 5 s that the images give a health check.
inline constexpr std::chrono::milliseconds kHealthDeadline{3'000};

// GETs /readyz from the admin listener at `admin_listen`; where that listens everywhere, from
// loopback. Unavailable with one line that says why it is not ready, or cannot be asked.
absl::Status AskReadiness(const HostPort& admin_listen,
                          std::chrono::milliseconds deadline = kHealthDeadline);

// The same as a command: one line on stdout and 0, or one on stderr and 1.
int RunHealth(std::string_view program, const HostPort& admin_listen);

}  // namespace seatlock::runtime
