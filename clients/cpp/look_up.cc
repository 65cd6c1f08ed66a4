#include "clients/cpp/look_up.h"

#include "absl/strings/str_cat.h"
#include "common/base/host_port.h"
#include "common/base/look_up.h"

namespace seatlock::client {

absl::StatusOr<std::vector<std::string>> SystemLookUp(const std::string& server) {
  const absl::StatusOr<base::HostPort> name = base::ParseHostPort(server);
  if (!name.ok()) return name.status();
  absl::StatusOr<std::vector<std::string>> addresses = base::LookUpHost(name->host);
  if (!addresses.ok()) {
    return absl::UnavailableError(
        absl::StrCat("cannot look up ", name->host, ": ", addresses.status().message()));
  }
  for (std::string& address : *addresses) {
    address = base::HostPort{.host = address, .port = name->port}.ToString();
  }
  return addresses;
}

}  // namespace seatlock::client
