#include "clients/cli/operate/http.h"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "clients/cli/operate/limits.h"
#include "clients/cli/operate/text.h"
#include "common/base/look_up.h"
#include "common/runtime/net.h"

namespace seatlock::cli::operate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using std::chrono::milliseconds;
using tcp = asio::ip::tcp;

constexpr char kIdleShowtime[] = "seatctl-doctor";

milliseconds Since(Deadline start) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
}

// In words that need no asio to understand.
std::string Words(const error_code& error) {
  if (error == asio::error::timed_out) return "no answer in time";
  if (error == asio::error::connection_refused) return "connection refused: nothing listens there";
  if (error == asio::error::eof || error == http::error::end_of_stream ||
      error == http::error::partial_message) {
    return "the connection was closed without a whole answer";
  }
  if (error == http::error::body_limit || error == http::error::header_limit) {
    return "the answer is too long for one of SeatLock's pages";
  }
  if (error.category() == make_error_code(http::error::bad_version).category()) {
    return "what answers there does not speak HTTP";
  }
  return Clean(error.message());
}

// Asks the system on a thread that nobody waits for beyond the deadline: it may take half a minute
// if no name server answers. It ends by itself, and touches only what it holds.
absl::StatusOr<std::vector<std::string>> LookUp(const std::string& host, Deadline deadline) {
  if (base::IsHostAddress(host)) return std::vector<std::string>{host};
  using Found = absl::StatusOr<std::vector<std::string>>;
  auto promise = std::make_shared<std::promise<Found>>();
  std::future<Found> found = promise->get_future();
  std::thread([promise, host] { promise->set_value(base::LookUpHost(host)); }).detach();
  if (found.wait_until(deadline) != std::future_status::ready) {
    return absl::UnavailableError(absl::StrCat("the name ", host, " was not looked up in time"));
  }
  Found addresses = found.get();
  if (addresses.ok()) return addresses;
  return absl::UnavailableError(
      absl::StrCat("cannot look up ", host, ": ", addresses.status().message()));
}

// Runs one step after the other, none beyond the deadline.
class Steps {
 public:
  explicit Steps(Deadline deadline) : deadline_(deadline) {}

  asio::io_context& io() { return io_; }
  void set_deadline(Deadline deadline) { deadline_ = deadline; }

  // `start` begins one asynchronous operation with the handler that it is given. If that is not
  // done by the deadline, `socket` is closed, and the error is timed_out.
  template <typename Start>
  error_code Run(tcp::socket& socket, Start start) {
    error_code result;
    bool done = false;
    start([&](error_code error, auto&&...) {
      result = error;
      done = true;
    });
    io_.restart();
    io_.run_until(deadline_);
    if (done) return result;
    error_code ignored;
    socket.close(ignored);
    io_.restart();
    io_.run();
    return asio::error::timed_out;
  }

  // Connects `socket` to the first address of `where` that takes it.
  absl::Status Connect(tcp::socket& socket, const base::HostPort& where) {
    const auto addresses = LookUp(where.host, deadline_);
    if (!addresses.ok()) return addresses.status();
    std::vector<tcp::endpoint> endpoints;
    for (const std::string& address : *addresses) {
      error_code error;
      const auto ip = asio::ip::make_address(address, error);
      if (!error) endpoints.emplace_back(ip, where.port);
    }
    if (endpoints.empty()) return absl::UnavailableError("it has no address");
    const error_code error = Run(
        socket, [&](auto handler) { asio::async_connect(socket, endpoints, std::move(handler)); });
    return error ? absl::UnavailableError(Words(error)) : absl::OkStatus();
  }

 private:
  Deadline deadline_;
  asio::io_context io_;
};

template <typename Stream>
void SetUp(Stream& ws, const WsUrl& url, int* pings) {
  ws.read_message_max(kFirstMessageBytesMax);
  ws.set_option(websocket::stream_base::decorator([origin = url.Origin()](auto& request) {
    request.set(http::field::origin, origin);
    request.set(http::field::user_agent, "seatctl");
  }));
  ws.control_callback([pings](websocket::frame_type kind, beast::string_view) {
    if (kind == websocket::frame_type::ping) ++*pings;
  });
}

// Subscribes, and reads what comes until the time is over or the connection is.
template <typename Stream>
void Hold(Steps& steps, tcp::socket& socket, Stream& ws, milliseconds idle, WsTry* tried) {
  const Deadline start = std::chrono::steady_clock::now();
  steps.set_deadline(start + idle);
  const std::string subscribe =
      absl::StrCat(R"({"type":"subscribe","showtimeId":")", kIdleShowtime, "\"}");
  error_code error = steps.Run(
      socket, [&](auto handler) { ws.async_write(asio::buffer(subscribe), std::move(handler)); });
  while (!error) {
    beast::flat_buffer message;
    error = steps.Run(socket, [&](auto handler) { ws.async_read(message, std::move(handler)); });
  }
  tried->held_ms = Since(start).count();
  if (error == asio::error::timed_out) return;
  tried->ended = error == websocket::error::closed ? absl::StrCat("closed with ", ws.reason().code)
                                                   : Words(error);
}

// From the handshake of the WebSocket on.
template <typename Stream>
void TryOver(Steps& steps, tcp::socket& socket, Stream& ws, const WsUrl& url, milliseconds idle,
             WsTry* tried) {
  const Deadline start = std::chrono::steady_clock::now();
  SetUp(ws, url, &tried->pings);
  websocket::response_type answer;
  error_code error = steps.Run(socket, [&](auto handler) {
    ws.async_handshake(answer, url.Host(), url.target, std::move(handler));
  });
  // Without an answer it is what it was made with, 200.
  const bool answered = !error || error == websocket::error::upgrade_declined;
  if (answered) tried->status = static_cast<int>(answer.result_int());
  const auto server = answer[http::field::server];
  tried->server = Clean({server.data(), server.size()});
  if (error == websocket::error::upgrade_declined) {
    tried->error = absl::StrCat("HTTP ", tried->status, " in place of the upgrade");
    return;
  }
  beast::flat_buffer message;
  if (!error) {
    error = steps.Run(socket, [&](auto handler) { ws.async_read(message, std::move(handler)); });
  }
  tried->opened_ms = Since(start).count();
  if (error) {
    tried->error = Words(error);
    return;
  }
  tried->first_message = Clean(beast::buffers_to_string(message.data()));
  if (idle.count() > 0) Hold(steps, socket, ws, idle, tried);
}

void TryTls(Steps& steps, const WsUrl& url, milliseconds idle, WsTry* tried) {
  ssl::context context(ssl::context::tls_client);
  error_code error;
  context.set_default_verify_paths(error);
  context.set_verify_mode(ssl::verify_peer, error);
  context.set_verify_callback(ssl::host_name_verification(url.where.host), error);
  websocket::stream<beast::ssl_stream<tcp::socket>> ws(steps.io(), context);
  tcp::socket& socket = beast::get_lowest_layer(ws);
  if (const absl::Status status = steps.Connect(socket, url.where); !status.ok()) {
    tried->error = std::string(status.message());
    return;
  }
  ::SSL_set_tlsext_host_name(ws.next_layer().native_handle(), url.where.host.c_str());
  error = steps.Run(socket, [&](auto handler) {
    ws.next_layer().async_handshake(ssl::stream_base::client, std::move(handler));
  });
  if (error) {
    tried->error = absl::StrCat("TLS: ", Words(error));
    return;
  }
  TryOver(steps, socket, ws, url, idle, tried);
}

void TryPlain(Steps& steps, const WsUrl& url, milliseconds idle, WsTry* tried) {
  websocket::stream<tcp::socket> ws(steps.io());
  tcp::socket& socket = ws.next_layer();
  if (const absl::Status status = steps.Connect(socket, url.where); !status.ok()) {
    tried->error = std::string(status.message());
    return;
  }
  TryOver(steps, socket, ws, url, idle, tried);
}

}  // namespace

absl::StatusOr<HttpAnswer> HttpGet(const base::HostPort& where, const std::string& path,
                                   Deadline deadline) {
  Steps steps(deadline);
  tcp::socket socket(steps.io());
  if (absl::Status status = steps.Connect(socket, where); !status.ok()) return status;
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, where.ToString());
  request.set(http::field::user_agent, "seatctl");
  request.keep_alive(false);
  error_code error = steps.Run(
      socket, [&](auto handler) { http::async_write(socket, request, std::move(handler)); });
  if (error) return absl::UnavailableError(Words(error));
  http::response_parser<http::string_body> parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(kPageBytesMax);
  beast::flat_buffer buffer;
  error = steps.Run(
      socket, [&](auto handler) { http::async_read(socket, buffer, parser, std::move(handler)); });
  if (error) return absl::UnavailableError(Words(error));
  return HttpAnswer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

std::string WsUrl::Host() const {
  const bool usual = where.port == (tls ? 443 : 80);
  const std::string all = where.ToString();
  return usual ? all.substr(0, all.rfind(':')) : all;
}

std::string WsUrl::Origin() const {
  return absl::StrCat(tls ? "https://" : "http://", Host());
}

absl::StatusOr<WsUrl> ParseWsUrl(std::string_view text) {
  const auto wrong = [&] {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be a URL such as wss://seats.example/ws/seat-updates (got '", Clean(text), "')"));
  };
  const auto url = boost::urls::parse_uri({text.data(), text.size()});
  if (!url || (url->scheme() != "ws" && url->scheme() != "wss")) return wrong();
  if (url->host_address().empty() || url->has_userinfo() || url->has_fragment()) return wrong();
  WsUrl parsed;
  parsed.tls = url->scheme() == "wss";
  const std::string host = url->host_address();
  parsed.where.host = host;
  parsed.where.port = parsed.tls ? 443 : 80;
  if (url->has_port()) {
    const auto digits = url->port();
    const auto port = runtime::ParsePort({digits.data(), digits.size()});
    if (!port.ok() || *port == 0) return wrong();
    parsed.where.port = *port;
  }
  const auto target = url->encoded_target();
  parsed.target = target.empty() ? "/" : std::string(target.data(), target.size());
  return parsed;
}

WsTry TryWebSocket(const WsUrl& url, Deadline deadline, milliseconds idle) {
  Steps steps(deadline);
  WsTry tried;
  if (url.tls) {
    TryTls(steps, url, idle, &tried);
  } else {
    TryPlain(steps, url, idle, &tried);
  }
  return tried;
}

}  // namespace seatlock::cli::operate
