// The admin listener: a small HTTP server on a thread of its own, for probes, Prometheus and
// people.
//
//   GET /livez     200 while the thread runs
//   GET /readyz    200 where Pages::ready says OK, else 503 with its message; then Pages::details
//   GET /metrics   Prometheus' text format
//   GET /version   Pages::version, JSON
//
// Other paths are 404, methods but GET and HEAD 405. A request's body is never read: its connection
// is closed after the answer. Connections, header size, and the time for a request are bounded: a
// request must come whole within 5 s of the connection or of the answer before. If every place is
// taken, the next connection gets the place of the one that has waited longest: first of those that
// were answered and wait for another request, then of those that sent no whole request yet, then of
// those that do not take their answer. So connections that are held open keep no probe out, however
// many they are. Only 64 new ones that come before a probe has sent its request can.
// Owned by main; made last and destroyed first, because its pages refer to everything else.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/runtime/net.h"

namespace seatlock::runtime {

class AdminServer {
 public:
  // Called on the server's thread, one at a time; they must not block for long.
  struct Pages {
    std::function<absl::Status()> ready;
    std::function<std::string()> metrics;
    std::string version;
    // Lines for people, each with its newline. May be null.
    std::function<std::string()> details = nullptr;
  };

  // Listens on `listen` (port 0: one that is free) and serves until destroyed. Unavailable, with
  // one clear line, where it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const HostPort& listen, Pages pages);

  // Closes every connection and joins the thread.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Where it listens, with the port that was bound.
  const HostPort& address() const;

 private:
  struct Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::runtime
