// When those whom an empty token bucket refuses shall come again: each is told a time of its own,
// one token after the one before it. Were all told the time of the next token, a page with 64
// refused showtimes would ask for each of them twenty times a second, and be closed for talking too
// much. Nothing is reserved: if others have taken the token, the next refusal tells a later time.
// A value of eight bytes; thread-compatible. For example with a token each 500 ms:
//
//   refused                | next token in | told
//   the first              | 500 ms        | 1 s (the least; its own time is 500 ms)
//   the second, at once    | 500 ms        | 1 s
//   the third, at once     | 500 ms        | 1.5 s
//   the fourth, 1 s later  | 500 ms        | 1 s (the third's time is in 500 ms)
//   the 200th, at once     | 500 ms        | 60 s (the most, unless the next token takes longer)
#pragma once

#include <algorithm>
#include <cstdint>

#include "edge/limits.h"

namespace seatlock::edge {

class RetryTurns {
 public:
  // In how many ms one that was refused at `now_ms` shall come again. The next token is there in
  // `wait_ms`, and one more each `token_ms`.
  int64_t Next(int64_t now_ms, int64_t wait_ms, int64_t token_ms) {
    const int64_t turn_ms = std::min(told_until_ms_ + token_ms, now_ms + kRetryTurnMsMax);
    told_until_ms_ = std::max(now_ms + wait_ms, turn_ms);
    return std::max(told_until_ms_ - now_ms, kRetryTurnMsMin);
  }

 private:
  int64_t told_until_ms_ = 0;
};

}  // namespace seatlock::edge
