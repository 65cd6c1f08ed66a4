#include "edge/ws/frame_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {
namespace {

using Breach = std::optional<CloseCode>;

// RFC 6455, 5.2 and 11.8.
constexpr uint8_t kContinuation = 0x0;
constexpr uint8_t kText = 0x1;
constexpr uint8_t kBinary = 0x2;
constexpr uint8_t kClose = 0x8;
constexpr uint8_t kPing = 0x9;
constexpr uint8_t kPong = 0xa;

constexpr uint8_t kRsvBits = 0x70;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;  // The length stands in the next 2 bytes,
constexpr uint8_t kLength64 = 127;  // or in the next 8.
constexpr size_t kMaskBytes = 4;
constexpr size_t kControlBytesMax = 125;

// RFC 6455, 7.4, with the codes that IANA's registry holds since: 1004-1006 and 1015 are never
// sent.
bool MaySendCode(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

std::optional<CloseCode> FrameParser::Feed(std::span<char> bytes, FrameEvents& events) {
  while (!ended_ && !bytes.empty()) {
    const size_t taken =
        in_payload_ ? std::min<size_t>(bytes.size(), payload_bytes_ - payload_read_) : 1;
    const Breach breach = in_payload_
                              ? TakePayload(bytes.first(taken), events)
                              : TakeHeaderByte(static_cast<unsigned char>(bytes[0]), events);
    if (breach) {
      ended_ = true;
      kept_ = {};
      return breach;
    }
    bytes = bytes.subspan(taken);
  }
  return std::nullopt;
}

// Each byte is judged as it comes, and so in the same order however the header is cut.
std::optional<CloseCode> FrameParser::TakeHeaderByte(unsigned char byte, FrameEvents& events) {
  header_[header_bytes_++] = byte;
  if (header_bytes_ == 1) return CheckOpcode();
  if (header_bytes_ == 2) {
    if ((byte & kMaskBit) == 0) return CloseCode::kProtocolError;
    if (const Breach breach = CheckControl()) return breach;
  }
  if (header_bytes_ == length_end()) return TakeLength();
  if (header_bytes_ < length_end() + kMaskBytes) return std::nullopt;
  in_payload_ = true;
  payload_read_ = 0;
  if (!control() && ++fragments_ == kFragmentsAMessage) {
    fragments_ = 0;
    events.OnFragments();
  }
  return payload_bytes_ == 0 ? TakePayload({}, events) : std::nullopt;
}

std::optional<CloseCode> FrameParser::CheckOpcode() const {
  if ((header_[0] & kRsvBits) != 0) return CloseCode::kProtocolError;
  switch (opcode()) {
    case kContinuation:
      return in_message_ ? Breach() : CloseCode::kProtocolError;
    case kText:
      return in_message_ ? CloseCode::kProtocolError : Breach();
    case kBinary:
      return in_message_ ? CloseCode::kProtocolError : CloseCode::kBinaryMessage;
    case kClose:
    case kPing:
    case kPong:
      return fin() ? Breach() : CloseCode::kProtocolError;
    default:
      return CloseCode::kProtocolError;
  }
}

std::optional<CloseCode> FrameParser::CheckControl() const {
  const bool too_long = control() && (header_[1] & kLengthBits) > kControlBytesMax;
  return too_long ? CloseCode::kProtocolError : Breach();
}

size_t FrameParser::length_end() const {
  const uint8_t length = header_[1] & kLengthBits;
  return length == kLength64 ? 10 : length == kLength16 ? 4 : 2;
}

// The length must be in its shortest form, and the message still within its bound.
std::optional<CloseCode> FrameParser::TakeLength() {
  uint64_t length = header_[1] & kLengthBits;
  if (length_end() > 2) {
    length = 0;
    for (size_t at = 2; at < length_end(); ++at) length = length << 8 | header_[at];
    const uint64_t shortest = length_end() == 4 ? kLength16 : 1 << 16;
    if (length < shortest || length >> 63 != 0) return CloseCode::kProtocolError;
  }
  if (!control()) {
    if (length > kMessageBytesMax - message_bytes_) return CloseCode::kMessageTooBig;
    message_bytes_ += static_cast<uint32_t>(length);
    in_message_ = true;
  }
  payload_bytes_ = static_cast<uint32_t>(length);
  return std::nullopt;
}

// A word at a time, as Utf8Checker skips ASCII: 77 ns for a whole frame of 120 bytes, where a byte
// at a time in both takes 323 ns (-O2).
void FrameParser::Unmask(std::span<char> bytes) const {
  std::array<char, sizeof(uint64_t)> key;
  for (size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<char>(header_[length_end() + (payload_read_ + i) % kMaskBytes]);
  }
  uint64_t key_word;
  std::memcpy(&key_word, key.data(), sizeof(key_word));
  size_t at = 0;
  for (; at + sizeof(key_word) <= bytes.size(); at += sizeof(key_word)) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    word ^= key_word;
    std::memcpy(bytes.data() + at, &word, sizeof(word));
  }
  for (size_t i = 0; at < bytes.size(); ++at, ++i)
    bytes[at] = static_cast<char>(bytes[at] ^ key[i]);
}

std::optional<CloseCode> FrameParser::TakePayload(std::span<char> bytes, FrameEvents& events) {
  Unmask(bytes);
  payload_read_ += static_cast<uint32_t>(bytes.size());
  if (payload_read_ == payload_bytes_) {
    header_bytes_ = 0;
    in_payload_ = false;
  }
  // Never a null view, which a handler's memcpy might choke on.
  const std::string_view text = bytes.empty() ? "" : std::string_view(bytes.data(), bytes.size());
  return control() ? TakeControl(text, events) : TakeText(text, events);
}

std::optional<CloseCode> FrameParser::TakeControl(std::string_view bytes, FrameEvents& events) {
  const bool whole = bytes.size() == payload_bytes_;
  if (whole) return FinishControl(bytes, events);
  kept_ += bytes;
  if (in_payload_) return std::nullopt;
  const std::string payload = kept_.substr(kept_.size() - payload_bytes_);
  kept_.resize(kept_.size() - payload_bytes_);
  if (kept_.empty()) kept_ = {};
  return FinishControl(payload, events);
}

std::optional<CloseCode> FrameParser::TakeText(std::string_view bytes, FrameEvents& events) {
  if (!utf8_.Take(bytes)) return CloseCode::kBadUtf8;
  const bool last = fin() && !in_payload_;
  if (!last) {
    kept_ += bytes;
    return std::nullopt;
  }
  if (!utf8_.complete()) return CloseCode::kBadUtf8;
  const bool whole = bytes.size() == message_bytes_;
  in_message_ = false;
  message_bytes_ = 0;
  fragments_ = 0;
  if (whole) {
    events.OnText(bytes);
    return std::nullopt;
  }
  kept_ += bytes;
  const std::string message = std::exchange(kept_, {});
  events.OnText(message);
  return std::nullopt;
}

std::optional<CloseCode> FrameParser::FinishControl(std::string_view payload, FrameEvents& events) {
  if (opcode() == kClose) return FinishClose(payload, events);
  if (opcode() == kPing) {
    events.OnPing(payload);
  } else {
    events.OnPong();
  }
  return std::nullopt;
}

std::optional<CloseCode> FrameParser::FinishClose(std::string_view payload, FrameEvents& events) {
  uint16_t code = 0;
  if (!payload.empty()) {
    if (payload.size() == 1) return CloseCode::kProtocolError;
    code = static_cast<uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                 static_cast<unsigned char>(payload[1]));
    if (!MaySendCode(code)) return CloseCode::kProtocolError;
    if (!IsUtf8(payload.substr(2))) return CloseCode::kBadUtf8;
  }
  ended_ = true;
  kept_ = {};
  events.OnPeerClose(code);
  return std::nullopt;
}

}  // namespace seatlock::edge
