#include "edge/ws/drain.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "edge/core/limits.h"

namespace seatlock::edge {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

constexpr size_t kBufferBytes = 16 * 1024;

class Drain : public std::enable_shared_from_this<Drain> {
 public:
  Drain(boost::beast::tcp_stream& stream, std::shared_ptr<void> owner)
      : stream_(stream), owner_(std::move(owner)), buffer_(kBufferBytes) {}

  void Read() {
    stream_.async_read_some(net::buffer(buffer_),
                            [self = shared_from_this()](const error_code& ec, size_t) {
                              if (ec) {
                                self->stream_.close();
                              } else {
                                self->Read();
                              }
                            });
  }

 private:
  boost::beast::tcp_stream& stream_;
  const std::shared_ptr<void> owner_;
  std::vector<char> buffer_;
};

}  // namespace

void DrainAndClose(boost::beast::tcp_stream& stream, std::shared_ptr<void> owner) {
  error_code ignored;
  stream.socket().shutdown(net::ip::tcp::socket::shutdown_send, ignored);
  stream.expires_after(std::chrono::milliseconds(kDrainReadMsMax));
  std::make_shared<Drain>(stream, std::move(owner))->Read();
}

}  // namespace seatlock::edge
