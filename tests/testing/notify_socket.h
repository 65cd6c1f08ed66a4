// The service manager's end of sd_notify(3), for tests: a socket that programs are told of by
// NOTIFY_SOCKET, and what came in on it. For one thread.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace seatlock::testing {

class NotifySocket {
 public:
  // A socket at `path`, which must not be there.
  explicit NotifySocket(const std::string& path)
      : path_(path), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) std::abort();
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    if (fd_ < 0 || bind(fd_, any, sizeof(address)) != 0) std::abort();
  }
  ~NotifySocket() { close(fd_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& path() const { return path_; }

  // The next message; no value if none comes within `timeout`.
  std::optional<std::string> Next(std::chrono::milliseconds timeout) {
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
    char text[4096];
    const ssize_t size = recv(fd_, text, sizeof(text), 0);
    return size < 0 ? std::nullopt : std::optional<std::string>({text, static_cast<size_t>(size)});
  }
  // What has come in; no value: nothing.
  std::optional<std::string> Next() { return Next(std::chrono::milliseconds(0)); }

 private:
  const std::string path_;
  const int fd_;
};

}  // namespace seatlock::testing
