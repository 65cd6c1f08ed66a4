// The seat service that the benchmark's edge watches: WatchShowtime over real gRPC, current state
// and changes as they are said, without history. Unlike the tests' FakeService it keeps no thread a
// stream, which a few hundred rooms on the crowd's core would be slowed by. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "seatlock/v1/seatlock_service.pb.h"

namespace seatlock::bench {

class WatchFeed {
 public:
  // Serves on a free port of loopback.
  WatchFeed();
  ~WatchFeed();
  WatchFeed(const WatchFeed&) = delete;
  WatchFeed& operator=(const WatchFeed&) = delete;

  // "127.0.0.1:PORT".
  std::string address() const;

  // The next change of a showtime; epoch and revision are filled in.
  void Say(const std::string& showtime_id, v1::Change change);

 private:
  class Service;
  class Stream;

  std::unique_ptr<Service> service_;
};

}  // namespace seatlock::bench
