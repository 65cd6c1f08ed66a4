#include "edge/ws/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

namespace net = boost::asio;
using boost::system::error_code;

namespace {

constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

// One change to a crowd is one piece for each, and send() costs less than sendmsg().
ssize_t Send(int socket, std::span<const std::string_view> pieces) {
  if (pieces.size() == 1) {
    return ::send(socket, pieces.front().data(), pieces.front().size(), kSendFlags);
  }
  std::array<iovec, kGatherPiecesMax> parts;
  const size_t count = std::min(pieces.size(), parts.size());
  for (size_t i = 0; i < count; ++i) {
    // sendmsg() only reads what it is given.
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  }
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket, &message, kSendFlags);
}

}  // namespace

Connection::Connection(Socket socket, Admission::Place place, ServerContext& context, bool batch,
                       std::unique_ptr<const base::TraceContext> trace,
                       std::unique_ptr<ClientTokens> tokens)
    : socket_(std::move(socket)),
      context_(context),
      place_(std::move(place)),
      client_(*context.hub, *this, batch, std::move(trace), std::move(tokens)) {}

void Connection::Start(std::span<char> early) {
  client_.Start();
  if (!early.empty()) OnBytes(early);
  WaitToRead();
}

// ---- Reading -----------------------------------------------------------------------------------

void Connection::WaitToRead() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    // Without a hub its clients are gone already.
    if (self->context_.hub == nullptr) return;
    if (!ec && self->Read()) return self->WaitToRead();
    error_code ignored;
    self->socket_.close(ignored);
    self->client_.Gone();
  });
}

// The client may drop the connection within anything that it is told.
bool Connection::Read() {
  for (int turn = 0; turn < kReceivesATurn; ++turn) {
    if (broken_ || !socket_.is_open()) return false;
    error_code ec;
    const size_t size = socket_.read_some(net::buffer(context_.received), ec);
    if (ec) return ec == net::error::would_block;
    if (!deaf_) OnBytes({context_.received.data(), size});
    if (size < context_.received.size()) break;
  }
  return !broken_ && socket_.is_open();
}

void Connection::OnBytes(std::span<char> bytes) {
  FrameParser fresh;
  FrameParser& parser = parser_ ? *parser_ : fresh;
  if (const std::optional<CloseCode> breach = parser.Feed(bytes, *this)) {
    deaf_ = true;
    client_.OnBreach(*breach);
  }
  if (deaf_ || parser.idle()) {
    parser_.reset();
  } else if (!parser_) {
    parser_ = std::make_unique<FrameParser>(std::move(fresh));
  }
}

void Connection::OnPeerClose(uint16_t code) {
  deaf_ = true;
  client_.OnPeerClose(code);
}

// ---- Writing -----------------------------------------------------------------------------------

size_t Connection::Write(std::span<const std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (broken_ || !socket_.is_open()) return size;
  ssize_t sent = 0;
  do {
    sent = Send(socket_.native_handle(), pieces);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
    Break();
    return size;
  }
  const auto taken = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  if (taken < size) WaitToWrite();
  return taken;
}

void Connection::WaitToWrite() {
  if (std::exchange(waits_to_write_, true)) return;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& ec) {
    self->waits_to_write_ = false;
    if (!ec && self->context_.hub != nullptr) self->client_.OnWritable();
  });
}

// Its waiting ends, and with it the connection.
void Connection::Break() {
  broken_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void Connection::Finish() {
  deaf_ = true;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Connection::Drop() {
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace seatlock::edge
