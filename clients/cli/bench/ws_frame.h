// One text frame of the edge, as far as a follower needs it (docs/websocket.md). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace seatlock::cli::bench {

struct WsFrame {
  enum class Type { kOther, kSubscribed, kSnapshot, kChange, kError };

  Type type = Type::kOther;
  std::string epoch;  // empty if the frame has none
  std::string error;  // kError: its code and message
  uint64_t revision = 0;
  int64_t timestamp_ms = 0;
  bool recovered = false;  // kSubscribed: no snapshot follows
  bool more = false;       // kChange: another seat of the same change follows
};

// kOther for whatever is none of these types, or is not such JSON.
WsFrame ReadFrame(std::string_view text);

// The frame that subscribes to a showtime; with an epoch or a revision it resumes there.
std::string SubscribeFrame(const std::string& showtime);
std::string ResumeFrame(const std::string& showtime, const std::string& epoch, uint64_t revision);

}  // namespace seatlock::cli::bench
