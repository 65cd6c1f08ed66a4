#include "edge/ws/http_session.h"

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <utility>
#include <variant>

#include "edge/core/limits.h"
#include "edge/ws/connection.h"
#include "edge/ws/drain.h"
#include "edge/ws/upgrade.h"

namespace seatlock::edge {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr unsigned kHttp11 = 11;
constexpr const char* kRetryAfterSeconds = "5";

}  // namespace

HttpSession::HttpSession(net::ip::tcp::socket socket, std::shared_ptr<ServerContext> context)
    : stream_(std::move(socket)), context_(std::move(context)), buffer_(kHttpHeaderBytesMax) {
  parser_.header_limit(kHttpHeaderBytesMax);
}

void HttpSession::Start() {
  stream_.expires_after(std::chrono::milliseconds(kHandshakeMsMax));
  // The header alone: what a request means does not depend on a body.
  http::async_read_header(
      stream_, buffer_, parser_,
      [self = shared_from_this()](const error_code& ec, size_t) { self->OnRequest(ec); });
}

void HttpSession::OnRequest(const error_code& ec) {
  if (context_->hub == nullptr) return;
  // Not a word of HTTP: nobody to answer to.
  if (ec == http::error::end_of_stream || ec == beast::error::timeout) return;
  if (ec && ec.category() != make_error_code(http::error::bad_method).category()) return;
  if (ec) return Refuse(400, "bad request: " + ec.message());
  const auto check = CheckUpgrade(parser_.get(), context_->allowed_origins);
  if (const auto* refused = std::get_if<UpgradeRefused>(&check)) {
    return Refuse(refused->status, refused->message);
  }
  if (!parser_.is_done()) return Refuse(400, "an upgrade has no body");
  if (context_->hub->connections() >= context_->connections_max) {
    return Refuse(503, "too many connections");
  }
  stream_.expires_never();
  std::make_shared<Connection>(std::move(stream_), context_,
                               std::get<UpgradeAllowed>(check).subprotocol)
      ->Accept(parser_.release());
}

void HttpSession::Refuse(int status, const std::string& message) {
  ++context_->stats->upgrades_refused_total;
  response_.version(kHttp11);
  response_.result(static_cast<unsigned>(status));
  response_.set(http::field::server, "seatlock-edge");
  response_.set(http::field::content_type, "text/plain; charset=utf-8");
  response_.set(http::field::cache_control, "no-store");
  if (status == 426) {
    response_.set(http::field::upgrade, "websocket");
    response_.set(http::field::sec_websocket_version, "13");
  }
  if (status == 503) response_.set(http::field::retry_after, kRetryAfterSeconds);
  response_.keep_alive(false);
  // Upgrade is a header for the next hop, so Connection names it (RFC 9110, 7.8).
  if (status == 426) response_.set(http::field::connection, "close, upgrade");
  response_.body() = message + "\n";
  response_.prepare_payload();
  stream_.expires_after(std::chrono::milliseconds(kHandshakeMsMax));
  http::async_write(stream_, response_, [self = shared_from_this()](const error_code& ec, size_t) {
    if (!ec) DrainAndClose(self->stream_, self);
  });
}

}  // namespace seatlock::edge
