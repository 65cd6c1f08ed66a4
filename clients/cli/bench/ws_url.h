// The address of an edge: ws://HOST:PORT/PATH. Values and functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace seatlock::cli::bench {

struct WsUrl {
  std::string host;  // a name or an address, without brackets
  uint16_t port = 80;
  std::string path;  // with its query, if there is one

  // "HOST:PORT", as the Host header has it.
  std::string Authority() const;
};

// The path is the edge's own if there is none. InvalidArgument, in one line, for anything else, and
// for wss://, which seatctl does not speak yet.
absl::StatusOr<WsUrl> ParseWsUrl(const std::string& url);

}  // namespace seatlock::cli::bench
