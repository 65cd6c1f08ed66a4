#include "edge/ws/utf8.h"

#include <cstring>

namespace seatlock::edge {
namespace {

constexpr uint8_t kLow = 0x80;
constexpr uint8_t kHigh = 0xbf;

// How many bytes of ASCII `text` starts with, counted in steps of 8: what browsers send is JSON.
size_t AsciiBytes(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return at;
}

}  // namespace

// Unicode 15, table 3-7: the second byte's range depends on the first.
bool Utf8Checker::TakeLead(unsigned char byte) {
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : kLow;
  high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : kHigh;
  return true;
}

bool Utf8Checker::Take(std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    if (missing_ == 0) {
      at += AsciiBytes(bytes.substr(at));
      if (at == bytes.size()) return true;
      if (!TakeLead(static_cast<unsigned char>(bytes[at++]))) return false;
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (byte < low_ || byte > high_) return false;
    low_ = kLow;
    high_ = kHigh;
    --missing_;
  }
  return true;
}

bool IsUtf8(std::string_view text) {
  Utf8Checker checker;
  return checker.Take(text) && checker.complete();
}

}  // namespace seatlock::edge
