#include "common/runtime/clock_watch.h"

#include <cstdlib>
#include <utility>

#include "common/runtime/logging.h"

namespace seatlock::runtime {
namespace {

// The contract: an offset above 60 s that lasts.
constexpr int64_t kOffsetMsMax = 60'000;
// The contract of servers that share a store: a skew above 1 s.
constexpr int64_t kSkewMsMax = 1'000;
// Long enough that a clock set wrongly and set right by hand is not worth a line.
constexpr int64_t kLastsMs = 10'000;

double Seconds(int64_t offset_ms) {
  return static_cast<double>(offset_ms) / 1000;
}

void LogMachine(bool off, int64_t offset_ms) {
  if (off) {
    LogError(
        "the machine's clock is not where ours is: it was set, or this store was written by a "
        "clock that was ahead; following it slowly, at most 6 s a minute",
        {{"offset_s", Seconds(offset_ms)}});
  } else {
    LogInfo("the machine's clock and ours agree again", {{"offset_s", Seconds(offset_ms)}});
  }
}

void LogStore(bool off, int64_t offset_ms) {
  if (off) {
    LogError(
        "the store's clock is not where ours is: it was set, or another host whose clock differs "
        "has taken over; following it slowly, at most 6 s a minute",
        {{"offset_s", Seconds(offset_ms)}});
  } else {
    LogInfo("the store's clock and ours agree again", {{"offset_s", Seconds(offset_ms)}});
  }
}

void LogSkew(bool off, int64_t offset_ms) {
  if (off) {
    LogWarn("this machine's clock and the store's differ; locks are judged by the store's",
            {{"machine_minus_store_s", Seconds(offset_ms)}});
  } else {
    LogInfo("this machine's clock and the store's agree again",
            {{"machine_minus_store_s", Seconds(offset_ms)}});
  }
}

ClockWatch::Rule AwayFromOurs(const base::SlewedClock& clock, ClockWatch::Say say) {
  return {[&clock] { return clock.OffsetUs(); }, kOffsetMsMax, std::move(say)};
}

}  // namespace

ClockWatch::ClockWatch(const base::Clock& clock, Rule rule)
    : clock_(clock), rule_(std::move(rule)), changed_ms_(clock.MonotonicMs()) {}

ClockWatch::ClockWatch(const base::SlewedClock& clock, Say say)
    : ClockWatch(clock, MachineAwayFromOurs(clock, std::move(say))) {}

void ClockWatch::Tick() {
  const int64_t offset_ms = rule_.offset_us() / 1000;
  const int64_t now_ms = clock_.MonotonicMs();
  const bool off = std::abs(offset_ms) > rule_.offset_ms_max;
  if (off == said_off_) {
    changed_ms_ = now_ms;
  } else if (now_ms - changed_ms_ >= kLastsMs) {
    said_off_ = off;
    rule_.say(off, offset_ms);
  }
}

ClockWatch::Rule MachineAwayFromOurs(const base::SlewedClock& clock, ClockWatch::Say say) {
  return AwayFromOurs(clock, say ? std::move(say) : LogMachine);
}

ClockWatch::Rule StoreAwayFromOurs(const base::SlewedClock& clock, ClockWatch::Say say) {
  return AwayFromOurs(clock, say ? std::move(say) : LogStore);
}

ClockWatch::Rule MachineAwayFromStore(const base::FollowedClockSource& store, ClockWatch::Say say) {
  return {[&store] { return store.SkewUs(); }, kSkewMsMax, say ? std::move(say) : LogSkew};
}

}  // namespace seatlock::runtime
