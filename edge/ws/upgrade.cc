#include "edge/ws/upgrade.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <cctype>
#include <optional>

namespace seatlock::edge {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

// 16 bytes in base64 (RFC 6455, 4.1).
bool IsKey(beast::string_view key) {
  constexpr size_t kKeyChars = 24;
  if (key.size() != kKeyChars || key.substr(22) != "==") return false;
  return std::all_of(key.begin(), key.end() - 2,
                     [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '/'; });
}

bool Allowed(beast::string_view origin, const std::vector<std::string>& allowed) {
  if (allowed.empty() || origin.empty()) return true;
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& one) { return beast::iequals(one, origin); });
}

// The first one offered that is known; none where none is offered; nullopt where none is known.
std::optional<std::string> ChooseSubprotocol(const UpgradeRequest& request) {
  const auto range = request.equal_range(http::field::sec_websocket_protocol);
  if (range.first == range.second) return "";
  for (auto field = range.first; field != range.second; ++field) {
    for (const auto& token : http::token_list(field->value())) {
      if (token == kJsonSubprotocol || token == kBatchSubprotocol) return std::string(token);
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<UpgradeAllowed, UpgradeRefused> CheckUpgrade(
    const UpgradeRequest& request, const std::vector<std::string>& allowed_origins) {
  const beast::string_view target = request.target();
  if (target.substr(0, target.find('?')) != kWebSocketPath) {
    return UpgradeRefused{404, "not found; the WebSocket is at /ws/seat-updates"};
  }
  if (!beast::websocket::is_upgrade(request)) {
    return UpgradeRefused{426, "this is a WebSocket"};
  }
  if (request[http::field::sec_websocket_version] != "13") {
    return UpgradeRefused{426, "Sec-WebSocket-Version must be 13"};
  }
  if (!IsKey(request[http::field::sec_websocket_key])) {
    return UpgradeRefused{400, "bad Sec-WebSocket-Key"};
  }
  if (request.count(http::field::host) == 0) return UpgradeRefused{400, "Host is missing"};
  std::optional<std::string> subprotocol = ChooseSubprotocol(request);
  if (!subprotocol) {
    return UpgradeRefused{400, "known subprotocols: seatlock.v1.json, seatlock.v1.batch"};
  }
  if (!Allowed(request[http::field::origin], allowed_origins)) {
    return UpgradeRefused{403, "this origin is not allowed"};
  }
  return UpgradeAllowed{*std::move(subprotocol)};
}

}  // namespace seatlock::edge
