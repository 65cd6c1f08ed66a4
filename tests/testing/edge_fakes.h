// Stand-ins for what the edge's showtimes and rooms stand on: timers moved by hand, and a seat
// service that says what it is told to. Links and feeds are in hub_fakes.h. Thread-compatible.
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edge/showtime/upstream.h"
#include "edge/timers.h"
#include "tests/testing/fake_clock.h"

namespace seatlock::testing {

// Runs what has fallen due when time is moved, in order, each at its own time.
class FakeTimers final : public edge::Timers {
 public:
  explicit FakeTimers(FakeClock& clock) : clock_(clock) {}

  void After(int64_t delay_ms, base::Task task) override {
    tasks_.emplace(clock_.MonotonicMs() + delay_ms, std::move(task));
  }

  void AdvanceMs(int64_t ms) {
    const int64_t end_ms = clock_.MonotonicMs() + ms;
    while (!tasks_.empty() && tasks_.begin()->first <= end_ms) {
      auto node = tasks_.extract(tasks_.begin());
      clock_.AdvanceMs(node.key() - clock_.MonotonicMs());
      std::move(node.mapped())();
    }
    clock_.AdvanceMs(end_ms - clock_.MonotonicMs());
  }

 private:
  FakeClock& clock_;
  std::multimap<int64_t, base::Task> tasks_;
};

// Watches as tests drive them: call their sinks' methods to play the service. A showtime may have
// several at a time.
class FakeUpstream final : public edge::Upstream {
 public:
  struct Stream {
    edge::WatchSink* sink = nullptr;
    int restarts = 0;
  };

  std::unique_ptr<edge::Watch> Follow(const std::string& showtime_id,
                                      edge::WatchSink* sink) override {
    ++followed;
    const auto stream = std::make_shared<Stream>(Stream{sink, 0});
    std::vector<std::shared_ptr<Stream>>& streams = streams_[showtime_id];
    streams.push_back(stream);
    return std::make_unique<FakeWatch>(streams, stream);
  }

  // Of a showtime that is followed: its oldest watch, and its youngest.
  Stream& of(const std::string& showtime_id) { return *streams_.at(showtime_id).at(0); }
  edge::WatchSink& sink(const std::string& showtime_id) { return *of(showtime_id).sink; }
  edge::WatchSink& last(const std::string& showtime_id) {
    return *streams_.at(showtime_id).back()->sink;
  }
  size_t watches(const std::string& showtime_id) const {
    const auto found = streams_.find(showtime_id);
    return found == streams_.end() ? 0 : found->second.size();
  }
  bool Follows(const std::string& showtime_id) const { return watches(showtime_id) > 0; }

  int followed = 0;  // Watches so far, of all showtimes.

 private:
  struct FakeWatch final : edge::Watch {
    FakeWatch(std::vector<std::shared_ptr<Stream>>& all, std::shared_ptr<Stream> own)
        : streams(all), stream(std::move(own)) {}
    ~FakeWatch() override { std::erase(streams, stream); }
    void Restart() override { ++stream->restarts; }
    std::vector<std::shared_ptr<Stream>>& streams;
    const std::shared_ptr<Stream> stream;
  };

  std::map<std::string, std::vector<std::shared_ptr<Stream>>> streams_;
};

// The "type" of a frame.
inline std::string TypeOf(const std::string& frame) {
  return std::string(boost::json::parse(frame).at("type").as_string());
}

inline std::vector<std::string> TypesOf(const std::vector<std::string>& frames) {
  std::vector<std::string> types;
  for (const std::string& frame : frames) types.push_back(TypeOf(frame));
  return types;
}

}  // namespace seatlock::testing
