#include "tests/bench/ws_fleet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace seatlock::bench {
namespace {

constexpr std::chrono::milliseconds kOpenTimeout{20'000};

constexpr char kUpgrade[] =
    "GET /ws/seat-updates HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// A masked text frame of up to 125 bytes; the mask is zero.
std::string TextFrame(const std::string& text) {
  const char header[] = {
      static_cast<char>(0x81), static_cast<char>(0x80 | text.size()), 0, 0, 0, 0};
  return std::string(header, sizeof header) + text;
}

int Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

bool SendAll(int fd, const std::string& bytes) {
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

WsFleet::WsFleet() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

WsFleet::~WsFleet() {
  for (const Browser& browser : browsers_) close(browser.fd);
  close(epoll_);
}

absl::Status WsFleet::Open(const std::string& address, int count, const std::string& showtime) {
  const std::string subscribe =
      TextFrame(R"({"type":"subscribe","showtimeId":")" + showtime + R"("})");
  for (int i = 0; i < count; ++i) {
    const int fd = Connect(address);
    if (fd < 0) return absl::UnavailableError("cannot connect to the edge");
    browsers_.push_back({.fd = fd, .seen = false, .unread = ""});
    if (!SendAll(fd, kUpgrade)) return absl::UnavailableError("cannot send");
    epoll_event event{.events = EPOLLIN, .data = {.u32 = static_cast<uint32_t>(i)}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  if (absl::Status status = WaitForAll("101 Switching", kOpenTimeout); !status.ok()) return status;
  for (const Browser& browser : browsers_) {
    if (!SendAll(browser.fd, subscribe)) return absl::UnavailableError("cannot send");
  }
  return WaitForAll("current_seat_status", kOpenTimeout);
}

bool WsFleet::Receive(Browser& browser) {
  char buffer[16384];
  const ssize_t size = recv(browser.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN;
  browser.unread.append(buffer, static_cast<size_t>(size));
  return size > 0;
}

absl::Status WsFleet::WaitForAll(std::string_view text, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  size_t waiting = browsers_.size();
  for (Browser& browser : browsers_) browser.seen = false;
  std::array<epoll_event, 256> events;
  while (waiting > 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(std::to_string(waiting) + " connections did not get it");
    }
    const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
    for (int i = 0; i < count; ++i) {
      Browser& browser = browsers_[events[i].data.u32];
      if (!Receive(browser)) return absl::UnavailableError("the edge closed a connection");
      if (browser.seen || browser.unread.find(text) == std::string::npos) continue;
      browser.seen = true;
      browser.unread.clear();
      --waiting;
    }
  }
  return absl::OkStatus();
}

}  // namespace seatlock::bench
