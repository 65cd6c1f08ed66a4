#include "services/seatlock/store/progress.h"

#include <unistd.h>

#include <algorithm>

namespace seatlock::store {
namespace {

constexpr int64_t kIntervalMs = 100;
constexpr char kClearLine[] = "\r\033[K";

}  // namespace

Progress::Progress(std::FILE* out, const base::Clock& clock)
    : Progress(out, clock, isatty(fileno(out)) == 1) {}

Progress::Progress(std::FILE* out, const base::Clock& clock, bool is_terminal)
    : out_(out), clock_(clock), is_terminal_(is_terminal), next_ms_(clock.MonotonicMs()) {}

Progress::~Progress() {
  Clear();
}

void Progress::Update(const std::string& what, int64_t done, int64_t total) {
  const int64_t now_ms = clock_.MonotonicMs();
  if (!is_terminal_ || (what == shown_ && now_ms < next_ms_)) return;
  next_ms_ = now_ms + kIntervalMs;
  shown_ = what;
  std::fprintf(out_, "%s%s", kClearLine, what.c_str());
  if (total > 0) {
    const int64_t percent = std::clamp<int64_t>(done * 100 / total, 0, 100);
    std::fprintf(out_, " %d %%", static_cast<int>(percent));
  }
  std::fflush(out_);
}

void Progress::Clear() {
  if (shown_.empty()) return;
  shown_.clear();
  std::fputs(kClearLine, out_);
  std::fflush(out_);
}

}  // namespace seatlock::store
