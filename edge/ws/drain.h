// Ends a connection whose peer may still be sending: closing a socket on unread bytes resets it,
// and the peer loses what we said last, the close frame with its code.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <memory>
#include <utility>

namespace seatlock::edge {

// A TCP stream that Beast's WebSocket leaves open at the end of the conversation. Its own teardown
// reads one buffer and closes (1.81), which resets a peer that is still sending.
class LeftOpenStream : public boost::beast::tcp_stream {
 public:
  explicit LeftOpenStream(boost::beast::tcp_stream stream)
      : boost::beast::tcp_stream(std::move(stream)) {}
};

// Found by Beast through argument-dependent lookup.
template <typename Handler>
void async_teardown(boost::beast::role_type, LeftOpenStream& stream, Handler&& handler) {
  boost::asio::post(stream.get_executor(),
                    boost::beast::bind_front_handler(std::forward<Handler>(handler),
                                                     boost::system::error_code{}));
}

// Says that nothing more will be sent, reads and forgets until the peer closes or kDrainReadMsMax
// have passed, then closes. `owner` keeps `stream` alive meanwhile. Strand-bound.
void DrainAndClose(boost::beast::tcp_stream& stream, std::shared_ptr<void> owner);

}  // namespace seatlock::edge
