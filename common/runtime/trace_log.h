// The log lines of calls and connections that belong to a trace. What the caller's tracing has
// sampled gets a line at level info, at most kTraceLinesRate; how many were left out is a line of
// its own. At level debug all others get a line too, without a bound. Thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/token_bucket.h"
#include "common/runtime/logging.h"

namespace seatlock::runtime {

// A line costs some 10 us and some 250 bytes: 100 a second are a thousandth of a core and 2 GB a
// day at most.
inline constexpr base::TokenRate kTraceLinesRate = {.burst = 200, .per_second = 100};

class TraceLog {
 public:
  // `clock` outlives this.
  explicit TraceLog(const base::Clock& clock) : clock_(clock) {}

  // Whether there may be a line; cheap.
  bool Wants(bool sampled) const { return sampled || LogsDebug(); }
  void Write(bool sampled, std::string_view message, LogFields fields);

  // Called now and then, so that the count of what was left out does not wait for another line.
  void Tick();

 private:
  // Whether a line may be written now, and how many were left out before it.
  bool Take(bool is_line, uint64_t* left_out);
  static void SayLeftOut(uint64_t left_out);

  const base::Clock& clock_;

  base::Mutex mu_;
  base::TokenBucket lines_ ABSL_GUARDED_BY(mu_);
  uint64_t left_out_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace seatlock::runtime
