// A connection before it is a WebSocket: reads one HTTP request, then hands the socket on to a
// Connection, or says why not and waits for the peer to leave. The wheel of its thread ends it
// after kHandshakeMsMax in all. Keeps itself alive while it waits. Strand-bound.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "edge/fanout/wheel.h"
#include "edge/ws/server_context.h"

namespace seatlock::edge {

class Handshake final : public std::enable_shared_from_this<Handshake> {
 public:
  // `socket` counts in the admission, and is given back with this or with the connection.
  Handshake(Socket socket, const boost::asio::ip::address& peer, ServerContext& context);
  ~Handshake();

  void Start();
  // Its time is over.
  void OnDue();

  WheelPlace wheel_place;  // The context's wheel's.

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
  // A request of which the end is still to come.
  struct Partial {
    Partial();
    Parser parser;
    std::string bytes;
  };

  void Wait();
  // Reads what is there; false once there is nothing to wait for.
  bool Read();
  void OnBytes(std::span<char> bytes);
  void OnRequest(Parser& parser, std::span<char> behind);
  void Upgrade(const UpgradeRequest& request, Admission::Admitted admitted, std::span<char> behind);
  void Refuse(int status, std::string_view message);
  // One send: an answer is small, and nothing was sent before it.
  bool Say(std::string_view answer);

  Socket socket_;
  const boost::asio::ip::address peer_;
  ServerContext& context_;
  std::unique_ptr<Partial> partial_;
  bool owns_socket_ = true;
  bool refused_ = false;
};

}  // namespace seatlock::edge
