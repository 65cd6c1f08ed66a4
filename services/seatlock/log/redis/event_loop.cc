#include "services/seatlock/log/redis/event_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace seatlock::log {

EventLoop::EventLoop(const base::Clock& clock)
    : clock_(clock), wake_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  // Without a descriptor to begin with nothing can be opened either.
  if (wake_fd_ < 0) std::abort();
}

EventLoop::~EventLoop() {
  close(wake_fd_);
}

void EventLoop::Post(Task task) {
  bool first;
  {
    base::MutexLock lock(mu_);
    first = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  // A write wakes the loop even if it polls only later: one for all that is posted till then.
  if (first) eventfd_write(wake_fd_, 1);
}

void EventLoop::Stop() {
  {
    base::MutexLock lock(mu_);
    stopping_ = true;
  }
  eventfd_write(wake_fd_, 1);
}

void EventLoop::RunAfter(int64_t pause_ms, Task task) {
  timers_.emplace(clock_.MonotonicMs() + pause_ms, std::move(task));
}

void EventLoop::Watch(Socket* socket) {
  sockets_.push_back(socket);
}

void EventLoop::Forget(Socket* socket) {
  std::erase(sockets_, socket);
}

void EventLoop::Run() {
  for (;;) {
    RunTasks();
    RunTimers();
    {
      base::MutexLock lock(mu_);
      if (tasks_.empty() && stopping_) return;
      if (!tasks_.empty()) continue;
    }
    Poll(PauseMs());
  }
}

int EventLoop::PauseMs() {
  if (timers_.empty()) return -1;
  const int64_t left = timers_.begin()->first - clock_.MonotonicMs();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 60'000));
}

void EventLoop::Poll(int pause_ms) {
  const std::vector<Socket*> sockets = sockets_;
  std::vector<pollfd> polled = {{.fd = wake_fd_, .events = POLLIN, .revents = 0}};
  for (const Socket* socket : sockets) {
    const int events = (socket->wants_read ? POLLIN : 0) | (socket->wants_write ? POLLOUT : 0);
    polled.push_back({.fd = socket->fd, .events = static_cast<short>(events), .revents = 0});
  }
  if (poll(polled.data(), polled.size(), pause_ms) <= 0) return;
  if (polled[0].revents != 0) {
    eventfd_t ignored;
    eventfd_read(wake_fd_, &ignored);
  }
  // A callback may forget any socket, and the owner may then destroy it.
  const auto watched = [this](const Socket* socket) {
    return std::find(sockets_.begin(), sockets_.end(), socket) != sockets_.end();
  };
  for (size_t i = 0; i < sockets.size(); ++i) {
    const short events = polled[i + 1].revents;
    const bool failed = (events & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    Socket* const socket = sockets[i];
    if (((events & POLLIN) || failed) && watched(socket) && socket->wants_read) {
      socket->on_readable();
    }
    if (((events & POLLOUT) || failed) && watched(socket) && socket->wants_write) {
      socket->on_writable();
    }
  }
}

void EventLoop::RunTasks() {
  std::vector<Task> tasks;
  {
    base::MutexLock lock(mu_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) std::move(task)();
}

void EventLoop::RunTimers() {
  const int64_t now = clock_.MonotonicMs();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    std::move(task)();
  }
}

}  // namespace seatlock::log
