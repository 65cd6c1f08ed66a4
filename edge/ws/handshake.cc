#include "edge/ws/handshake.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>
#include <variant>

#include "edge/limits.h"
#include "edge/ws/connection.h"
#include "edge/ws/upgrade_answer.h"

namespace seatlock::edge {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

Handshake::Partial::Partial() {
  parser.header_limit(kHttpHeaderBytesMax);
}

Handshake::Handshake(Socket socket, const net::ip::address& peer, ServerContext& context)
    : socket_(std::move(socket)), peer_(peer), context_(context) {}

Handshake::~Handshake() {
  context_.handshakes.Remove(*this);
  if (owns_socket_) context_.admission.ReturnSocket();
}

// The wheel looks once a tick: due a tick early, nobody has more than his time.
void Handshake::Start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  context_.handshakes.Put(*this, context_.clock.MonotonicMs() + kHandshakeMsMax - kTickMs);
  Wait();
}

void Handshake::OnDue() {
  error_code ignored;
  socket_.close(ignored);
}

void Handshake::Wait() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (!ec && self->context_.hub != nullptr && self->Read()) self->Wait();
  });
}

bool Handshake::Read() {
  error_code ec;
  const size_t size = socket_.read_some(net::buffer(context_.received), ec);
  if (ec) return ec == net::error::would_block;
  // Once refused, what comes is forgotten: closing a socket on unread bytes resets it, and the peer
  // would lose the answer.
  if (!refused_) OnBytes({context_.received.data(), size});
  return owns_socket_ && socket_.is_open();
}

void Handshake::OnBytes(std::span<char> bytes) {
  error_code ec;
  if (!partial_) {
    Parser parser;
    parser.header_limit(kHttpHeaderBytesMax);
    const size_t used = parser.put(net::buffer(bytes.data(), bytes.size()), ec);
    if (ec && ec != http::error::need_more) {
      return Refuse(400, "bad request: " + ec.message());
    }
    if (parser.is_header_done()) return OnRequest(parser, bytes.subspan(used));
    partial_ = std::make_unique<Partial>();
  }
  std::unique_ptr<Partial> partial = std::move(partial_);
  partial->bytes.append(bytes.data(), bytes.size());
  const size_t used = partial->parser.put(net::buffer(partial->bytes), ec);
  if (ec && ec != http::error::need_more) return Refuse(400, "bad request: " + ec.message());
  if (partial->parser.is_header_done()) {
    return OnRequest(partial->parser, std::span(partial->bytes).subspan(used));
  }
  partial->bytes.erase(0, used);
  partial_ = std::move(partial);
}

// The header alone decides: what a request means does not depend on a body.
void Handshake::OnRequest(Parser& parser, std::span<char> behind) {
  const bool has_body = !parser.is_done();
  const UpgradeRequest request = parser.release();
  auto answer = context_.admission.Check(request, peer_);
  if (const auto* refused = std::get_if<UpgradeRefused>(&answer)) {
    return Refuse(refused->status, refused->message);
  }
  if (has_body) return Refuse(400, "an upgrade has no body");
  Upgrade(request, std::get<Admission::Admitted>(std::move(answer)), behind);
}

void Handshake::Upgrade(const UpgradeRequest& request, Admission::Admitted admitted,
                        std::span<char> behind) {
  if (!Say(AcceptAnswer(socket_.get_executor(), request, admitted.subprotocol))) return;
  context_.handshakes.Remove(*this);
  owns_socket_ = false;
  const bool batch = admitted.subprotocol == kBatchSubprotocol;
  std::make_shared<Connection>(std::move(socket_), std::move(admitted.place), context_, batch)
      ->Start(behind);
}

void Handshake::Refuse(int status, std::string_view message) {
  refused_ = true;
  ++context_.stats.upgrades_refused_total;
  context_.admission.CountRefusal(status);
  if (!Say(RefusalAnswer(status, message))) return;
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  context_.handshakes.Put(*this, context_.clock.MonotonicMs() + kDrainReadMsMax - kTickMs);
}

bool Handshake::Say(std::string_view answer) {
  error_code ec;
  const size_t sent = socket_.write_some(net::buffer(answer.data(), answer.size()), ec);
  if (!ec && sent == answer.size()) return true;
  socket_.close(ec);
  return false;
}

}  // namespace seatlock::edge
