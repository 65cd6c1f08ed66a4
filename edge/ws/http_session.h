// A connection before it is a WebSocket: reads one HTTP request, then hands the socket on or
// answers why not. Strand-bound; keeps itself alive while something is under way, at most
// kHandshakeMsMax.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <string>

#include "edge/ws/server.h"

namespace seatlock::edge {

class HttpSession final : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, std::shared_ptr<ServerContext> context);

  void Start();

 private:
  void OnRequest(const boost::system::error_code& ec);
  void Refuse(int status, const std::string& message);

  boost::beast::tcp_stream stream_;
  const std::shared_ptr<ServerContext> context_;
  boost::beast::flat_buffer buffer_;
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser_;
  boost::beast::http::response<boost::beast::http::string_body> response_;
};

}  // namespace seatlock::edge
