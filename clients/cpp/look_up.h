// What the names of servers stand for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::client {

// Every address of a server's name: "seats.example:50051" becomes {"10.0.0.1:50051",
// "10.0.0.2:50051"}, each once. Blocks, for half a minute where no name server answers.
using LookUp = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& server)>;

// By the system: /etc/hosts, DNS and what else nsswitch.conf says. Unavailable says why not.
absl::StatusOr<std::vector<std::string>> SystemLookUp(const std::string& server);

}  // namespace seatlock::client
