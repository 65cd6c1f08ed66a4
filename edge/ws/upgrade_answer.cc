#include "edge/ws/upgrade_answer.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstddef>
#include <sstream>
#include <utility>

namespace seatlock::edge {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr unsigned kHttp11 = 11;
constexpr const char* kServer = "seatlock-edge";
constexpr const char* kRetryAfterSeconds = "5";

// Beast answers the upgrade to a stream; this one keeps what is written to it.
class Written {
 public:
  using executor_type = net::io_context::executor_type;

  explicit Written(const executor_type& executor) : executor_(executor) {}

  executor_type get_executor() { return executor_; }

  template <typename Buffers>
  size_t write_some(const Buffers& buffers, error_code& ec) {
    ec = {};
    bytes_.append(net::buffers_begin(buffers), net::buffers_end(buffers));
    return net::buffer_size(buffers);
  }
  template <typename Buffers>
  size_t write_some(const Buffers& buffers) {
    error_code ignored;
    return write_some(buffers, ignored);
  }
  template <typename Buffers>
  size_t read_some(const Buffers&, error_code& ec) {
    ec = net::error::eof;
    return 0;
  }
  template <typename Buffers>
  size_t read_some(const Buffers&) {
    return 0;
  }

  std::string Take() { return std::move(bytes_); }

 private:
  executor_type executor_;
  std::string bytes_;
};

}  // namespace

std::string AcceptAnswer(const net::io_context::executor_type& executor,
                         const UpgradeRequest& request, std::string_view subprotocol) {
  websocket::stream<Written> stream(executor);
  stream.set_option(
      websocket::stream_base::decorator([subprotocol](websocket::response_type& response) {
        response.set(http::field::server, kServer);
        if (!subprotocol.empty()) {
          response.set(http::field::sec_websocket_protocol,
                       beast::string_view(subprotocol.data(), subprotocol.size()));
        }
      }));
  error_code ec;
  stream.accept(request, ec);
  return stream.next_layer().Take();
}

std::string RefusalAnswer(int status, std::string_view message) {
  http::response<http::string_body> response(static_cast<http::status>(status), kHttp11);
  response.set(http::field::server, kServer);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  if (status == 426) {
    response.set(http::field::upgrade, "websocket");
    response.set(http::field::sec_websocket_version, "13");
  }
  if (status == 405) response.set(http::field::allow, "GET");
  if (status == 429 || status == 503) response.set(http::field::retry_after, kRetryAfterSeconds);
  response.keep_alive(false);
  // Upgrade is a header for the next hop, so Connection names it (RFC 9110, 7.8).
  if (status == 426) response.set(http::field::connection, "close, upgrade");
  response.body() = std::string(message) + "\n";
  response.prepare_payload();
  std::ostringstream text;
  text << response;
  return text.str();
}

}  // namespace seatlock::edge
