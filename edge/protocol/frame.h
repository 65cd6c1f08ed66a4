// One WebSocket message as this server sends it: header and payload, encoded once however many
// clients get it, which RFC 6455 allows because a server's frames are not masked. Immutable; a copy
// shares the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace seatlock::edge {

// RFC 6455, 5.2.
enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

// Appends one unfragmented, unmasked frame to `wire`.
void AppendFrame(Opcode opcode, std::string_view payload, std::string* wire);

class Frame {
 public:
  Frame() = default;
  Frame(Opcode opcode, std::string_view payload);

  static Frame Text(std::string_view text) { return {Opcode::kText, text}; }
  static Frame Ping() { return {Opcode::kPing, {}}; }
  static Frame Pong(std::string_view payload) { return {Opcode::kPong, payload}; }
  // `code` 0: a close without one.
  static Frame Close(uint16_t code, std::string_view reason);

  explicit operator bool() const { return wire_ != nullptr; }
  // All bytes. Not of an empty frame.
  std::string_view wire() const { return *wire_; }
  bool is_text() const {
    return (static_cast<unsigned char>(wire().front()) & 0x0f) ==
           static_cast<unsigned char>(Opcode::kText);
  }
  std::string_view payload() const { return wire().substr(header_bytes_); }
  // What keeps the bytes alive.
  std::shared_ptr<const void> owner() const { return wire_; }

 private:
  std::shared_ptr<const std::string> wire_;
  size_t header_bytes_ = 0;
};

}  // namespace seatlock::edge
