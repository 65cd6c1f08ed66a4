// Whether bytes are UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing above
// U+10FFFF. Bytes may come in pieces; a checker is 3 bytes and keeps none of them.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string_view>

namespace seatlock::edge {

class Utf8Checker {
 public:
  // Reads on where the piece before ended. False at the first byte after which no text can become
  // good any more; the checker is of no use then.
  bool Take(std::string_view bytes);

  // At the end of a character, so that the text may end here.
  bool complete() const { return missing_ == 0; }

 private:
  bool TakeLead(unsigned char byte);

  uint8_t missing_ = 0;  // Bytes of the character that are to come.
  uint8_t low_ = 0x80;   // What the next of them may be, both included.
  uint8_t high_ = 0xbf;
};

bool IsUtf8(std::string_view text);

}  // namespace seatlock::edge
