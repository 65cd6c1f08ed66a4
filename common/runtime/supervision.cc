#include "common/runtime/supervision.h"

#include <utility>

namespace seatlock::runtime {
namespace {

// What comes and goes changes the line, but not more often than anybody reads it.
constexpr int64_t kStatusEveryMs = 1'000;

}  // namespace

Supervision::Supervision(ServiceManager& manager, const base::Clock& clock,
                         std::vector<Watchdog::Watched> watched,
                         std::function<std::string()> status)
    : manager_(manager),
      clock_(clock),
      status_(std::move(status)),
      watchdog_(manager, clock, std::move(watched)) {}

void Supervision::Ready() {
  manager_.Ready(status_());
}

void Supervision::Tick() {
  watchdog_.Tick();
  const int64_t now_ms = clock_.MonotonicMs();
  if (now_ms < next_status_ms_) return;
  next_status_ms_ = now_ms + kStatusEveryMs;
  manager_.Status(status_());
}

}  // namespace seatlock::runtime
