// How far a run is, on stderr: on a terminal a bar that is redrawn in place, elsewhere a line every
// few seconds. Thread-compatible; draws on a thread of its own until it is destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/ticker.h"

namespace seatlock::cli::bench {

struct ProgressNow {
  double share = 0;  // 0 to 1
  std::string text;
};

// "[#####.....]  50 %  text", cut to `columns`.
std::string Bar(const ProgressNow& now, int columns);

class Progress {
 public:
  // `look` is called by another thread.
  explicit Progress(std::function<ProgressNow()> look);
  // Wipes the bar away.
  ~Progress();

 private:
  void Draw();

  const std::function<ProgressNow()> look_;
  const bool terminal_;
  std::unique_ptr<base::Ticker> ticker_;
};

}  // namespace seatlock::cli::bench
