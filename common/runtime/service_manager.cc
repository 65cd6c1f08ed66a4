#include "common/runtime/service_manager.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/logging.h"

namespace seatlock::runtime {
namespace {

// For the messages that must not be lost. A manager that does not read for so long is in trouble
// itself.
constexpr timeval kSendTimeout{.tv_sec = 1, .tv_usec = 0};

std::string_view Variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, ServiceManager::kStatusBytesMax));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line;
}

// WATCHDOG_PID names the process that is watched: a child inherits the variables, and is not.
std::optional<int64_t> WatchdogMs() {
  const std::string_view pid = Variable("WATCHDOG_PID");
  if (!pid.empty() && pid != absl::StrCat(getpid())) return std::nullopt;
  const std::string_view text = Variable("WATCHDOG_USEC");
  int64_t us = 0;
  if (!absl::SimpleAtoi({text.data(), text.size()}, &us) || us <= 0) return std::nullopt;
  return std::max<int64_t>(1, us / 1000);
}

}  // namespace

ServiceManager::ServiceManager() {
  const std::string_view name = Variable("NOTIFY_SOCKET");
  if (name.empty()) return;
  Open(name);
  if (fd_ >= 0) watchdog_ms_ = WatchdogMs();
}

ServiceManager::~ServiceManager() {
  if (fd_ >= 0) close(fd_);
}

void ServiceManager::Open(std::string_view name) {
  const bool known = name.size() > 1 && (name[0] == '/' || name[0] == '@');
  if (!known || name.size() >= sizeof(sockaddr_un::sun_path)) {
    LogWarn("NOTIFY_SOCKET names no socket that can be told; the service manager hears nothing",
            {{"NOTIFY_SOCKET", name}});
    return;
  }
  address_ = name;
  if (address_[0] == '@') address_[0] = '\0';
  fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof(kSendTimeout));
}

bool ServiceManager::Send(const std::string& text, bool may_wait) {
  if (fd_ < 0) return true;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  const int flags = MSG_NOSIGNAL | (may_wait ? 0 : MSG_DONTWAIT);
  if (sendto(fd_, text.data(), text.size(), flags, reinterpret_cast<const sockaddr*>(&to), size) >=
      0) {
    return true;
  }
  const int error = errno;
  base::MutexLock lock(mu_);
  if (!std::exchange(failed_, true)) {
    LogWarn("the service manager could not be told", {{"error", std::strerror(error)}});
  }
  return false;
}

void ServiceManager::Ready(std::string_view status) {
  const std::string line = OneLine(status);
  {
    base::MutexLock lock(mu_);
    status_ = line;
  }
  Send(absl::StrCat("READY=1\nSTATUS=", line), true);
}

void ServiceManager::Status(std::string_view status) {
  const std::string line = OneLine(status);
  {
    base::MutexLock lock(mu_);
    if (stopping_ || line == status_) return;
  }
  if (!Send(absl::StrCat("STATUS=", line), false)) return;
  base::MutexLock lock(mu_);
  status_ = line;
}

void ServiceManager::Stopping(std::string_view status, int64_t at_most_ms) {
  {
    base::MutexLock lock(mu_);
    stopping_ = true;
  }
  Send(absl::StrCat("STOPPING=1\nSTATUS=", OneLine(status),
                    "\nEXTEND_TIMEOUT_USEC=", at_most_ms * 1000),
       true);
}

void ServiceManager::Ping() {
  Send("WATCHDOG=1", false);
}

}  // namespace seatlock::runtime
