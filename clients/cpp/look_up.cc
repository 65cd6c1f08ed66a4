#include "clients/cpp/look_up.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/host_port.h"

namespace seatlock::client {
namespace {

std::string Numeric(const addrinfo& info) {
  char host[NI_MAXHOST];
  const int error =
      getnameinfo(info.ai_addr, info.ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? host : "";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SystemLookUp(const std::string& server) {
  const absl::StatusOr<base::HostPort> name = base::ParseHostPort(server);
  if (!name.ok()) return name.status();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  // Without it a host that has no IPv6 would be told IPv6 addresses that it cannot reach.
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  if (const int error = getaddrinfo(name->host.c_str(), nullptr, &hints, &first); error != 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot look up ", name->host, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(first, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* info = first; info != nullptr; info = info->ai_next) {
    const std::string host = Numeric(*info);
    if (host.empty()) continue;
    const std::string address = base::HostPort{.host = host, .port = name->port}.ToString();
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  return addresses;
}

}  // namespace seatlock::client
