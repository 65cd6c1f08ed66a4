#include "edge/ws/connection.h"

#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>
#include <chrono>
#include <utility>

#include "edge/core/limits.h"

namespace seatlock::edge {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

namespace {

// Beast prepares more than one message needs when a message comes in fragments.
constexpr size_t kReadBufferBytesMax = 4 * kMessageBytesMax;

}  // namespace

Connection::Connection(beast::tcp_stream stream, std::shared_ptr<ServerContext> context,
                       std::string subprotocol)
    : stream_(LeftOpenStream(std::move(stream))),
      context_(std::move(context)),
      subprotocol_(std::move(subprotocol)),
      buffer_(kReadBufferBytesMax) {}

void Connection::Accept(UpgradeRequest request) {
  request_ = std::move(request);
  websocket::stream_base::timeout timeout;
  timeout.handshake_timeout = std::chrono::milliseconds(kHandshakeMsMax);
  timeout.idle_timeout = websocket::stream_base::none();  // Liveness is the Client's.
  timeout.keep_alive_pings = false;
  stream_.set_option(timeout);
  stream_.set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
    response.set(http::field::server, "seatlock-edge");
    if (!subprotocol_.empty()) {
      response.set(http::field::sec_websocket_protocol, subprotocol_);
    }
  }));
  stream_.read_message_max(kMessageBytesMax);
  stream_.auto_fragment(false);
  stream_.text(true);
  stream_.control_callback([this](websocket::frame_type, beast::string_view) {
    if (client_) client_->OnHeard();
  });
  stream_.async_accept(request_,
                       [self = shared_from_this()](const error_code& ec) { self->OnAccepted(ec); });
}

void Connection::OnAccepted(const error_code& ec) {
  request_ = {};
  if (ec || context_->hub == nullptr) return;
  client_ = context_->hub->Connect(*this, subprotocol_ == kBatchSubprotocol);
  Read();
}

// By fragments, so that a binary message is refused at its first.
void Connection::Read() {
  stream_.async_read_some(
      buffer_, 0, [self = shared_from_this()](const error_code& ec, size_t) { self->OnRead(ec); });
}

void Connection::OnRead(const error_code& ec) {
  if (ec) {
    CountProtocolClose(ec);
    End();
    return;
  }
  if (!client_) return;
  if (stream_.got_binary()) {
    client_->Close(CloseCode::kBinaryMessage, "text messages only");
  } else if (!stream_.is_message_done()) {
    return Read();
  } else {
    const auto data = buffer_.cdata();
    client_->OnText({static_cast<const char*>(data.data()), data.size()});
  }
  buffer_.clear();
  // Once closing, Beast reads what is left by itself.
  if (!closing_) Read();
}

// Where the peer broke a rule, Beast has sent the close frame itself.
void Connection::CountProtocolClose(const error_code& ec) {
  if (closing_) return;
  if (ec == websocket::error::message_too_big || ec == websocket::error::buffer_overflow) {
    context_->stats->CountClose(CloseCode::kMessageTooBig);
  } else if (ec == websocket::error::bad_frame_payload) {
    context_->stats->CountClose(CloseCode::kBadUtf8);
  } else if (ec == websocket::condition::protocol_violation) {
    context_->stats->CountClose(CloseCode::kProtocolError);
  }
}

void Connection::Send(Frame frame) {
  if (closing_ || broken_) return;
  queued_bytes_ += frame->size();
  queue_.push_back(std::move(frame));
  if (!writing_) Write();
}

void Connection::Write() {
  writing_ = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= writing_->size();
  stream_.async_write(
      net::buffer(*writing_),
      [self = shared_from_this()](const error_code& ec, size_t) { self->OnWritten(ec); });
}

void Connection::OnWritten(const error_code& ec) {
  writing_.reset();
  ++messages_written_;
  if (ec) {
    broken_ = true;
    queue_.clear();
    queued_bytes_ = 0;
  }
  if (!queue_.empty()) {
    Write();
  } else if (closing_) {
    SendCloseFrame();
  }
}

void Connection::Ping() {
  if (closing_ || broken_ || std::exchange(pinging_, true)) return;
  stream_.async_ping({},
                     [self = shared_from_this()](const error_code&) { self->pinging_ = false; });
}

void Connection::Close(uint16_t code, std::string_view reason, bool drop_queue) {
  if (std::exchange(closing_, true)) return;
  close_reason_ = websocket::close_reason(static_cast<websocket::close_code>(code),
                                          {reason.data(), reason.size()});
  if (drop_queue) {
    queue_.clear();
    queued_bytes_ = 0;
  }
  context_->timers->After(kHandshakeMsMax, [weak = weak_from_this()] {
    if (const std::shared_ptr<Connection> self = weak.lock()) self->Drop();
  });
  if (!writing_) SendCloseFrame();
}

void Connection::SendCloseFrame() {
  if (std::exchange(close_sent_, true)) return;
  stream_.async_close(close_reason_,
                      [self = shared_from_this()](const error_code&) { self->End(); });
}

// Whatever is under way ends with an error, the read among it.
void Connection::Drop() {
  beast::get_lowest_layer(stream_).close();
}

// The conversation is over: both a read and a close may say so.
void Connection::End() {
  if (!client_) return;
  const std::shared_ptr<Client> client = std::exchange(client_, nullptr);
  if (context_->hub != nullptr) context_->hub->Disconnect(*client);
  DrainAndClose(beast::get_lowest_layer(stream_), shared_from_this());
}

}  // namespace seatlock::edge
