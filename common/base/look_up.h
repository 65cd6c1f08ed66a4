// What the name of a host stands for. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::base {

// Whether `host` is an address and no name: 10.0.0.1, or what has a colon: ::1, fe80::1%eth0.
bool IsHostAddress(const std::string& host);

// Whether `host` is this machine's own loopback: an address of 127.0.0.0/8, ::1, or the name
// localhost. Other names are not looked up, and are not.
bool IsLoopback(const std::string& host);

// Every address of `host` as text (10.0.0.1, 2001:db8::1), each once, in the system's order: from
// /etc/hosts, DNS and what else nsswitch.conf says. IPv6 addresses only if this machine has one
// itself. Blocks, for half a minute if no name server answers. UNAVAILABLE, in the system's words:
// there is none.
absl::StatusOr<std::vector<std::string>> LookUpHost(const std::string& host);

}  // namespace seatlock::base
