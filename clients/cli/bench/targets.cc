#include "clients/cli/bench/targets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"

namespace seatlock::cli::bench {
namespace {

constexpr char kAsk[] = "say --allow-bench if it is yours and may be loaded";

}  // namespace

bool IsLoopback(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string BeyondLoopback(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    if (base::IsHostAddress(host)) {
      if (IsLoopback(host)) continue;
      return absl::StrCat(host, " is beyond this machine's loopback: ", kAsk);
    }
    const auto addresses = base::LookUpHost(host);
    if (!addresses.ok()) {
      return absl::StrCat(host, " cannot be looked up (", addresses.status().message(), ")");
    }
    for (const std::string& address : *addresses) {
      if (IsLoopback(address)) continue;
      return absl::StrCat(host, " stands for ", address,
                          ", beyond this machine's loopback: ", kAsk);
    }
  }
  return "";
}

}  // namespace seatlock::cli::bench
