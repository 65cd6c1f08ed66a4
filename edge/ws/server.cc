#include "edge/ws/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/detail/socket_option.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "edge/limits.h"
#include "edge/ws/handshake.h"

namespace seatlock::edge {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

namespace {

void SharePort(Acceptor& acceptor, error_code& ec) {
  const int on = 1;
  if (::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0) {
    ec = error_code(errno, boost::system::system_category());
  }
}

// What the kernel may hold of a connection, which no budget of ours counts: a peer that does not
// read, or whose acknowledgements never come, would be given 4 MB (net.ipv4.tcp_wmem) to fill.
void BoundSendBuffer(Acceptor& acceptor, error_code& ec) {
  using NotSent = net::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>;
  acceptor.set_option(net::socket_base::send_buffer_size(kSendBufferBytes), ec);
  if (!ec) acceptor.set_option(NotSent(kNotSentBytes), ec);
}

// The first one binds before it shares its port, so that it fails where the port is taken, even by
// one who shares it too: only the others of this process come after.
Acceptor ListenOne(net::io_context& io, const tcp::endpoint& endpoint, bool first, error_code& ec) {
  Acceptor acceptor(io.get_executor());
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(net::socket_base::reuse_address(true), ec);
  // Connections inherit these.
  if (!ec) acceptor.set_option(tcp::no_delay(true), ec);
  if (!ec) BoundSendBuffer(acceptor, ec);
  if (!ec && !first) SharePort(acceptor, ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec && first) SharePort(acceptor, ec);
  if (!ec) acceptor.listen(kListenBacklog, ec);
  if (!ec) acceptor.non_blocking(true, ec);
  return acceptor;
}

}  // namespace

absl::StatusOr<std::vector<Acceptor>> Listen(std::span<net::io_context* const> ios,
                                             const std::string& host, uint16_t port) {
  error_code ec;
  tcp::resolver resolver(*ios.front());
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  std::vector<Acceptor> acceptors;
  if (!ec && !found.empty()) {
    tcp::endpoint endpoint = *found.begin();
    for (net::io_context* io : ios) {
      acceptors.push_back(ListenOne(*io, endpoint, acceptors.empty(), ec));
      if (ec) break;
      endpoint = acceptors.front().local_endpoint();
    }
  }
  if (!ec && !acceptors.empty()) return acceptors;
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", host, ":", port, ": ", ec.message()));
}

Server::Server(Acceptor acceptor, ServerContext& context, Hub& hub)
    : acceptor_(std::move(acceptor)), context_(context) {
  context_.hub = &hub;
  Wait();
  Tick();
}

Server::~Server() {
  context_.hub = nullptr;
  StopAccepting();
}

void Server::StopAccepting() {
  error_code ignored;
  acceptor_.close(ignored);
}

void Server::Wait() {
  acceptor_.async_wait(Acceptor::wait_read,
                       [weak = std::weak_ptr<Server*>(self_)](const error_code& ec) {
                         const auto self = weak.lock();
                         if (!self || !(*self)->acceptor_.is_open()) return;
                         if (!ec && (*self)->Accept()) {
                           (*self)->Wait();
                         } else {
                           (*self)->Pause();
                         }
                       });
}

bool Server::Accept() {
  for (int turn = 0; turn < kAcceptsATurn; ++turn) {
    const int64_t now_ms = context_.clock.MonotonicMs();
    if (!context_.handshake_places.HasPlace(now_ms) && !context_.admission.HasSocket()) {
      return false;
    }
    Socket socket(acceptor_.get_executor());
    tcp::endpoint peer;
    error_code ec;
    acceptor_.accept(socket, peer, ec);
    if (ec) return ec == net::error::would_block;
    const bool descriptors_free = context_.admission.HasSocket();
    const AddressKey address = context_.admission.HandshakeKeyOf(peer.address());
    // A crowd may have left more than there are places: two go for each that comes.
    for (int i = 0; i < 2; ++i) {
      Handshake* const in_the_way =
          context_.handshake_places.InTheWay(address, now_ms, descriptors_free);
      if (in_the_way != nullptr) in_the_way->GiveWay();
    }
    std::make_shared<Handshake>(std::move(socket), peer.address(), context_)->Start(address);
  }
  return true;
}

// Out of descriptors, memory or places: others may give some back.
void Server::Pause() {
  context_.timers.After(kAcceptPauseMs, [weak = std::weak_ptr<Server*>(self_)] {
    const auto self = weak.lock();
    if (self && (*self)->acceptor_.is_open()) (*self)->Wait();
  });
}

void Server::Tick() {
  context_.handshakes.Advance(context_.clock.MonotonicMs(),
                              [](Handshake& handshake) { handshake.OnDue(); });
  context_.timers.After(kTickMs, [weak = std::weak_ptr<Server*>(self_)] {
    if (const auto self = weak.lock()) (*self)->Tick();
  });
}

}  // namespace seatlock::edge
