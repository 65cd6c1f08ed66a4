// Tells the service manager how the program fares: sd_notify(3)'s protocol, datagrams of NAME=VALUE
// lines to the socket that the environment's NOTIFY_SOCKET names. systemd sets it for units of
// Type=notify. Without it every call does nothing.
//
// It is written here rather than taken from libsystemd, which would load six more libraries into a
// process that faces the network, for one sendto() of a protocol that is documented and stable.
//
// Thread-safe. Made by main before other threads start (it reads the environment). A send that
// fails is one line in the log, the first time; the program goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/mutex.h"

namespace seatlock::runtime {

class ServiceManager {
 public:
  // From NOTIFY_SOCKET (a path, or @NAME for an abstract socket), WATCHDOG_USEC and WATCHDOG_PID.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // The program serves from now on. `status` is a line for people: systemctl status shows it, its
  // first kStatusBytesMax bytes, with line breaks as spaces. Blocks for a second at most.
  void Ready(std::string_view status);
  // Sent only if it is another line than the last one, and not after Stopping. Does not block: if
  // the manager's queue is full it is sent with the next call.
  void Status(std::string_view status);
  // The program goes, and needs `at_most_ms` for that: it is not killed earlier, whatever the
  // unit's TimeoutStopSec. Blocks for a second at most.
  void Stopping(std::string_view status, int64_t at_most_ms);

  // How long the manager waits for a Ping before it takes the program for dead; no value: it does
  // not watch. See watchdog.h.
  std::optional<int64_t> watchdog_ms() const { return watchdog_ms_; }
  // Does not block: one that is lost is followed by others in time.
  void Ping();

  static constexpr size_t kStatusBytesMax = 256;

 private:
  void Open(std::string_view name);
  bool Send(const std::string& text, bool may_wait) ABSL_LOCKS_EXCLUDED(mu_);

  std::string address_;  // as sockaddr_un's path: a leading zero byte for an abstract socket
  int fd_ = -1;          // -1: nobody is told
  std::optional<int64_t> watchdog_ms_;
  base::Mutex mu_;
  std::string status_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool failed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace seatlock::runtime
