#include "tests/testing/ws_client.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/parse.hpp>
#include <deque>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace seatlock::testing {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using net::ip::tcp;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

SteadyTime After(WsClient::Millis timeout) {
  return std::chrono::steady_clock::now() + timeout;
}

// Runs `io` until `done` or the deadline; false where the deadline came first.
template <typename Done>
bool RunUntil(net::io_context& io, SteadyTime deadline, Done done) {
  io.restart();
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (io.run_one_until(deadline) == 0) io.restart();
  }
  return true;
}

absl::Status Broken(std::string_view what, const error_code& ec) {
  return absl::UnavailableError(absl::StrCat(std::string(what), ": ", ec.message()));
}

absl::StatusOr<tcp::socket> ConnectTcp(net::io_context& io, const std::string& host, uint16_t port,
                                       int receive_buffer_bytes, SteadyTime deadline) {
  error_code ec;
  tcp::endpoint endpoint(net::ip::make_address(host, ec), port);
  if (ec) return Broken("bad address", ec);
  tcp::socket socket(io);
  socket.open(endpoint.protocol(), ec);
  if (receive_buffer_bytes > 0) {
    socket.set_option(net::socket_base::receive_buffer_size(receive_buffer_bytes), ec);
  }
  std::optional<error_code> result;
  socket.async_connect(endpoint, [&](error_code e) { result = e; });
  if (!RunUntil(io, deadline, [&] { return result.has_value(); })) {
    socket.close(ec);
    RunUntil(io, After(WsClient::kPatience), [&] { return result.has_value(); });
    return absl::DeadlineExceededError("connecting");
  }
  if (*result) return Broken("connecting", *result);
  socket.set_option(tcp::no_delay(true), ec);
  return socket;
}

HttpReply ToReply(const http::response<http::string_body>& response) {
  HttpReply reply;
  reply.status = response.result_int();
  for (const auto& field : response) {
    reply.headers.emplace_back(absl::AsciiStrToLower(std::string(field.name_string())),
                               std::string(field.value()));
  }
  reply.body = response.body();
  return reply;
}

}  // namespace

std::string HttpReply::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

struct WsClient::Impl {
  explicit Impl(tcp::socket socket) : stream(std::move(socket)) {
    stream.control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind == websocket::frame_type::ping) ++pings;
    });
  }

  // Keeps one read under way; its frames land in `frames`.
  void Read() {
    if (reading || closed) return;
    reading = true;
    stream.async_read(buffer, [this](error_code ec, size_t) {
      reading = false;
      if (ec) {
        closed = true;
        close_code = ec == websocket::error::closed ? stream.reason().code : 1006;
        why = ec.message();
        return;
      }
      frames.push_back(beast::buffers_to_string(buffer.data()));
      buffer.consume(buffer.size());
    });
  }

  // Reads frames until `done` or the deadline; what `done` then says.
  template <typename Done>
  bool Pump(SteadyTime deadline, Done done) {
    while (!done()) {
      Read();
      const bool in_time = RunUntil(*io, deadline, [&] { return done() || (!reading && !closed); });
      if (!in_time) return done();
    }
    return true;
  }

  absl::Status Write(std::string_view bytes, bool text) {
    stream.text(text);
    std::optional<error_code> result;
    stream.async_write(net::buffer(bytes.data(), bytes.size()),
                       [&](error_code ec, size_t) { result = ec; });
    if (!Pump(After(kPatience), [&] { return result.has_value(); })) {
      error_code ignored;
      beast::get_lowest_layer(stream).close(ignored);
      RunUntil(*io, After(kPatience), [&] { return result.has_value(); });
      return absl::DeadlineExceededError("writing");
    }
    return *result ? Broken("writing", *result) : absl::OkStatus();
  }

  // Ends whatever is still under way, so that no handler outlives this.
  void Abort() {
    error_code ignored;
    beast::get_lowest_layer(stream).close(ignored);
    RunUntil(*io, After(kPatience), [&] { return !reading; });
  }

  std::unique_ptr<net::io_context> io;
  websocket::stream<tcp::socket> stream;
  beast::flat_buffer buffer;
  std::deque<std::string> frames;
  std::string subprotocol;
  std::string why;
  bool reading = false;
  bool closed = false;
  int close_code = 0;
  int pings = 0;
};

WsClient::WsClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

WsClient::~WsClient() {
  impl_->Abort();
  // The stream goes before the context that it stands on.
  std::unique_ptr<net::io_context> io = std::move(impl_->io);
  impl_.reset();
}

absl::StatusOr<std::unique_ptr<WsClient>> WsClient::Connect(const std::string& host, uint16_t port,
                                                            const Options& options,
                                                            Millis timeout) {
  const SteadyTime deadline = After(timeout);
  auto io = std::make_unique<net::io_context>(1);
  absl::StatusOr<tcp::socket> socket =
      ConnectTcp(*io, host, port, options.receive_buffer_bytes, deadline);
  if (!socket.ok()) return socket.status();
  auto impl = std::make_unique<Impl>(*std::move(socket));
  impl->io = std::move(io);
  auto client = std::unique_ptr<WsClient>(new WsClient(std::move(impl)));
  Impl& self = *client->impl_;
  self.stream.read_message_max(64 << 20);
  self.stream.set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
    if (!options.subprotocol.empty()) {
      request.set(http::field::sec_websocket_protocol, options.subprotocol);
    }
    for (const auto& [name, value] : options.headers) request.set(name, value);
  }));
  websocket::response_type response;
  std::optional<error_code> result;
  self.stream.async_handshake(response, absl::StrCat(host, ":", port), options.path,
                              [&](error_code ec) { result = ec; });
  if (!RunUntil(*self.io, deadline, [&] { return result.has_value(); })) {
    error_code ignored;
    beast::get_lowest_layer(self.stream).close(ignored);
    RunUntil(*self.io, After(kPatience), [&] { return result.has_value(); });
    return absl::DeadlineExceededError("upgrading");
  }
  if (*result == websocket::error::upgrade_declined) {
    return absl::FailedPreconditionError(absl::StrCat("HTTP ", response.result_int()));
  }
  if (*result) return Broken("upgrading", *result);
  self.subprotocol = std::string(response[http::field::sec_websocket_protocol]);
  return client;
}

absl::StatusOr<HttpReply> WsClient::Http(const std::string& host, uint16_t port,
                                         const std::string& request, Millis timeout) {
  const SteadyTime deadline = After(timeout);
  net::io_context io(1);
  absl::StatusOr<tcp::socket> socket = ConnectTcp(io, host, port, 0, deadline);
  if (!socket.ok()) return socket.status();
  error_code ec;
  net::write(*socket, net::buffer(request), ec);
  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  std::optional<error_code> result;
  http::async_read(*socket, buffer, response, [&](error_code e, size_t) { result = e; });
  if (!RunUntil(io, deadline, [&] { return result.has_value(); })) {
    socket->close(ec);
    RunUntil(io, After(kPatience), [&] { return result.has_value(); });
    return absl::DeadlineExceededError("no HTTP answer");
  }
  if (*result) return Broken("reading the HTTP answer", *result);
  return ToReply(response);
}

const std::string& WsClient::subprotocol() const {
  return impl_->subprotocol;
}

absl::Status WsClient::SendText(std::string_view text) {
  return impl_->Write(text, true);
}

absl::Status WsClient::SendBinary(std::string_view bytes) {
  return impl_->Write(bytes, false);
}

absl::Status WsClient::SendRaw(std::string_view bytes) {
  std::optional<error_code> result;
  net::async_write(impl_->stream.next_layer(), net::buffer(bytes.data(), bytes.size()),
                   [&](error_code ec, size_t) { result = ec; });
  if (!impl_->Pump(After(kPatience), [&] { return result.has_value(); })) {
    impl_->Abort();
    RunUntil(*impl_->io, After(kPatience), [&] { return result.has_value(); });
    return absl::DeadlineExceededError("writing");
  }
  return *result ? Broken("writing", *result) : absl::OkStatus();
}

absl::StatusOr<std::string> WsClient::Next(Millis timeout) {
  impl_->Pump(After(timeout), [&] { return !impl_->frames.empty() || impl_->closed; });
  if (!impl_->frames.empty()) {
    std::string frame = std::move(impl_->frames.front());
    impl_->frames.pop_front();
    return frame;
  }
  if (!impl_->closed) return absl::DeadlineExceededError("no frame");
  return absl::AbortedError(absl::StrCat("closed ", impl_->close_code, " ", impl_->why));
}

absl::StatusOr<boost::json::object> WsClient::NextJson(Millis timeout) {
  absl::StatusOr<std::string> text = Next(timeout);
  if (!text.ok()) return text.status();
  error_code ec;
  boost::json::value value = boost::json::parse(*text, ec);
  if (ec || !value.is_object()) return absl::DataLossError(*text);
  return std::move(value.as_object());
}

absl::StatusOr<boost::json::object> WsClient::NextOfType(std::string_view type, Millis timeout) {
  const SteadyTime deadline = After(timeout);
  while (true) {
    const auto left = std::chrono::duration_cast<Millis>(deadline - After(Millis(0)));
    absl::StatusOr<boost::json::object> frame = NextJson(std::max(left, Millis(0)));
    if (!frame.ok()) return frame.status();
    const boost::json::value* found = frame->if_contains("type");
    if (found != nullptr && found->is_string() && found->get_string() == type) return frame;
  }
}

absl::StatusOr<int> WsClient::WaitForClose(Millis timeout) {
  const bool closed = impl_->Pump(After(timeout), [&] {
    impl_->frames.clear();
    return impl_->closed;
  });
  if (!closed) return absl::DeadlineExceededError("still open");
  return impl_->close_code;
}

int WsClient::close_code() const {
  return impl_->close_code;
}

int WsClient::pings() const {
  return impl_->pings;
}

void WsClient::Close() {
  if (impl_->closed) return;
  std::optional<error_code> result;
  impl_->stream.async_close(websocket::close_code::normal, [&](error_code ec) { result = ec; });
  if (!RunUntil(*impl_->io, After(kPatience), [&] { return result.has_value(); })) {
    impl_->Abort();
    RunUntil(*impl_->io, After(kPatience), [&] { return result.has_value(); });
  }
  impl_->closed = true;
}

}  // namespace seatlock::testing
