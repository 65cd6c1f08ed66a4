// One value of a program's /metrics.
#pragma once

#include <limits>
#include <string>

#include "tests/testing/http_get.h"

namespace seatlock::testing {

// The value of `series`, a name with its labels as /metrics writes them; NaN if it is not there.
inline double MetricOf(const std::string& admin_address, const std::string& series) {
  const auto page = HttpGet(admin_address, "/metrics");
  const std::string text = page.ok() ? "\n" + page->body : "";
  const size_t at = text.find("\n" + series + " ");
  if (at == std::string::npos) return std::numeric_limits<double>::quiet_NaN();
  return std::stod(text.substr(at + series.size() + 2));
}

}  // namespace seatlock::testing
