// Stand-ins for what the edge's core stands on: timers moved by hand, and a seat service that says
// what it is told to. Links and feeds are in hub_fakes.h. Thread-compatible.
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

#include "edge/core/timers.h"
#include "edge/core/upstream.h"
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

// A watch as the room's test drives it: call sink's methods to play the service.
class FakeUpstream final : public edge::Upstream {
 public:
  struct Stream {
    edge::WatchSink* sink = nullptr;  // Null once the watch is gone.
    int restarts = 0;
  };

  std::unique_ptr<edge::Watch> Follow(const std::string& showtime_id,
                                      edge::WatchSink* sink) override {
    Stream& stream = streams_[showtime_id];
    stream = {sink, 0};
    return std::make_unique<FakeWatch>(stream);
  }

  // The stream of a showtime that was followed.
  Stream& of(const std::string& showtime_id) { return streams_.at(showtime_id); }
  edge::WatchSink& sink(const std::string& showtime_id) { return *of(showtime_id).sink; }
  bool Follows(const std::string& showtime_id) const {
    const auto found = streams_.find(showtime_id);
    return found != streams_.end() && found->second.sink != nullptr;
  }

 private:
  struct FakeWatch final : edge::Watch {
    explicit FakeWatch(Stream& s) : stream(s) {}
    ~FakeWatch() override { stream.sink = nullptr; }
    void Restart() override { ++stream.restarts; }
    Stream& stream;
  };

  std::map<std::string, Stream> streams_;
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
