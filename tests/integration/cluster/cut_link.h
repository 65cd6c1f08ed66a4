// A TCP link on loopback that a test can cut, let stand still, and open again: the network between
// one server and its store. It can also change what the store says. Thread-safe; a thread of its
// own moves the bytes.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace seatlock::testing {

class CutLink {
 public:
  // Changes what the target says, in place. Called by the link's thread.
  using Rewrite = std::function<void(char* bytes, size_t size)>;

  // Connections to port() go on to `target`, a port.
  explicit CutLink(uint16_t target, Rewrite rewrite = {})
      : target_(kLoopback, target), rewrite_(std::move(rewrite)) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~CutLink() {
    io_.stop();
    thread_.join();
  }
  CutLink(const CutLink&) = delete;
  CutLink& operator=(const CutLink&) = delete;

  uint16_t port() const { return port_; }

  // Nothing arrives from now on, either way. Connections stay, and new ones are taken.
  void Stall() { Become(State::kStalled); }
  // All connections break, and so does each new one.
  void Cut() { Become(State::kCut); }
  // What stood still arrives now, also what its sender has given up since.
  void Open() { Become(State::kOpen); }

 private:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  static inline const auto kLoopback = boost::asio::ip::address_v4::loopback();
  enum class State { kOpen, kStalled, kCut };

  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(CutLink& the_link, tcp::socket the_client)
        : link(the_link), client(std::move(the_client)), server(link.io_) {}

    void Start() {
      error_code error;
      server.connect(link.target_, error);
      if (error) return Close();
      Move(client, server, up);
      Move(server, client, down);
    }
    void Move(tcp::socket& from, tcp::socket& to, std::array<char, 16'384>& bytes) {
      from.async_read_some(boost::asio::buffer(bytes), [this, self = shared_from_this(), &from, &to,
                                                        &bytes](error_code error, size_t size) {
        const auto pass = [this, self, &from, &to, &bytes, error, size] {
          error_code failed = error;
          if (&from == &server && link.rewrite_) link.rewrite_(bytes.data(), size);
          if (!failed) boost::asio::write(to, boost::asio::buffer(bytes.data(), size), failed);
          if (failed) return Close();
          Move(from, to, bytes);
        };
        if (link.state_ == State::kStalled) return link.held_.emplace_back(pass), void();
        pass();
      });
    }
    void Close() {
      error_code ignored;
      client.close(ignored);
      server.close(ignored);
    }

    CutLink& link;
    tcp::socket client;
    tcp::socket server;
    std::array<char, 16'384> up{};
    std::array<char, 16'384> down{};
  };

  void Become(State state) {
    boost::asio::post(io_, [this, state] {
      state_ = state;
      if (state == State::kStalled) return;
      const auto held = std::exchange(held_, {});
      if (state == State::kOpen) {
        for (const auto& pass : held) pass();
        return;
      }
      for (const std::weak_ptr<Connection>& connection : connections_) {
        if (const auto open = connection.lock()) open->Close();
      }
      connections_.clear();
    });
  }

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      if (state_ != State::kCut) {
        const auto connection = std::make_shared<Connection>(*this, std::move(socket));
        connections_.push_back(connection);
        connection->Start();
      }
      Accept();
    });
  }

  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_, {kLoopback, 0}};
  const uint16_t port_ = acceptor_.local_endpoint().port();
  const tcp::endpoint target_;
  const Rewrite rewrite_;
  // The thread's alone.
  State state_ = State::kOpen;
  std::vector<std::weak_ptr<Connection>> connections_;
  std::vector<std::function<void()>> held_;  // at most two a connection
  std::thread thread_;
};

}  // namespace seatlock::testing
