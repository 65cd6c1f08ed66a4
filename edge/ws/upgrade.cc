#include "edge/ws/upgrade.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>
#include <optional>
#include <utility>

#include "edge/ws/port.h"

namespace seatlock::edge {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace urls = boost::urls;

// 16 bytes in base64 (RFC 6455, 4.1).
bool IsKey(beast::string_view key) {
  constexpr size_t kKeyChars = 24;
  if (key.size() != kKeyChars || key.substr(22) != "==") return false;
  return std::all_of(key.begin(), key.end() - 2,
                     [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '/'; });
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

// Whether what stands where a port would be is one, or nothing.
template <typename Authority>
bool HasGoodPort(const Authority& authority) {
  const auto port = authority.port();
  return port.empty() || ParsePort({port.data(), port.size()});
}

bool HasBadPort(std::string_view target) {
  const auto url = urls::parse_absolute_uri({target.data(), target.size()});
  return url && !HasGoodPort(*url);
}

// The path that a target asks for. Empty: none that we know how to read.
std::string PathOf(std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(0, target.find('?')));
  const auto url = urls::parse_absolute_uri({target.data(), target.size()});
  if (!url || !url->has_authority() || url->encoded_host().empty() || url->has_userinfo())
    return "";
  if (url->scheme_id() != urls::scheme::http && url->scheme_id() != urls::scheme::https) return "";
  return {url->encoded_path().data(), url->encoded_path().size()};
}

// RFC 9112, 3.2: one, and a good one, whatever the target says. It may be empty.
bool HasGoodHost(const UpgradeRequest& request) {
  if (request.count(http::field::host) != 1) return false;
  const beast::string_view host = request[http::field::host];
  if (host.empty()) return true;
  const auto authority = urls::parse_authority({host.data(), host.size()});
  return authority && !authority->has_userinfo() && HasGoodPort(*authority);
}

}  // namespace

size_t HeadBytes(std::string_view bytes, size_t searched) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  const size_t from = searched < kEnd.size() ? 0 : searched - (kEnd.size() - 1);
  const size_t end = bytes.find(kEnd, from);
  return end == std::string_view::npos ? 0 : end + kEnd.size();
}

bool HasBareLineEnd(std::string_view bytes, size_t searched) {
  for (size_t i = std::max<size_t>(searched, 1); i < bytes.size(); ++i) {
    if ((bytes[i - 1] == '\r') != (bytes[i] == '\n')) return true;
  }
  return false;
}

bool MayBeginRequest(std::string_view bytes) {
  return bytes.empty() || std::isalpha(static_cast<unsigned char>(bytes.front())) != 0;
}

std::variant<UpgradeAllowed, UpgradeRefused> CheckUpgrade(const UpgradeRequest& request,
                                                          const AllowedOrigins& allowed_origins) {
  if (HasBadPort({request.target().data(), request.target().size()})) {
    return UpgradeRefused{400, "the target has no good port"};
  }
  if (PathOf({request.target().data(), request.target().size()}) != kWebSocketPath) {
    return UpgradeRefused{404, "not found; the WebSocket is at /ws/seat-updates"};
  }
  if (request.method() != http::verb::get) {
    return UpgradeRefused{405, "a WebSocket begins with a GET"};
  }
  if (!beast::websocket::is_upgrade(request)) {
    return UpgradeRefused{426, "this is a WebSocket, over HTTP/1.1 with Upgrade"};
  }
  if (request[http::field::sec_websocket_version] != "13") {
    return UpgradeRefused{426, "Sec-WebSocket-Version must be 13"};
  }
  if (!IsKey(request[http::field::sec_websocket_key])) {
    return UpgradeRefused{400, "bad Sec-WebSocket-Key"};
  }
  if (!HasGoodHost(request)) return UpgradeRefused{400, "one good Host is wanted"};
  std::optional<std::string> subprotocol = ChooseSubprotocol(request);
  if (!subprotocol) {
    return UpgradeRefused{400, "known subprotocols: seatlock.v1.json, seatlock.v1.batch"};
  }
  const beast::string_view origin = request[http::field::origin];
  if (!allowed_origins.Allows({origin.data(), origin.size()})) {
    return UpgradeRefused{403, "this origin is not allowed"};
  }
  return UpgradeAllowed{*std::move(subprotocol)};
}

}  // namespace seatlock::edge
