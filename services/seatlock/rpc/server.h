// The gRPC server: the service, health, reflection, and every setting of the port.
//
// Thread-safe. Made by main after the engine, and shut down before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "services/seatlock/engine/engine.h"
#include "services/seatlock/rpc/call_observer.h"
#include "services/seatlock/rpc/limits.h"
#include "services/seatlock/rpc/served_certificate.h"

namespace seatlock::rpc {

class Server {
 public:
  // Listens on `host`:`port` (0: one that is free) and serves `engine`, with TLS if `certificate`
  // is given, which outlives the server. gRPC holds at most `grpc_bytes_max` for open calls and
  // requests. UNAVAILABLE, with one clear line, where that address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const std::string& host, uint16_t port,
                                                       engine::Engine& engine,
                                                       const base::Clock& clock,
                                                       CallObserver& observer,
                                                       ServedCertificate* certificate = nullptr,
                                                       size_t grpc_bytes_max = kGrpcBytesMax);
  // Shuts down at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that was bound.
  uint16_t port() const;

  // Tells health checkers whether new calls should come. Cheap if nothing changes.
  void SetServing(bool serving);
  // Tells them so for good: the server goes away.
  void StopServing();

  // Asks this server for its health, within the process, and calls back once gRPC's own threads,
  // which run all handlers, have answered, with whatever. Not at all while they stand still. Once
  // it is shut down, nobody is asked, and it calls back at once. For the watchdog.
  void AskOwnThreads(absl::AnyInvocable<void() &&> done);

  // Waits `grace_ms` at most for the calls under way, then takes no more and cancels the rest.
  // Blocks. Drain the engine first, so that new calls are refused meanwhile.
  void Shutdown(int64_t grace_ms);

 private:
  struct Impl;
  void Tell(bool serving);
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace seatlock::rpc
