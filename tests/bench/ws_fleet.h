// Many browsers on one thread: plain sockets and epoll, just enough WebSocket to subscribe and to
// see frames arrive. Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace seatlock::bench {

class WsFleet {
 public:
  WsFleet();
  ~WsFleet();
  WsFleet(const WsFleet&) = delete;
  WsFleet& operator=(const WsFleet&) = delete;

  // Opens `count` connections to "127.0.0.1:PORT" that subscribe to `showtime`, and waits until
  // each has its current_seat_status.
  absl::Status Open(const std::string& address, int count, const std::string& showtime);

  // Waits until every connection has received `text` once more since the call before.
  absl::Status WaitForAll(std::string_view text, std::chrono::milliseconds timeout);

 private:
  struct Browser {
    int fd = -1;
    bool seen = false;
    std::string unread;  // what arrived since the text was seen
  };

  // Takes in what has arrived; false where the connection ended.
  static bool Receive(Browser& browser);

  const int epoll_;
  std::vector<Browser> browsers_;
};

}  // namespace seatlock::bench
