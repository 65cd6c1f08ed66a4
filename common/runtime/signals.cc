#include "common/runtime/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>

namespace seatlock::runtime {
namespace {

void MakeReadable(int fd) {
  const uint64_t one = 1;
  if (write(fd, &one, sizeof(one)) != sizeof(one)) std::abort();
}

}  // namespace

Signals::Signals() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ours, &old_mask_);
  signal(SIGPIPE, SIG_IGN);
  signal_fd_ = signalfd(-1, &ours, SFD_CLOEXEC);
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
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
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
    second_ = std::thread([this] {
      const int second = Next(stop_fd_);
      if (second != 0) _exit(128 + second);
    });
  }
  return signal_number;
}

void Signals::Notify() {
  MakeReadable(notify_fd_);
}

}  // namespace seatlock::runtime
