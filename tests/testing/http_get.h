// One HTTP GET against an admin listener. Blocking.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace seatlock::testing {

struct HttpAnswer {
  int status = 0;
  std::string headers;
  std::string body;
};

// GETs `path` from "127.0.0.1:PORT". UNAVAILABLE where nobody answers within 20 s.
absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, const std::string& path);

}  // namespace seatlock::testing
