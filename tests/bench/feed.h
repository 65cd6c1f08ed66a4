// The plain TCP connection over which a peer is given its changes. Thread-compatible.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace seatlock::bench {

class Feed {
 public:
  Feed() = default;
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Connects to "127.0.0.1:PORT", and tries again until somebody listens there. Blocks;
  // kDeadlineExceeded.
  absl::Status Connect(const std::string& address, std::chrono::milliseconds timeout);
  // Sends `bytes` with one call, after what was answered so far has been thrown away. Blocks while
  // the peer takes nothing.
  void Write(std::string_view bytes);

 private:
  int fd_ = -1;
};

// A TCP port of 127.0.0.1 that nobody listens on now, for programs that cannot choose one.
int FreePort();

}  // namespace seatlock::bench
