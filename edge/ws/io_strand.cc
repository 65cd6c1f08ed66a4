#include "edge/ws/io_strand.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

namespace seatlock::edge {

namespace net = boost::asio;

void IoStrand::Post(base::Task task) {
  net::post(io_, [task = std::move(task)]() mutable { std::move(task)(); });
}

void IoStrand::After(int64_t delay_ms, base::Task task) {
  auto timer = std::make_unique<net::steady_timer>(io_, std::chrono::milliseconds(delay_ms));
  net::steady_timer& ref = *timer;
  ref.async_wait([timer = std::move(timer),
                  task = std::move(task)](const boost::system::error_code& ec) mutable {
    if (!ec) std::move(task)();
  });
}

}  // namespace seatlock::edge
