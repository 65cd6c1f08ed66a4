// Why the edge closes a connection (docs: the WebSocket part of the contract). 4000-4099: do not
// come back; 4100-4199: come back after a pause; 4200-4299: come back at once.
#pragma once

#include <array>
#include <cstdint>

namespace seatlock::edge {

enum class CloseCode : uint16_t {
  kProtocolError = 1002,
  kBinaryMessage = 1003,
  kBadUtf8 = 1007,
  kMessageTooBig = 1009,
  kBadMessages = 4000,
  kTokenRejected = 4001,
  kForbidden = 4003,   // The token is for another showtime or origin.
  kOverloaded = 4100,  // Of the contract; nothing sends it today.
  kTooSlow = 4101,
  kNoSubscribe = 4108,
  kRate = 4129,
  kDraining = 4200,
  kTokenExpired = 4202,
};

inline constexpr std::array kCloseCodes = {
    CloseCode::kProtocolError, CloseCode::kBinaryMessage, CloseCode::kBadUtf8,
    CloseCode::kMessageTooBig, CloseCode::kBadMessages,   CloseCode::kTokenRejected,
    CloseCode::kForbidden,     CloseCode::kOverloaded,    CloseCode::kTooSlow,
    CloseCode::kNoSubscribe,   CloseCode::kRate,          CloseCode::kDraining,
    CloseCode::kTokenExpired};

}  // namespace seatlock::edge
