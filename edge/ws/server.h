// One thread's listener: accepts browsers and lets them shake hands, until it is told to stop.
// Strand-bound: made, used and destroyed on the thread that runs its io_context, but for Listen().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "edge/ws/server_context.h"

namespace seatlock::edge {

// Listens on `host` (a name or an address) and `port` (0: a free one) once for each of `ios`, all
// on one port; the kernel deals connections out. UNAVAILABLE, with a line for the user, where that
// cannot be had, also where the other owner of the port is an edge. Before the threads run.
absl::StatusOr<std::vector<Acceptor>> Listen(std::span<boost::asio::io_context* const> ios,
                                             const std::string& host, uint16_t port);

class Server {
 public:
  // Begins to accept into `hub`. `context`, whose hub this is from now on, outlives the server.
  Server(Acceptor acceptor, ServerContext& context, Hub& hub);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // No more connections; those that are there stay, and who shakes hands goes on.
  void StopAccepting();

 private:
  void Wait();
  // Takes who is there, as many as one turn may; false if descriptors, memory or places ran out.
  bool Accept();
  void Pause();
  void Tick();

  Acceptor acceptor_;
  ServerContext& context_;
  // Timers look whether this is still there.
  const std::shared_ptr<Server*> self_ = std::make_shared<Server*>(this);
};

}  // namespace seatlock::edge
