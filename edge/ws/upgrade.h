// Whether an HTTP request may become a WebSocket connection, and how it is refused. Pure.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/trace_context.h"
#include "edge/ws/allowed_origins.h"

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

// A request without Origin comes from no browser and is allowed. Its target may be in absolute form
// (RFC 9112, 3.2.2).
std::variant<UpgradeAllowed, UpgradeRefused> CheckUpgrade(const UpgradeRequest& request,
                                                          const AllowedOrigins& allowed_origins);

// The trace that the request belongs to; none if it names none, or not as the standard wants it.
std::optional<base::TraceContext> TraceOf(const UpgradeRequest& request);

// How many of `bytes` are the head of a request, with the empty line at its end; 0: its end is
// still to come. `searched` of them were searched before, and the end was not there.
size_t HeadBytes(std::string_view bytes, size_t searched = 0);
// Whether a CR stands without its LF, or an LF without its CR: such a head would never end.
// `searched` as above.
bool HasBareLineEnd(std::string_view bytes, size_t searched = 0);
// Whether bytes may begin a request. What comes by mistake (TLS, say) mostly shows at once.
bool MayBeginRequest(std::string_view bytes);

}  // namespace seatlock::edge
