// A library for LD_PRELOAD that shifts the wall clock of the program it is loaded into, by the
// milliseconds that stand in the file $SHIFTED_CLOCK_FILE (an int64_t, in the machine's byte
// order), also while the program runs. Without the file the clock is right. Other clocks stay as
// they are. See shifted_clock.h.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

const std::atomic<int64_t>* Map() {
  const char* const path = ::getenv("SHIFTED_CLOCK_FILE");
  const int file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* const page = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  return page == MAP_FAILED ? nullptr : static_cast<const std::atomic<int64_t>*>(page);
}

int64_t ShiftMs() {
  static const std::atomic<int64_t>* const shift_ms = Map();
  return shift_ms == nullptr ? 0 : shift_ms->load(std::memory_order_relaxed);
}

timespec ShiftedNow() {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  const int64_t ns = now.tv_sec * kNsPerSecond + now.tv_nsec + ShiftMs() * kNsPerMs;
  now.tv_sec = ns / kNsPerSecond;
  now.tv_nsec = ns % kNsPerSecond;
  return now;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, out));
  }
  *out = ShiftedNow();
  return 0;
}

int gettimeofday(timeval* out, void* /*zone*/) noexcept {
  const timespec now = ShiftedNow();
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const time_t now = ShiftedNow().tv_sec;
  if (out != nullptr) *out = now;
  return now;
}

}  // extern "C"
