// Somebody who asks for a whole showtime again and again, at fixed times, whatever the answers do.
// Takes the answers as bytes and does not parse them. Thread-compatible.
#pragma once

#include <grpcpp/generic/generic_stub.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace seatlock::bench {

struct PollResult {
  uint64_t asked = 0;
  uint64_t answered = 0;
  size_t smallest_bytes = SIZE_MAX;
};

class Poller {
 public:
  // Asks `address` for `showtime` `per_second` times a second from now on.
  Poller(const std::string& address, const std::string& showtime, int per_second);
  ~Poller();

  // Asks no more, waits for the answers that are due, and says how it went.
  PollResult Stop();

 private:
  struct State;

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace seatlock::bench
