#include "edge/ws/handshake.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>
#include <variant>

#include "edge/limits.h"
#include "edge/ws/connection.h"
#include "edge/ws/upgrade_answer.h"

namespace seatlock::edge {

namespace net = boost::asio;
using boost::system::error_code;

namespace {

// Null if nobody wants to hear of the connection. At level debug also those without a trace.
std::unique_ptr<const base::TraceContext> WantedTrace(const UpgradeRequest& request,
                                                      const Tracer* tracer) {
  if (tracer == nullptr) return nullptr;
  const base::TraceContext trace = TraceOf(request).value_or(base::TraceContext{});
  if (!tracer->Wants(trace.sampled)) return nullptr;
  return std::make_unique<const base::TraceContext>(trace);
}

// Null where tokens are not looked at.
std::unique_ptr<ClientTokens> TokensOf(const UpgradeRequest& request, const Hub& hub) {
  if (hub.env().tokens == nullptr) return nullptr;
  const auto origin = request[boost::beast::http::field::origin];
  return std::make_unique<ClientTokens>(std::string(origin.data(), origin.size()));
}

}  // namespace

Handshake::Handshake(Socket socket, const net::ip::address& peer, ServerContext& context)
    : socket_(std::move(socket)), peer_(peer), context_(context) {}

Handshake::~Handshake() {
  Leave();
}

// The wheel looks once a tick: due a tick early, nobody has more than his time.
void Handshake::Start(const AddressKey& address) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  const int64_t now_ms = context_.clock.MonotonicMs();
  context_.handshakes.Put(*this, now_ms + kHandshakeMsMax - kTickMs);
  context_.handshake_places.Add(*this, address, now_ms);
  ++context_.stats.handshakes;
  context_.admission.CountHandshake(1);
  Wait();
}

// A thread takes many at a time before it reads from the first of them.
void Handshake::GiveWay() {
  error_code ignored;
  socket_.cancel(ignored);  // If it becomes a Connection, nobody else waits for the socket.
  if (state_ == State::kReading) {
    state_ = State::kLastLook;
    Read();
    if (state_ == State::kLastLook) ++context_.stats.handshakes_displaced_total;
  }
  End();
}

void Handshake::End() {
  if (state_ == State::kOver) return;
  error_code ignored;
  socket_.close(ignored);
  Leave();
}

void Handshake::Leave() {
  state_ = State::kOver;
  if (place.taken) {
    --context_.stats.handshakes;
    context_.admission.CountHandshake(-1);
  }
  TakeHead();
  context_.handshake_places.Remove(*this);
  context_.handshakes.Remove(*this);
}

void Handshake::Wait() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (ec || self->context_.hub == nullptr || self->state_ == State::kOver) return;
    if (self->Read()) {
      self->Wait();
    } else {
      self->End();
    }
  });
}

bool Handshake::Read() {
  error_code ec;
  const size_t size = socket_.read_some(net::buffer(context_.received), ec);
  if (ec) return ec == net::error::would_block;
  // Once refused, what comes is forgotten: closing a socket on unread bytes resets it, and the peer
  // would lose the answer.
  if (state_ == State::kReading || state_ == State::kLastLook) {
    OnBytes({context_.received.data(), size});
  }
  return state_ != State::kOver;
}

void Handshake::OnBytes(std::span<char> bytes) {
  const size_t before = head_.size();
  // The usual request comes whole and is copied nowhere.
  if (before > 0) {
    Keep(bytes);
    if (state_ == State::kOver) return;
    bytes = head_;
  }
  const std::string_view text(bytes.data(), bytes.size());
  const size_t head_bytes = HeadBytes(text, before);
  if ((head_bytes > 0 ? head_bytes : bytes.size()) > kHttpHeaderBytesMax) {
    return Refuse(400, "bad request: its head is above 32 KiB");
  }
  if (head_bytes > 0) return OnHead(bytes, head_bytes);
  if (!MayBeginRequest(text)) return Refuse(400, "bad request: this is no HTTP");
  if (HasBareLineEnd(text, before)) {
    return Refuse(400, "bad request: its lines have to end with CR LF");
  }
  if (before == 0) Keep(bytes);
}

// A head that may still be good never has more memory than its bound, and all of a thread together
// have no more than its places have: else the oldest that keeps any goes, which may be this one. A
// last look makes nobody go: its own bytes go right after it.
void Handshake::Keep(std::span<const char> bytes) {
  const size_t size = head_.size() + bytes.size();
  if (head_.empty()) kept_ = context_.heads.insert(context_.heads.end(), this);
  context_.head_bytes -= head_.capacity();
  if (size > head_.capacity() && size <= kHttpHeaderBytesMax) {
    head_.reserve(std::min(2 * size, kHttpHeaderBytesMax));
  }
  head_.insert(head_.end(), bytes.begin(), bytes.end());
  context_.head_bytes += head_.capacity();
  while (state_ == State::kReading && context_.head_bytes > context_.head_bytes_max) {
    context_.heads.front()->GiveWay();
  }
}

std::vector<char> Handshake::TakeHead() {
  if (!head_.empty()) context_.heads.erase(kept_);
  context_.head_bytes -= head_.capacity();
  return std::exchange(head_, {});
}

void Handshake::OnHead(std::span<char> bytes, size_t head_bytes) {
  Parser parser;
  parser.header_limit(kHttpHeaderBytesMax);
  error_code ec;
  parser.put(net::buffer(bytes.data(), head_bytes), ec);
  if (ec) return Refuse(400, "bad request: " + ec.message());
  const std::span<char> behind = bytes.subspan(head_bytes);
  Admission::Answer answer = context_.admission.Check(parser.get(), peer_);
  if (const auto* refused = std::get_if<UpgradeRefused>(&answer)) {
    return Refuse(refused->status, refused->message);
  }
  // What follows the request is WebSocket, not a body.
  if (!parser.is_done()) return Refuse(400, "an upgrade has no body");
  Upgrade(parser.get(), std::get<Admission::Admitted>(std::move(answer)), behind);
}

void Handshake::Upgrade(const UpgradeRequest& request, Admission::Admitted admitted,
                        std::span<char> behind) {
  std::unique_ptr<const base::TraceContext> trace = WantedTrace(request, context_.tracer);
  std::unique_ptr<ClientTokens> tokens = TokensOf(request, *context_.hub);
  if (!Say(AcceptAnswer(socket_.get_executor(), request, admitted.subprotocol))) return;
  // `behind` may lie in it.
  const std::vector<char> head = TakeHead();
  Leave();
  const bool batch = admitted.subprotocol == kBatchSubprotocol;
  std::make_shared<Connection>(std::move(socket_), std::move(admitted.place), context_, batch,
                               std::move(trace), std::move(tokens))
      ->Start(behind);
}

void Handshake::Refuse(int status, std::string_view message) {
  state_ = State::kRefused;
  TakeHead();
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
  End();
  return false;
}

}  // namespace seatlock::edge
