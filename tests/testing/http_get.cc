#include "tests/testing/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "absl/strings/numbers.h"

namespace seatlock::testing {
namespace {

class TcpSocket {
 public:
  TcpSocket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  }
  ~TcpSocket() { close(fd_); }
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;

  bool Connect(const std::string& address) {
    const size_t colon = address.rfind(':');
    if (colon == std::string::npos) return false;
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
    if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) return false;
    return connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  bool Send(const std::string& bytes) {
    return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Whether anything came.
  bool ReceiveSome() {
    char buffer[16384];
    return recv(fd_, buffer, sizeof buffer, 0) > 0;
  }
  // Everything up to the other side's end.
  std::string ReceiveAll() {
    std::string all;
    char buffer[16384];
    ssize_t size = 0;
    while ((size = recv(fd_, buffer, sizeof buffer, 0)) > 0) all.append(buffer, size);
    return all;
  }

 private:
  const int fd_;
};

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const std::string& address, const std::string& path) {
  TcpSocket socket;
  if (!socket.Connect(address)) return absl::UnavailableError("cannot connect to " + address);
  if (!socket.Send("GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")) {
    return absl::UnavailableError("cannot send to " + address);
  }
  const std::string all = socket.ReceiveAll();
  const size_t end = all.find("\r\n\r\n");
  const std::string_view version = "HTTP/1.1 ";
  HttpAnswer answer;
  if (end == std::string::npos ||
      !absl::SimpleAtoi(absl::string_view(all).substr(version.size(), 3), &answer.status)) {
    return absl::UnavailableError("no HTTP answer: " + all);
  }
  answer.headers = all.substr(0, end);
  answer.body = all.substr(end + 4);
  return answer;
}

class IdleConnections::Socket : public TcpSocket {};

IdleConnections::IdleConnections(const std::string& address, int count) {
  for (int i = 0; i < count; ++i) {
    Socket& socket = *sockets_.emplace_back(std::make_unique<Socket>());
    const bool asked =
        socket.Connect(address) && socket.Send("GET /livez HTTP/1.1\r\nHost: test\r\n\r\n");
    if (asked && socket.ReceiveSome()) ++answered_;
  }
}

IdleConnections::~IdleConnections() = default;

}  // namespace seatlock::testing
