#include "tests/testing/http_error_server.h"

#include <array>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>
#include <utility>

namespace seatlock::testing {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// RFC 9113: what a client says first, the head of a frame, and the kinds of frames that matter.
constexpr size_t kPrefaceBytes = 24;
constexpr size_t kHeadBytes = 9;
enum Kind : uint8_t { kHeaders = 1, kSettings = 4, kPing = 6 };
constexpr uint8_t kAck = 1;
constexpr uint8_t kEndStream = 1;
constexpr uint8_t kEndHeaders = 4;

std::string Frame(uint8_t kind, uint8_t flags, const std::string& stream, const std::string& body) {
  const auto size = static_cast<uint32_t>(body.size());
  std::string frame;
  for (const uint32_t byte : {size >> 16, size >> 8, size, uint32_t{kind}, uint32_t{flags}}) {
    frame.push_back(static_cast<char>(byte & 0xff));
  }
  return frame + stream + body;
}

// RFC 7541: ":status" is entry 8 of the static table, its value is written out.
std::string StatusHeader(int status) {
  return std::string("\x08\x03") + std::to_string(status);
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, int status, std::atomic<int>* answered)
      : socket_(std::move(socket)), status_(status), answered_(answered) {}

  void Start() {
    Write(Frame(kSettings, 0, kNoStream, ""));
    body_.resize(kPrefaceBytes);
    Read(asio::buffer(body_), [this] { ReadHead(); });
  }

 private:
  static inline const std::string kNoStream = std::string(4, '\0');

  template <typename Buffer, typename Next>
  void Read(Buffer buffer, Next next) {
    asio::async_read(socket_, buffer, [self = shared_from_this(), next](error_code error, size_t) {
      if (!error) next();
    });
  }
  void ReadHead() {
    Read(asio::buffer(head_), [this] {
      body_.resize(size_t{head_[0]} << 16 | size_t{head_[1]} << 8 | head_[2]);
      Read(asio::buffer(body_), [this] {
        Take();
        ReadHead();
      });
    });
  }
  void Take() {
    const bool ack = (head_[4] & kAck) != 0;
    if (head_[3] == kSettings && !ack) Write(Frame(kSettings, kAck, kNoStream, ""));
    if (head_[3] == kPing && !ack) Write(Frame(kPing, kAck, kNoStream, body_));
    if (head_[3] != kHeaders) return;
    const std::string stream(head_.begin() + 5, head_.end());
    ++*answered_;
    Write(Frame(kHeaders, kEndStream | kEndHeaders, stream, StatusHeader(status_)));
  }
  void Write(const std::string& bytes) {
    error_code ignored;
    asio::write(socket_, asio::buffer(bytes), ignored);
  }

  tcp::socket socket_;
  const int status_;
  std::atomic<int>* const answered_;
  std::array<uint8_t, kHeadBytes> head_{};
  std::string body_;
};

}  // namespace

struct HttpErrorServer::Impl {
  Impl(uint16_t port, int the_status)
      : status(the_status), acceptor(io, {asio::ip::address_v4::loopback(), port}) {
    Accept();
    thread = std::thread([this] { io.run(); });
  }
  void Accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Session>(std::move(socket), status, &answered)->Start();
      Accept();
    });
  }

  const int status;
  std::atomic<int> answered{0};
  asio::io_context io;
  tcp::acceptor acceptor;
  std::thread thread;
};

HttpErrorServer::HttpErrorServer(uint16_t port, int status)
    : impl_(std::make_unique<Impl>(port, status)) {}

HttpErrorServer::~HttpErrorServer() {
  impl_->io.stop();
  impl_->thread.join();
}

uint16_t HttpErrorServer::port() const {
  return impl_->acceptor.local_endpoint().port();
}

int HttpErrorServer::answered() const {
  return impl_->answered;
}

}  // namespace seatlock::testing
