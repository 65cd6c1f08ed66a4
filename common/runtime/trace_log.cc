#include "common/runtime/trace_log.h"

#include <utility>

namespace seatlock::runtime {

void TraceLog::Write(bool sampled, std::string_view message, LogFields fields) {
  if (!sampled || LogsDebug())
    return sampled ? LogInfo(message, fields) : LogDebug(message, fields);
  uint64_t left_out = 0;
  if (!Take(/*is_line=*/true, &left_out)) return;
  SayLeftOut(left_out);
  LogInfo(message, fields);
}

void TraceLog::Tick() {
  uint64_t left_out = 0;
  if (Take(/*is_line=*/false, &left_out)) SayLeftOut(left_out);
}

bool TraceLog::Take(bool is_line, uint64_t* left_out) {
  base::MutexLock lock(mu_);
  if (!is_line && left_out_ == 0) return false;
  if (lines_.Take(kTraceLinesRate, clock_.MonotonicMs()) > 0) {
    if (is_line) ++left_out_;
    return false;
  }
  *left_out = std::exchange(left_out_, 0);
  return true;
}

void TraceLog::SayLeftOut(uint64_t left_out) {
  if (left_out > 0) LogInfo("lines of traced calls were left out", {{"left_out", left_out}});
}

}  // namespace seatlock::runtime
