// The port of a URL or of a Host header. Boost.URL takes any number for one, and counts it modulo
// 65,536.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace seatlock::edge {

// 1 to 65535; none if `digits` are no such number.
inline std::optional<uint16_t> ParsePort(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

}  // namespace seatlock::edge
