#include "edge/ws/server.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "edge/ws/http_session.h"

namespace seatlock::edge {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

namespace {

// Out of descriptors or memory: others may give some back.
constexpr int64_t kAcceptPauseMs = 100;

absl::Status CannotListen(const std::string& host, uint16_t port, const error_code& ec) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", host, ":", port, ": ", ec.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Listen(net::io_context& io, const std::string& host,
                                                       uint16_t port, ServerContext context) {
  error_code ec;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  if (ec || found.empty()) return CannotListen(host, port, ec);
  const tcp::endpoint endpoint = *found.begin();
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(net::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(net::socket_base::max_listen_connections, ec);
  if (ec) return CannotListen(host, port, ec);
  auto server = std::unique_ptr<Server>(new Server(io, std::move(acceptor), std::move(context)));
  server->Accept();
  return server;
}

Server::Server(net::io_context& io, tcp::acceptor acceptor, ServerContext context)
    : io_(io),
      acceptor_(std::move(acceptor)),
      port_(acceptor_.local_endpoint().port()),
      context_(std::make_shared<ServerContext>(std::move(context))) {}

Server::~Server() {
  context_->hub = nullptr;
  StopAccepting();
}

void Server::StopAccepting() {
  error_code ignored;
  acceptor_.close(ignored);
}

void Server::Accept() {
  acceptor_.async_accept(io_, [this, context = context_](const error_code& ec, tcp::socket socket) {
    if (context->hub != nullptr) OnAccept(ec, std::move(socket));
  });
}

void Server::OnAccept(const error_code& ec, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (ec) {
    context_->timers->After(kAcceptPauseMs, [this, context = context_] {
      if (context->hub != nullptr && acceptor_.is_open()) Accept();
    });
    return;
  }
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  std::make_shared<HttpSession>(std::move(socket), context_)->Start();
  Accept();
}

}  // namespace seatlock::edge
