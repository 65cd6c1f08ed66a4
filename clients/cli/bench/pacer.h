// Says when each call is to be sent: call i at i / rate seconds, whatever the answers do (an open
// loop). A call whose time has come while all places are taken is sent as soon as there is one; its
// time stays what it was, so that whoever measures from it measures the waiting, too.
//
// A call that is sent kLateUs or more after its time is late. It is "held back" if all places were
// taken at or after its time, which is the service's doing (or --in-flight's); otherwise the
// generator itself was too slow. Thread-compatible. Times are microseconds since the start.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "clients/cli/bench/limits.h"

namespace seatlock::cli::bench {

class Pacer {
 public:
  Pacer(double per_second, uint64_t calls, int64_t in_flight_max)
      : per_second_(per_second), calls_(calls), in_flight_max_(in_flight_max) {}

  uint64_t calls() const { return calls_; }
  uint64_t sent() const { return sent_; }
  bool AllSent() const { return sent_ == calls_; }
  uint64_t held_back() const { return held_back_; }
  uint64_t late() const { return late_; }

  // When call `number` is due.
  int64_t DueUs(uint64_t number) const {
    return static_cast<int64_t>(static_cast<double>(number) * 1e6 / per_second_);
  }
  // Of the next one.
  int64_t NextDueUs() const { return DueUs(sent_); }
  // When the last one is due.
  int64_t EndUs() const { return calls_ == 0 ? 0 : DueUs(calls_ - 1); }

  // The number of the call to send now, if there is one.
  std::optional<uint64_t> Next(int64_t now_us, int64_t in_flight) {
    if (AllSent() || now_us < NextDueUs()) return std::nullopt;
    if (IsFull(now_us, in_flight)) return std::nullopt;
    if (now_us - NextDueUs() >= kLateUs) ++(full_us_ >= NextDueUs() ? held_back_ : late_);
    return sent_++;
  }

  // Whether all places are taken; remembers when they were.
  bool IsFull(int64_t now_us, int64_t in_flight) {
    if (in_flight < in_flight_max_) return false;
    full_us_ = now_us;
    return true;
  }

  // Those that were due by `now_us` and were not sent.
  uint64_t NeverSent(int64_t now_us) const {
    const auto due = static_cast<uint64_t>(static_cast<double>(now_us) * per_second_ / 1e6) + 1;
    return std::max(std::min(calls_, due), sent_) - sent_;
  }

 private:
  const double per_second_;
  const uint64_t calls_;
  const int64_t in_flight_max_;
  uint64_t sent_ = 0;
  uint64_t held_back_ = 0;
  uint64_t late_ = 0;
  int64_t full_us_ = -1;  // when all places were last seen taken
};

}  // namespace seatlock::cli::bench
