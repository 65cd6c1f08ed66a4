// What is answered to an HTTP request, as bytes for the socket. Functions; no socket here.
#pragma once

#include <boost/asio/io_context.hpp>
#include <string>
#include <string_view>

#include "edge/ws/upgrade.h"

namespace seatlock::edge {

// The 101 that makes a WebSocket of the connection. `request` passed CheckUpgrade. Nothing is run
// on `executor`; Beast wants one.
std::string AcceptAnswer(const boost::asio::io_context::executor_type& executor,
                         const UpgradeRequest& request, std::string_view subprotocol);

// Any other status, after which the connection ends.
std::string RefusalAnswer(int status, std::string_view message);

}  // namespace seatlock::edge
