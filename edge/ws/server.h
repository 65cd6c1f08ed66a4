// Listens for browsers: accepts, upgrades, and hands each connection to the hub. Strand-bound:
// made, used and destroyed on the thread that runs `io`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "edge/core/hub.h"
#include "edge/core/stats.h"
#include "edge/core/timers.h"

namespace seatlock::edge {

// What the server, its sessions and its connections share. `hub` is null once the server is gone:
// whatever still runs then ends quietly.
struct ServerContext {
  Hub* hub = nullptr;
  Timers* timers = nullptr;
  Stats* stats = nullptr;
  std::vector<std::string> allowed_origins;  // Empty: any.
  size_t connections_max = 0;
};

class Server {
 public:
  // Listens on `host` (a name or an address) and `port` (0: a free one). UNAVAILABLE, with a line
  // for the user, where that cannot be had. What `context` points at outlives the server.
  static absl::StatusOr<std::unique_ptr<Server>> Listen(boost::asio::io_context& io,
                                                        const std::string& host, uint16_t port,
                                                        ServerContext context);
  ~Server();

  uint16_t port() const { return port_; }
  // No more connections; those that are there stay.
  void StopAccepting();

 private:
  Server(boost::asio::io_context& io, boost::asio::ip::tcp::acceptor acceptor,
         ServerContext context);
  void Accept();
  void OnAccept(const boost::system::error_code& ec, boost::asio::ip::tcp::socket socket);

  boost::asio::io_context& io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  const uint16_t port_;
  const std::shared_ptr<ServerContext> context_;
};

}  // namespace seatlock::edge
