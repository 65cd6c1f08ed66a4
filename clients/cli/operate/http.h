// seatctl as a client of HTTP and WebSocket: for a program's admin pages, and for trying the way
// that browsers take to the edge. Each call blocks until its deadline at the latest, and takes a
// bounded answer. Functions; thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/host_port.h"

namespace seatlock::cli::operate {

using Deadline = std::chrono::steady_clock::time_point;

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// GETs a page of at most kPageBytesMax. Unavailable says in one line why there is no answer, such
// as "connection refused" or "no answer in time".
absl::StatusOr<HttpAnswer> HttpGet(const base::HostPort& where, const std::string& path,
                                   Deadline deadline);

// ws://HOST[:PORT]/PATH, or wss://.
struct WsUrl {
  bool tls = false;
  base::HostPort where;
  std::string target;

  // What a page of the same host sends as Origin.
  std::string Origin() const;
  // HOST, or HOST:PORT if the port is not the scheme's own.
  std::string Host() const;
};

// InvalidArgument in words that complete "--ws ...".
absl::StatusOr<WsUrl> ParseWsUrl(std::string_view text);

// What became of one WebSocket.
struct WsTry {
  std::string error;          // empty: the upgrade worked, and the first message came
  int status = 0;             // of the HTTP answer; 0: there was none
  std::string server;         // its `Server` header
  std::string first_message;  // as text
  int64_t opened_ms = 0;      // until the first message
  // Of a connection that was to be held: pings that came, and how it ended if it did.
  int pings = 0;
  int64_t held_ms = 0;
  std::string ended;  // empty: it was there to the end
};

// Opens the URL as a browser's page of the same host does, and waits for the first message. If
// `idle` is not zero, it then subscribes to a showtime of a made-up name, which creates nothing,
// and says nothing more for so long.
WsTry TryWebSocket(const WsUrl& url, Deadline deadline, std::chrono::milliseconds idle);

}  // namespace seatlock::cli::operate
