#include "clients/cli/bench/targets.h"

#include "absl/strings/str_cat.h"
#include "common/base/look_up.h"

namespace seatlock::cli::bench {
namespace {

constexpr char kAsk[] = "say --allow-bench if it is yours and may be loaded";

}  // namespace

std::string BeyondLoopback(const std::vector<std::string>& hosts) {
  for (const std::string& host : hosts) {
    if (base::IsHostAddress(host)) {
      if (base::IsLoopback(host)) continue;
      return absl::StrCat(host, " is beyond this machine's loopback: ", kAsk);
    }
    const auto addresses = base::LookUpHost(host);
    if (!addresses.ok()) {
      return absl::StrCat(host, " cannot be looked up (", addresses.status().message(), ")");
    }
    for (const std::string& address : *addresses) {
      if (base::IsLoopback(address)) continue;
      return absl::StrCat(host, " stands for ", address,
                          ", beyond this machine's loopback: ", kAsk);
    }
  }
  return "";
}

}  // namespace seatlock::cli::bench
