#include "common/runtime/health.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace seatlock::runtime {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace net = boost::asio;
using tcp = net::ip::tcp;

constexpr size_t kBodyBytesMax = 64 << 10;  // a page of a few lines
constexpr auto kAwait = net::as_tuple(net::use_awaitable);

HostPort Reachable(const HostPort& listen) {
  if (listen.host == "0.0.0.0") return {"127.0.0.1", listen.port};
  if (listen.host == "::") return {"::1", listen.port};
  return listen;
}

absl::Status Unreachable(const HostPort& at, const std::string& why) {
  return absl::UnavailableError(absl::StrCat(at.ToString(), " does not answer: ", why));
}

absl::Status ReadAnswer(const http::response<http::string_body>& answer) {
  if (answer.result() == http::status::ok) return absl::OkStatus();
  const std::string& body = answer.body();
  return absl::UnavailableError(
      absl::StrCat(answer.result_int(), " ", body.substr(0, body.find('\n'))));
}

net::awaitable<absl::Status> Ask(const HostPort at) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  tcp::resolver resolver(executor);
  const auto [not_found, addresses] =
      co_await resolver.async_resolve(at.host, std::to_string(at.port), kAwait);
  if (not_found) co_return Unreachable(at, not_found.message());
  beast::tcp_stream stream(executor);
  const auto [refused, address] = co_await stream.async_connect(addresses, kAwait);
  if (refused) co_return Unreachable(at, refused.message());
  http::request<http::empty_body> request(http::verb::get, "/readyz", 11);
  request.set(http::field::host, at.ToString());
  request.keep_alive(false);
  const auto [unsent, sent] = co_await http::async_write(stream, request, kAwait);
  if (unsent) co_return Unreachable(at, unsent.message());
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kBodyBytesMax);
  const auto [unread, read] = co_await http::async_read(stream, buffer, parser, kAwait);
  if (unread) co_return Unreachable(at, unread.message());
  co_return ReadAnswer(parser.get());
}

}  // namespace

absl::Status AskReadiness(const HostPort& admin_listen, std::chrono::milliseconds deadline) {
  const HostPort at = Reachable(admin_listen);
  std::optional<absl::Status> answer;
  net::io_context io;
  net::co_spawn(io, Ask(at), [&](const std::exception_ptr& thrown, absl::Status status) {
    // It throws if there is no memory or no descriptor; the status says OK then.
    answer = thrown ? Unreachable(at, "it could not be asked") : std::move(status);
  });
  io.run_for(deadline);
  if (answer.has_value()) return *std::move(answer);
  return Unreachable(at, absl::StrCat("nothing within ", deadline.count(), " ms"));
}

int RunHealth(std::string_view program, const HostPort& admin_listen) {
  const absl::Status ready = AskReadiness(admin_listen);
  const std::string line =
      absl::StrCat(std::string(program), ": ", ready.ok() ? "ready" : ready.message(), "\n");
  std::fputs(line.c_str(), ready.ok() ? stdout : stderr);
  return ready.ok() ? 0 : 1;
}

}  // namespace seatlock::runtime
