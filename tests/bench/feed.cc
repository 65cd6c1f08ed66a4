#include "tests/bench/feed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace seatlock::bench {
namespace {

constexpr std::chrono::milliseconds kAgain{20};

int TcpSocket() {
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Feed::~Feed() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Feed::Connect(const std::string& address, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const sockaddr_in to = Loopback(std::atoi(address.c_str() + address.rfind(':') + 1));
  while (true) {
    fd_ = TcpSocket();
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) break;
    close(fd_);
    fd_ = -1;
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError("nobody listens on " + address);
    }
    std::this_thread::sleep_for(kAgain);
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return absl::OkStatus();
}

void Feed::Write(std::string_view bytes) {
  char answers[16384];
  while (recv(fd_, answers, sizeof answers, MSG_DONTWAIT) > 0) {
  }
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // its changes will be missed
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

int FreePort() {
  const int fd = TcpSocket();
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

}  // namespace seatlock::bench
