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

#include "common/base/port.h"

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
  return port.empty() || base::ParsePort({port.data(), port.size()}).value_or(0) > 0;
}

// Whether a target that is a whole URL asks for the WebSocket.
bool IsWebSocketUrl(const urls::url_view& url) {
  if (!url.has_authority() || url.encoded_host().empty() || url.has_userinfo()) return false;
  if (url.scheme_id() != urls::scheme::http && url.scheme_id() != urls::scheme::https) return false;
  return std::string_view(url.encoded_path().data(), url.encoded_path().size()) == kWebSocketPath;
}

// What is wrong with a target, which is a path or a URL (RFC 9112, 3.2); nothing if it is ours.
std::optional<UpgradeRefused> CheckTarget(std::string_view target) {
  bool ours = target.substr(0, target.find('?')) == kWebSocketPath;
  if (!target.starts_with('/')) {
    const auto url = urls::parse_absolute_uri({target.data(), target.size()});
    if (url && !HasGoodPort(*url)) return UpgradeRefused{400, "the target has no good port"};
    ours = url && IsWebSocketUrl(*url);
  }
  if (ours) return std::nullopt;
  return UpgradeRefused{404, "not found; the WebSocket is at /ws/seat-updates"};
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

std::optional<base::TraceContext> TraceOf(const UpgradeRequest& request) {
  if (request.count(base::kTraceparent) != 1) return std::nullopt;
  const beast::string_view text = request[base::kTraceparent];
  return base::ParseTraceparent({text.data(), text.size()});
}

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
  const beast::string_view target = request.target();
  if (auto refused = CheckTarget({target.data(), target.size()})) return *std::move(refused);
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
  const beast::string_view host = request[http::field::host];
  if (!allowed_origins.Allows({origin.data(), origin.size()}, {host.data(), host.size()})) {
    return UpgradeRefused{403, "this origin is not allowed"};
  }
  return UpgradeAllowed{*std::move(subprotocol)};
}

}  // namespace seatlock::edge
