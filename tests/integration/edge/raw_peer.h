// A client that is no WebSocket client: a TCP socket of loopback, and what a test does with it.
// Thread-compatible.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace seatlock::testing {

inline constexpr std::string_view kRawUpgrade =
    "GET /ws/seat-updates HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

class RawPeer {
 public:
  using Millis = std::chrono::milliseconds;

  // Connects to that port from `from`, an address of loopback. `receive_buffer_bytes` 0: the
  // system's choice. connected() says whether it worked.
  explicit RawPeer(uint16_t port, const char* from = "127.0.0.1", int receive_buffer_bytes = 0)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
    }
    const int on = 1;
    // So many may have come from that address that a port for any peer is not to be had.
    setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    sockaddr_in own = Address(from, 0);
    sockaddr_in edge = Address("127.0.0.1", port);
    connected_ = bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof(own)) == 0 &&
                 connect(fd_, reinterpret_cast<sockaddr*>(&edge), sizeof(edge)) == 0;
    error_ = connected_ ? 0 : errno;
  }
  ~RawPeer() {
    if (fd_ >= 0) close(fd_);
  }
  RawPeer(RawPeer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), error_(other.error_) {}
  RawPeer& operator=(RawPeer&&) = delete;

  bool connected() const { return connected_; }
  // Why it is not, as errno has it.
  int error() const { return error_; }

  // What of `bytes` the socket takes without waiting; 0 also if it is broken.
  size_t Send(std::string_view bytes) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<size_t>(sent) : 0;
  }

  // What comes until `mark` is there, the connection ends, or `patience` is over.
  std::string ReadUntil(std::string_view mark, Millis patience = Millis(10'000)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    std::string text;
    while (text.find(mark) == std::string::npos) {
      const auto left = std::chrono::ceil<Millis>(end - std::chrono::steady_clock::now()).count();
      pollfd waiting{fd_, POLLIN, 0};
      if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) <= 0) break;
      const std::string more = ReadSome();
      if (more.empty()) break;
      text += more;
    }
    return text;
  }
  // What is there, without waiting.
  std::string ReadSome() {
    std::array<char, 65536> buffer;
    const ssize_t size = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), size > 0 ? static_cast<size_t>(size) : 0};
  }

  // Becomes a WebSocket connection that has been greeted; false if not.
  bool Upgrade() {
    const std::string request = std::string(kRawUpgrade) + "\r\n";
    return Send(request) == request.size() &&
           ReadUntil("connection_established").find("HTTP/1.1 101 ") == 0;
  }

  // A masked frame with a mask of zeros, of at most 125 bytes.
  static std::string Frame(uint8_t first, std::string_view payload) {
    std::string frame = {static_cast<char>(first), static_cast<char>(0x80 | payload.size())};
    return frame + std::string(4, '\0') + std::string(payload);
  }

 private:
  static sockaddr_in Address(const char* host, uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
  }

  int fd_;
  bool connected_ = false;
  int error_ = 0;
};

}  // namespace seatlock::testing
