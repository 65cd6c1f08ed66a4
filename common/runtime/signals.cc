#include "common/runtime/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace seatlock::runtime {
namespace {

// A signal that comes again so soon was not meant as a second one.
constexpr std::chrono::milliseconds kSameSignal(500);

void MakeReadable(int fd) {
  const uint64_t one = 1;
  if (write(fd, &one, sizeof(one)) != sizeof(one)) std::abort();
}

}  // namespace

Signals::Signals() {
  sigemptyset(&ours_);
  sigaddset(&ours_, SIGTERM);
  sigaddset(&ours_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ours_, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal_fd_ = signalfd(-1, &ours_, SFD_CLOEXEC);
  notify_fd_ = eventfd(0, EFD_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  if (signal_fd_ < 0 || notify_fd_ < 0 || stop_fd_ < 0) std::abort();
}

Signals::~Signals() {
  MakeReadable(stop_fd_);
  if (second_.joinable()) second_.join();
  close(signal_fd_);
  close(notify_fd_);
  close(stop_fd_);
  // What is pending was for this object, not for a later one.
  const timespec now{};
  while (sigtimedwait(&ours_, nullptr, &now) > 0) {
  }
}

int Signals::Next(int stop_fd) const {
  pollfd fds[] = {{signal_fd_, POLLIN, 0}, {stop_fd, POLLIN, 0}};
  while (poll(fds, 2, -1) < 0) {
    if (errno != EINTR) std::abort();
  }
  if ((fds[0].revents & POLLIN) == 0) return 0;
  signalfd_siginfo info{};
  if (read(signal_fd_, &info, sizeof(info)) != sizeof(info)) std::abort();
  return static_cast<int>(info.ssi_signo);
}

int Signals::Wait() {
  const int signal_number = Next(notify_fd_);
  if (!second_.joinable()) {
    second_ = std::thread([this] { ExitOnSecond(); });
  }
  return signal_number;
}

void Signals::ExitOnSecond() {
  using Clock = std::chrono::steady_clock;
  Clock::time_point from = Clock::now() + kSameSignal;
  while (const int second = Next(stop_fd_)) {
    if (Clock::now() < from) continue;
    if (!EndDelay()) _exit(128 + second);
    from = Clock::now() + kSameSignal;
  }
}

bool Signals::EndDelay() {
  base::MutexLock lock(mu_);
  delay_over_.NotifyAll();
  return std::exchange(delaying_, false);
}

void Signals::Delay(std::chrono::milliseconds delay) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + delay;
  base::MutexLock lock(mu_);
  delaying_ = true;
  while (delaying_ && Clock::now() < end) {
    delay_over_.WaitFor(mu_, std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()));
  }
  delaying_ = false;
}

void Signals::Notify() {
  MakeReadable(notify_fd_);
}

}  // namespace seatlock::runtime
