// A client's first bytes through Beast's request parser, with the edge's bound, and CheckUpgrade.
// Whatever is allowed must have passed every rule of RFC 6455, 4.2.1, and of the contract.
//
// The first byte is no part of the request: odd, and only one origin is allowed.
#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/verb.hpp>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "edge/limits.h"
#include "edge/ws/upgrade.h"
#include "tests/fuzz/require.h"

namespace seatlock::edge {
namespace {

namespace http = boost::beast::http;
using ::seatlock::testing::Require;

constexpr std::string_view kOrigin = "https://tickets.example";

// The values of all fields of this name, in lower case, between commas, without
// the spaces before each.
std::string Listed(const UpgradeRequest& request, http::field name) {
  std::string all = ",";
  const auto range = request.equal_range(name);
  for (auto field = range.first; field != range.second; ++field) {
    for (const char c : field->value()) {
      if ((c == ' ' || c == '\t') && all.back() == ',') continue;
      all += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    all += ',';
  }
  return all;
}

bool IsTokenCharacter(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || kOthers.find(c) != kOthers.npos;
}

// Beast reads a list up to its first bad byte, so what follows the token need not be a comma; but
// the token must end there.
bool Lists(const UpgradeRequest& request, http::field name, std::string_view token) {
  const std::string all = Listed(request, name);
  const std::string start = "," + std::string(token);
  size_t at = all.find(start);
  while (at != all.npos && IsTokenCharacter(all[at + start.size()])) at = all.find(start, at + 1);
  return at != all.npos;
}

bool IsBase64(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; });
}

void CheckAllowed(const UpgradeRequest& request, const UpgradeAllowed& allowed, bool one_origin) {
  Require(request.method() == http::verb::get, "an upgrade is a GET");
  Require(request.version() == 11, "an upgrade is HTTP/1.1");
  const std::string target(request.target());
  const std::string whole = target.substr(0, target.find('?'));
  Require(whole.ends_with(kWebSocketPath), "the path is the WebSocket's");
  Require(whole == kWebSocketPath || boost::beast::iequals(whole.substr(0, 4), "http"),
          "a target is a path or a URL");
  Require(request.count(http::field::host) == 1, "Host is there once");
  Require(Lists(request, http::field::upgrade, "websocket"), "Upgrade names websocket");
  Require(Lists(request, http::field::connection, "upgrade"), "Connection names Upgrade");
  Require(request[http::field::sec_websocket_version] == "13", "the version is 13");
  const std::string key(request[http::field::sec_websocket_key]);
  Require(key.size() == 24 && key.substr(22) == "==" && IsBase64(key.substr(0, 22)),
          "the key is 16 bytes in base64");
  if (allowed.subprotocol.empty()) {
    Require(request.count(http::field::sec_websocket_protocol) == 0, "no subprotocol was offered");
  } else {
    Require(allowed.subprotocol == kJsonSubprotocol || allowed.subprotocol == kBatchSubprotocol,
            "the subprotocol is known");
    Require(Lists(request, http::field::sec_websocket_protocol, allowed.subprotocol),
            "the subprotocol was offered");
  }
  const auto origin = request[http::field::origin];
  Require(!one_origin || origin.empty() || boost::beast::iequals(origin, kOrigin),
          "the origin is allowed");
}

void CheckRefused(const UpgradeRefused& refused) {
  constexpr int kStatus[] = {400, 403, 404, 405, 426};
  Require(std::find(std::begin(kStatus), std::end(kStatus), refused.status) != std::end(kStatus),
          "a refusal has a status of the contract");
  Require(!refused.message.empty(), "a refusal says why");
}

}  // namespace
}  // namespace seatlock::edge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace seatlock::edge;  // NOLINT: the one function of the program.
  if (size == 0) return 0;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kHttpHeaderBytesMax);
  boost::system::error_code ec;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const size_t head_bytes = HeadBytes(text);
  for (size_t searched = 0; searched < head_bytes; ++searched) {
    Require(HeadBytes(text, searched) == head_bytes, "the end is where it is, wherever one begins");
  }
  if (head_bytes == 0 || head_bytes > kHttpHeaderBytesMax) return 0;
  parser.put(boost::asio::buffer(text.data(), head_bytes), ec);
  if (ec) return 0;
  Require(parser.is_header_done(), "a head is all that a request needs");

  const bool one_origin = (data[0] & 1) != 0;
  const auto origins = AllowedOrigins::Parse(one_origin ? kOrigin : "*");
  const auto check = CheckUpgrade(parser.get(), *origins);
  if (const auto* allowed = std::get_if<UpgradeAllowed>(&check)) {
    CheckAllowed(parser.get(), *allowed, one_origin);
  } else {
    CheckRefused(std::get<UpgradeRefused>(check));
  }
  return 0;
}
