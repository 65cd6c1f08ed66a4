#include "common/base/server_list.h"

#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/host_port.h"
#include "common/base/look_up.h"
#include "common/base/rendezvous.h"

namespace seatlock::base {
namespace {

// As it was given, on one line and not longer than a reader wants.
std::string Quoted(std::string_view text) {
  constexpr size_t kLongest = 80;
  const bool cut = text.size() > kLongest;
  const std::string_view shown = text.substr(0, kLongest);
  return absl::StrCat("'", absl::CHexEscape({shown.data(), shown.size()}), cut ? "...'" : "'");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseServers(std::string_view text) {
  const std::vector<std::string> servers =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ',');
  if (absl::Status wrong = CheckServers(servers); !wrong.ok()) return wrong;
  return servers;
}

absl::Status CheckServers(const std::vector<std::string>& servers) {
  if (servers.size() > kServersMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("must name at most ", kServersMax, " servers, not ", servers.size()));
  }
  std::set<std::pair<std::string, int>> seen;
  for (const std::string& server : servers) {
    if (server.empty()) return absl::InvalidArgumentError("must have no empty entry");
    const absl::StatusOr<HostPort> address = ParseHostPort(server);
    if (!address.ok() || address->port == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "must be host:port, such as 127.0.0.1:50051 or [::1]:50051: ", Quoted(server),
          " is none"));
    }
    if (!seen.emplace(address->host, address->port).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("must name a server once: ", Quoted(server), " is there twice"));
    }
  }
  return absl::OkStatus();
}

bool IsNamedServer(std::string_view server) {
  const absl::StatusOr<HostPort> address = ParseHostPort(server);
  return address.ok() && !IsHostAddress(address->host);
}

}  // namespace seatlock::base
