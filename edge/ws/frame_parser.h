// Reads what a WebSocket client sends, as the server side of RFC 6455 demands it, strictly: masked
// frames without extensions, whole messages of text, at most kMessageBytesMax each.
//
// Bytes may come cut anywhere; the events and the breach are the same however they are cut, and
// what cannot become good any more is refused at its first bad byte. A frame that came whole is
// unmasked in place and handed on without a copy. Nothing is allocated but for a message or a
// control frame of which a part is still to come, and then no more than twice what came of it.
// Thread-compatible; handlers must not call Feed nor destroy the parser that calls them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "edge/protocol/close_code.h"
#include "edge/ws/utf8.h"

namespace seatlock::edge {

// What a client's bytes turned out to be. None of these is called after a breach or a close. The
// views are good during the call alone.
class FrameEvents {
 public:
  virtual ~FrameEvents() = default;
  // A whole message: good UTF-8, at most kMessageBytesMax.
  virtual void OnText(std::string_view message) = 0;
  // At most 125 bytes, to be sent back in a pong.
  virtual void OnPing(std::string_view payload) = 0;
  virtual void OnPong() = 0;
  // So many frames of one message came (kFragmentsAMessage), and again as many each time.
  virtual void OnFragments() = 0;
  // The peer's close frame: its code (0 where it gave none). To be answered.
  virtual void OnPeerClose(uint16_t code) = 0;
};

class FrameParser {
 public:
  // Reads all of `bytes`, which it may unmask in place. A breach of RFC 6455 ends it: the code to
  // close with. After that, or after the peer's close frame, everything is ignored.
  std::optional<CloseCode> Feed(std::span<char> bytes, FrameEvents& events);

  // Between messages: nothing is kept, so a fresh parser may take this one's place.
  bool idle() const { return header_bytes_ == 0 && !in_message_ && !ended_; }

 private:
  // RFC 6455, 5.2: two bytes, at most 8 of length, 4 of mask.
  static constexpr size_t kHeaderBytesMax = 14;

  std::optional<CloseCode> TakeHeaderByte(unsigned char byte, FrameEvents& events);
  std::optional<CloseCode> CheckOpcode() const;
  std::optional<CloseCode> CheckControl() const;
  std::optional<CloseCode> TakeLength();
  std::optional<CloseCode> TakePayload(std::span<char> bytes, FrameEvents& events);
  std::optional<CloseCode> TakeControl(std::string_view bytes, FrameEvents& events);
  std::optional<CloseCode> TakeText(std::string_view bytes, FrameEvents& events);
  std::optional<CloseCode> FinishControl(std::string_view payload, FrameEvents& events);
  std::optional<CloseCode> FinishClose(std::string_view payload, FrameEvents& events);
  void Unmask(std::span<char> bytes) const;

  uint8_t opcode() const { return header_[0] & 0x0f; }
  bool control() const { return (header_[0] & 0x08) != 0; }
  bool fin() const { return (header_[0] & 0x80) != 0; }
  size_t length_end() const;  // Where the header's length ends and its mask begins.

  // The frame that is being read: its header as far as it came, and then its payload.
  std::array<unsigned char, kHeaderBytesMax> header_{};
  uint8_t header_bytes_ = 0;
  bool in_payload_ = false;
  bool in_message_ = false;  // Frames of a message came, its last one did not.
  bool ended_ = false;
  uint32_t payload_bytes_ = 0;  // Of this frame, as announced.
  uint32_t payload_read_ = 0;
  uint32_t message_bytes_ = 0;  // Of this message's frames up to now, as announced.
  uint16_t fragments_ = 0;      // Of this message, since OnFragments() was last called.
  Utf8Checker utf8_;
  // What came of the message, and behind it what came of a control frame.
  std::string kept_;
};

}  // namespace seatlock::edge
