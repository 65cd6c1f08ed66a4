// A TCP link on loopback between a program and its store: the network, which a test can let stand
// still, cut and open again. It can also change what the store says. Thread-safe; a thread of its
// own moves the bytes.
//
//   state    | what the client sends | what the target sends | connections
//   kOpen    | arrives               | arrives               | are taken
//   kStalled | waits                 | waits                 | are taken
//   kHeld    | arrives               | waits                 | are taken
//   kCut     | is lost               | is lost               | break, and so does each new one
//
// An end of a connection goes with the bytes of the side that ended it.
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

class TcpLink {
 public:
  // Changes what the target says, in place. Called by the link's thread.
  using Rewrite = std::function<void(char* bytes, size_t size)>;

  // Connections to port() go on to `target`, a port.
  explicit TcpLink(uint16_t target, Rewrite rewrite = {})
      : target_(kLoopback, target), rewrite_(std::move(rewrite)) {
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~TcpLink() {
    io_.stop();
    thread_.join();
  }
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  uint16_t port() const { return port_; }

  void Stall() { Become(State::kStalled); }
  void Hold() { Become(State::kHeld); }
  void Cut() { Become(State::kCut); }
  // What waited arrives now, also what its sender has given up since.
  void Open() { Become(State::kOpen); }

 private:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;
  static inline const auto kLoopback = boost::asio::ip::address_v4::loopback();
  enum class State { kOpen, kStalled, kHeld, kCut };
  enum class Way { kToTarget, kToClient };

  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(TcpLink& the_link, tcp::socket the_client)
        : link(the_link), client(std::move(the_client)), target(link.io_) {}

    void Start() {
      error_code error;
      target.connect(link.target_, error);
      if (error) return Close();
      Read(Way::kToTarget);
      Read(Way::kToClient);
    }
    void Read(Way way) {
      tcp::socket& from = way == Way::kToTarget ? client : target;
      from.async_read_some(boost::asio::buffer(BytesOf(way)),
                           [self = shared_from_this(), way](error_code error, size_t size) {
                             self->Pass(way, error, size);
                           });
    }
    // Hands on what was read, now or once the link lets it.
    void Pass(Way way, error_code error, size_t size) {
      if (link.Waits(way)) {
        link.waiting_.push_back(
            [self = shared_from_this(), way, error, size] { self->Pass(way, error, size); });
        return;
      }
      char* const bytes = BytesOf(way).data();
      if (way == Way::kToClient && link.rewrite_) link.rewrite_(bytes, size);
      tcp::socket& to = way == Way::kToTarget ? target : client;
      if (!error) boost::asio::write(to, boost::asio::buffer(bytes, size), error);
      if (error) return Close();
      Read(way);
    }
    void Close() {
      error_code ignored;
      client.close(ignored);
      target.close(ignored);
    }

    std::array<char, 16'384>& BytesOf(Way way) { return way == Way::kToTarget ? up : down; }

    TcpLink& link;
    tcp::socket client;
    tcp::socket target;
    std::array<char, 16'384> up{};
    std::array<char, 16'384> down{};
  };

  bool Waits(Way way) const {
    return state_ == State::kStalled || (state_ == State::kHeld && way == Way::kToClient);
  }

  void Become(State state) {
    boost::asio::post(io_, [this, state] {
      state_ = state;
      const auto waiting = std::exchange(waiting_, {});
      if (state == State::kCut) return CloseAll();
      for (const auto& pass : waiting) pass();
    });
  }
  void CloseAll() {
    for (const std::weak_ptr<Connection>& connection : connections_) {
      if (const auto open = connection.lock()) open->Close();
    }
    connections_.clear();
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
  std::vector<std::function<void()>> waiting_;  // at most two a connection
  std::thread thread_;
};

}  // namespace seatlock::testing
