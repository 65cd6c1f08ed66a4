// Whether an HTTP request may become a WebSocket connection, and how it is refused. Pure.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace seatlock::edge {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

inline constexpr std::string_view kWebSocketPath = "/ws/seat-updates";
inline constexpr std::string_view kJsonSubprotocol = "seatlock.v1.json";
inline constexpr std::string_view kBatchSubprotocol = "seatlock.v1.batch";

struct UpgradeAllowed {
  std::string subprotocol;  // Empty: none was asked for.
};

struct UpgradeRefused {
  int status = 400;
  std::string message;
};

// `allowed_origins` empty: any. A request without Origin comes from no browser and is allowed.
std::variant<UpgradeAllowed, UpgradeRefused> CheckUpgrade(
    const UpgradeRequest& request, const std::vector<std::string>& allowed_origins);

}  // namespace seatlock::edge
