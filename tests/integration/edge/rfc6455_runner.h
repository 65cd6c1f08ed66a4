// Plays one WebSocket conversation with a server, byte by byte, and says where it went otherwise
// than RFC 6455 and the contract have it. No WebSocket library stands between, so that a case may
// send anything at all, and every frame of the server is held to the RFC's letter: one whole
// unmasked frame without reserved bits, its length in the fewest bytes, text being a JSON object.
//
// A conversation that nobody closed is proven to live at its end: one more ping, whose pong must be
// the very next frame, and a close handshake. After the server's close frame nothing but the end of
// the TCP connection may come, and that no reset.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace seatlock::testing::rfc6455 {

enum Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

// How a frame of the client differs from an ordinary one.
struct Odd {
  bool fin = true;
  uint8_t reserved_bits = 0;  // 4: RSV1, 2: RSV2, 1: RSV3
  bool masked = true;
  uint32_t mask = 0x37fa213d;
  int length_bytes = 0;                    // 2 or 8 in place of the fewest that do
  std::optional<uint64_t> announced = {};  // in place of the payload's length
};
inline constexpr Odd kNotLast{.fin = false};

// One frame as a client sends it. `opcode` may be a reserved one.
std::string ClientFrame(uint8_t opcode, std::string_view payload, const Odd& odd = {});
// A close frame's payload.
std::string ClosePayload(uint16_t code, std::string_view reason = "");

// A frame that the server is to send.
struct Answer {
  enum class Kind { kJson, kPong, kClose };
  Kind kind;
  // kJson: the object, but for "timestamp", "message" and "sessionId". kPong: the payload.
  std::string text;
  // kClose: its code. 0: the peer gave none, so none or 1000 is right.
  uint16_t code = 0;
};
Answer Json(std::string object);
Answer Pong(std::string payload);
Answer Closed(uint16_t code);

// Bytes to send, and what must have come before the conversation goes on.
struct Step {
  std::string bytes;
  std::vector<Answer> answers = {};
};

struct Case {
  std::string name;
  std::vector<Step> steps = {};  // A Closed answer stands at the very end or nowhere.
  size_t bytes_a_write = 0;      // 0: each step in one write
  std::string request = {};      // In place of the usual upgrade's; its key is the usual one.
  bool with_upgrade = false;   // The first step's bytes go in one write with the upgrade's request.
  bool client_closes = false;  // A close frame is among the bytes; else the server's is answered.
};
void PrintTo(const Case& of, std::ostream* out);

// The ping at the end of a conversation that lives.
inline constexpr std::string_view kLastPing = "still there?";

inline constexpr std::chrono::milliseconds kCasePatience{10'000};

// Plays `of` with the server on that port of loopback. OK, or what came in place of what.
absl::Status RunCase(const Case& of, uint16_t port,
                     std::chrono::milliseconds patience = kCasePatience);

}  // namespace seatlock::testing::rfc6455
