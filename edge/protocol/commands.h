// What clients say: one JSON object a message (the WebSocket part of the contract).
//
// Parsing is pure. Fields that are not known are ignored; an optional field that is null counts as
// left out. userId may be anything and is not kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "edge/protocol/events.h"

namespace seatlock::edge {

struct SubscribeCommand {
  std::string showtime_id;
  std::string session_id;  // Empty: a viewer.
  std::optional<Position> resume;
  bool heartbeat = false;
  std::optional<std::string> token = {};
};

struct UnsubscribeCommand {
  std::optional<std::string> showtime_id;  // None: all.
};

struct PingCommand {};

enum class ErrorCode {
  kBadJson,
  kBadField,
  kUnknownType,
  kTooManySubscriptions,
  kRateLimited,
  kShowtimeUnavailable,
  kTokenRequired,
};

struct CommandError {
  ErrorCode code = ErrorCode::kBadJson;
  std::string message;
  std::optional<std::string> showtime_id;  // Where the message named a good one.
  std::optional<int64_t> retry_after_ms = {};
};

using ClientCommand = std::variant<SubscribeCommand, UnsubscribeCommand, PingCommand, CommandError>;

ClientCommand ParseCommand(std::string_view text);

}  // namespace seatlock::edge
