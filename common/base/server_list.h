// Lists of servers as options and flags give them: "10.0.0.1:50051,10.0.0.2:50051". Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seatlock::base {

// Takes the list apart at its commas and checks it as CheckServers does.
absl::StatusOr<std::vector<std::string>> ParseServers(std::string_view text);

// Each must be host:port, none empty, none twice, and at most kServersMax (rendezvous.h).
// InvalidArgument says in one line what is wrong, in words that complete "--server ...".
absl::Status CheckServers(const std::vector<std::string>& servers);

// Whether the host of `server` must be looked up: it is host:port, and the host is no address. A
// gRPC target of another form, such as "unix:/run/seatlockd" or "dns:///a:1", is none.
bool IsNamedServer(std::string_view server);

}  // namespace seatlock::base
