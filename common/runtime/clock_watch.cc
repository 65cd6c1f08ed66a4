#include "common/runtime/clock_watch.h"

#include <cstdlib>
#include <utility>

#include "common/runtime/logging.h"

namespace seatlock::runtime {
namespace {

// The contract: an offset above 60 s that lasts.
constexpr int64_t kOffsetMsMax = 60'000;
// Long enough that a clock set wrongly and set right by hand is not worth a line.
constexpr int64_t kLastsMs = 10'000;

void LogClock(bool off, int64_t offset_ms) {
  const double offset_s = static_cast<double>(offset_ms) / 1000;
  if (off) {
    LogError(
        "the machine's clock is not where ours is: it was set, or this store was written by a "
        "clock "
        "that was ahead; following it slowly, at most 6 s a minute",
        {{"offset_s", offset_s}});
  } else {
    LogInfo("the machine's clock and ours agree again", {{"offset_s", offset_s}});
  }
}

}  // namespace

ClockWatch::ClockWatch(const base::SlewedClock& clock, Say say)
    : clock_(clock), say_(say ? std::move(say) : LogClock), changed_ms_(clock.MonotonicMs()) {}

void ClockWatch::Tick() {
  const int64_t offset_ms = clock_.OffsetUs() / 1000;
  const int64_t now_ms = clock_.MonotonicMs();
  const bool off = std::abs(offset_ms) > kOffsetMsMax;
  if (off == said_off_) {
    changed_ms_ = now_ms;
  } else if (now_ms - changed_ms_ >= kLastsMs) {
    said_off_ = off;
    say_(off, offset_ms);
  }
}

}  // namespace seatlock::runtime
