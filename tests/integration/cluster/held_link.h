// A TCP link to a server on loopback that can hold back what the server sends: what is under way on
// a long line, and is gone with the server. Thread-compatible; a thread of its own moves the bytes.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <thread>

namespace seatlock::testing {

class HeldLink {
 public:
  // Connections to port() go on to `target`, a port.
  explicit HeldLink(uint16_t target) : target_(tcp::endpoint(kLoopback, target)) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~HeldLink() {
    io_.stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }
  // From now on nothing that the server sends arrives. What it is sent still does.
  void Hold() {
    boost::asio::post(io_, [this] { held_ = true; });
  }

 private:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  static inline const auto kLoopback = boost::asio::ip::address_v4::loopback();

  // One connection. It ends with either side, unless it is held.
  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(HeldLink& the_link, tcp::socket the_client)
        : link(the_link), client(std::move(the_client)), server(link.io_) {}

    void Start() {
      error_code error;
      server.connect(link.target_, error);
      if (error) return;
      Move(client, server, up);
      Move(server, client, down);
    }
    void Move(tcp::socket& from, tcp::socket& to, std::array<char, 16'384>& bytes) {
      from.async_read_some(boost::asio::buffer(bytes), [this, self = shared_from_this(), &from, &to,
                                                        &bytes](error_code error, size_t size) {
        if (&from == &server && link.held_) {
          link.kept_ = self;  // neither the bytes nor the end arrive
          return;
        }
        if (!error) boost::asio::write(to, boost::asio::buffer(bytes.data(), size), error);
        if (!error) return Move(from, to, bytes);
        error_code ignored;
        client.close(ignored);
        server.close(ignored);
      });
    }

    HeldLink& link;
    tcp::socket client;
    tcp::socket server;
    std::array<char, 16'384> up{};
    std::array<char, 16'384> down{};
  };

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Connection>(*this, std::move(socket))->Start();
      Accept();
    });
  }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_, {kLoopback, 0}};
  const uint16_t port_ = acceptor_.local_endpoint().port();
  const tcp::endpoint target_;
  // The thread's alone.
  bool held_ = false;
  std::shared_ptr<Connection> kept_;
  std::thread thread_;
};

}  // namespace seatlock::testing
