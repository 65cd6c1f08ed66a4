// How far something that lasts has come: one line that is written over again, on a terminal alone.
//
// Thread-compatible. The line is taken away when the object goes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "common/base/clock.h"

namespace seatlock::store {

class Progress {
 public:
  // Writes to `out` if it is a terminal, else nothing. Both outlive this.
  Progress(std::FILE* out, const base::Clock& clock);
  Progress(std::FILE* out, const base::Clock& clock, bool is_terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // "`what` 42 %". At most ten times a second, but each new `what` at once. `total` 0: not known,
  // `what` alone.
  void Update(const std::string& what, int64_t done, int64_t total);

  // Takes the line away. Do it before anything else is written: both may go to one terminal.
  void Clear();

 private:
  std::FILE* const out_;
  const base::Clock& clock_;
  const bool is_terminal_;
  int64_t next_ms_;
  std::string shown_;  // the last `what`; empty: no line is there
};

}  // namespace seatlock::store
