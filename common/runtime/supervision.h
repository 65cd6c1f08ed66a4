// What a program tells the service manager while it runs: that it is ready, its status line as it
// changes, and the watchdog's pings. Owned by main. Ready, then Tick on one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/runtime/service_manager.h"
#include "common/runtime/watchdog.h"

namespace seatlock::runtime {

class Supervision {
 public:
  // `status` writes the line. What is handed in, and what `watched` uses, outlives this.
  Supervision(ServiceManager& manager, const base::Clock& clock,
              std::vector<Watchdog::Watched> watched, std::function<std::string()> status);

  void Ready();
  // Several times a second. The status line is looked at once a second.
  void Tick();

 private:
  ServiceManager& manager_;
  const base::Clock& clock_;
  const std::function<std::string()> status_;
  Watchdog watchdog_;
  int64_t next_status_ms_ = 0;
};

}  // namespace seatlock::runtime
