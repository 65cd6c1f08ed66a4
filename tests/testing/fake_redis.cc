#include "tests/testing/fake_redis.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <optional>

namespace seatlock::testing {
namespace {

constexpr int kLookMs = 10;  // how late its end may be noticed

// A number and its line end at `at`, behind one byte of type.
std::optional<size_t> NumberAt(const std::string& bytes, size_t& at) {
  const size_t end = bytes.find("\r\n", at);
  if (end == std::string::npos) return std::nullopt;
  const size_t number = std::strtoul(bytes.c_str() + at + 1, nullptr, 10);
  at = end + 2;
  return number;
}

// Takes the first whole command off `bytes`.
std::optional<std::vector<std::string>> TakeCommand(std::string& bytes) {
  size_t at = 0;
  const std::optional<size_t> count = NumberAt(bytes, at);
  if (!count) return std::nullopt;
  std::vector<std::string> words;
  while (words.size() < *count) {
    const std::optional<size_t> size = NumberAt(bytes, at);
    if (!size || bytes.size() < at + *size + 2) return std::nullopt;
    words.push_back(bytes.substr(at, *size));
    at += *size + 2;
  }
  bytes.erase(0, at);
  return words;
}

}  // namespace

FakeRedis::FakeRedis(Options options)
    : options_(std::move(options)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, any, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, any, &size) != 0) {
    std::cerr << "fake redis: no port\n";
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FakeRedis::~FakeRedis() {
  stopping_ = true;
  thread_.join();
  for (const auto& [fd, buffer] : connections_) close(fd);
  close(listener_);
}

void FakeRedis::Serve() {
  while (!stopping_) {
    std::vector<pollfd> polled = {{.fd = listener_, .events = POLLIN, .revents = 0}};
    for (const auto& [fd, buffer] : connections_) {
      polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    }
    if (poll(polled.data(), polled.size(), kLookMs) <= 0) continue;
    if (polled[0].revents != 0) Accept();
    for (size_t i = 1; i < polled.size(); ++i) {
      const int fd = polled[i].fd;
      if (polled[i].revents == 0 || Read(fd, connections_[fd])) continue;
      close(fd);
      connections_.erase(fd);
    }
  }
}

void FakeRedis::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (options_.closes_at_once) {
    close(fd);
  } else {
    connections_[fd];
  }
}

bool FakeRedis::Read(int fd, std::string& buffer) {
  char bytes[4096];
  const ssize_t count = read(fd, bytes, sizeof(bytes));
  if (count <= 0) return false;
  std::string out = options_.says;
  if (out.empty()) {
    buffer.append(bytes, static_cast<size_t>(count));
    while (const auto words = TakeCommand(buffer)) {
      if (options_.answer) out += options_.answer(*words);
    }
  }
  return send(fd, out.data(), out.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out.size());
}

std::string RespError(const std::string& text) {
  return "-" + text + "\r\n";
}

std::string RespText(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string RespArray(const std::vector<std::string>& texts) {
  std::string bytes = "*" + std::to_string(texts.size()) + "\r\n";
  for (const std::string& text : texts) bytes += RespText(text);
  return bytes;
}

FakeRedis::Answer SentinelThatNames(uint16_t primary, uint64_t epoch) {
  return [primary, epoch](const std::vector<std::string>& words) {
    if (words[0] == "PING") return RespText("PONG");
    if (words.size() != 3 || words[0] != "SENTINEL") return RespError("ERR unknown command");
    const std::string port = std::to_string(primary);
    if (words[1] == "GET-MASTER-ADDR-BY-NAME") return RespArray({"127.0.0.1", port});
    return RespArray(
        {"name", words[2], "ip", "127.0.0.1", "port", port, "config-epoch", std::to_string(epoch)});
  };
}

}  // namespace seatlock::testing
