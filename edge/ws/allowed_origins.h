// Which pages may connect, by the Origin that a browser sends. Immutable, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seatlock::edge {

class AllowedOrigins {
 public:
  // Allows any.
  AllowedOrigins() = default;

  // Allows pages of the host that the request goes to, on any port and by http or https. All names
  // of this very machine (localhost, 127.0.0.1, ::1) are one host.
  static AllowedOrigins SameHost();

  // Reads origins separated by commas, such as "https://a.example,http://b.example:3000"; empty or
  // "*" is any. "https://*.a.example" stands for every subdomain of a.example, however deep, and
  // not for a.example itself. Scheme and host may be in capitals, and a default port may stand
  // there or not. What no browser sends is InvalidArgument, in words that complete
  // "--allowed-origins ...".
  static absl::StatusOr<AllowedOrigins> Parse(std::string_view text);

  // `origin` is the header's value, which no browser leaves out: empty is allowed. `host` is that
  // of the same request, and good, perhaps with a port.
  bool Allows(std::string_view origin, std::string_view host) const;
  bool any() const { return origins_.empty() && !same_host_; }

 private:
  struct Origin {
    std::string scheme;
    // In lower case. If `subdomains`, with the dot before what they have in common.
    std::string host;
    uint16_t port = 0;  // 0: the scheme has no default, and none is given.
    bool subdomains = false;
  };

  static absl::StatusOr<Origin> ParseOne(std::string_view text);

  std::vector<Origin> origins_;  // Empty: any, or the same host.
  bool same_host_ = false;
};

}  // namespace seatlock::edge
