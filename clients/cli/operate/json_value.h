// Values that may be missing, as JSON: null where there is none. Pure functions.
#pragma once

#include <boost/json/value.hpp>
#include <cmath>
#include <optional>
#include <string>

namespace seatlock::cli::operate {

inline boost::json::value OrNull(const std::string& text) {
  return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
}

// Counts come as double from a page of metrics: written without a fraction if they have none.
inline boost::json::value OrNull(const std::optional<double>& number) {
  constexpr double kExact = 9e15;
  if (!number.has_value() || !std::isfinite(*number)) return nullptr;
  if (*number == std::floor(*number) && std::abs(*number) < kExact) {
    return static_cast<int64_t>(*number);
  }
  return *number;
}

}  // namespace seatlock::cli::operate
