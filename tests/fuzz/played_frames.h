// What a FrameParser says of bytes that come cut in a given way, written down, so that two ways of
// cutting can be compared. For the parser's unit tests and its fuzzer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/ws/frame_parser.h"

namespace seatlock::edge::testing {

// One line an event: "text hello", "ping x", "pong", "close 1000".
class WrittenEvents : public FrameEvents {
 public:
  void OnText(std::string_view message) override { Write("text ", message); }
  void OnPing(std::string_view payload) override { Write("ping ", payload); }
  void OnPong() override { Write("pong", ""); }
  void OnFragments() override { Write("fragments", ""); }
  void OnPeerClose(uint16_t code) override { Write("close ", std::to_string(code)); }

  void Write(std::string_view what, std::string_view rest) {
    lines.emplace_back(what).append(rest);
  }

  std::vector<std::string> lines;
};

// The bytes of the next piece; at least 1.
using NextPiece = std::function<size_t()>;
// Called with the parser after each piece.
using AfterPiece = std::function<void(FrameParser&)>;

// The events of `bytes`, then "breach 1002" where there was one, then "idle" where the parser is.
inline std::vector<std::string> Play(std::string_view bytes, const NextPiece& next_piece,
                                     const AfterPiece& after_piece = nullptr) {
  FrameParser parser;
  WrittenEvents events;
  while (!bytes.empty()) {
    const size_t size = std::min(next_piece(), bytes.size());
    // Memory of its own, so that a sanitizer notices a byte too many.
    std::vector<char> piece(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes.remove_prefix(size);
    if (const std::optional<CloseCode> breach = parser.Feed(piece, events)) {
      events.Write("breach ", std::to_string(static_cast<int>(*breach)));
    }
    if (after_piece) after_piece(parser);
  }
  if (parser.idle()) events.Write("idle", "");
  return std::move(events.lines);
}

inline std::vector<std::string> PlayWhole(std::string_view bytes) {
  return Play(bytes, [&] { return bytes.size(); });
}

inline std::vector<std::string> PlayByteByByte(std::string_view bytes) {
  return Play(bytes, [] { return 1; });
}

}  // namespace seatlock::edge::testing
