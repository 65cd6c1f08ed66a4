// Which states of a showtime an answer may rest on, from the times at which everybody asked and was
// answered. Thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace seatlock::testing {

// Revisions, both ends included; empty if first > last.
struct Window {
  uint64_t first = 0;
  uint64_t last = 0;

  bool Has(uint64_t revision) const { return first <= revision && revision <= last; }
};

// First Answered and Asked for all there is, then Close, then Of.
class Windows {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // At `time` somebody knew that `revision` is in the history.
  void Answered(Time time, uint64_t revision) { answered_.emplace_back(time, revision); }
  // Nobody asked for the change of `revision` before `time`.
  void Asked(Time time, uint64_t revision) { asked_.emplace_back(time, revision); }

  // `end`: the last revision.
  void Close(uint64_t end) {
    end_ = end;
    std::sort(answered_.begin(), answered_.end());
    std::sort(asked_.begin(), asked_.end());
    // From here on: the highest revision answered by a time, the lowest one asked from a time on.
    for (size_t i = 1; i < answered_.size(); ++i) {
      answered_[i].second = std::max(answered_[i].second, answered_[i - 1].second);
    }
    for (size_t i = asked_.size(); i-- > 1;) {
      asked_[i - 1].second = std::min(asked_[i - 1].second, asked_[i].second);
    }
  }

  // The states of an answer that was asked for and came at these times. The first one holds all
  // that anybody knew before the question, the last one no change that was asked for after the
  // answer.
  Window Of(Time asked, Time answered) const {
    Window window{.first = 0, .last = end_};
    const auto known =
        std::lower_bound(answered_.begin(), answered_.end(), std::pair(asked, uint64_t{0}));
    if (known != answered_.begin()) window.first = std::prev(known)->second;
    const auto later =
        std::upper_bound(asked_.begin(), asked_.end(), std::pair(answered, UINT64_MAX));
    if (later != asked_.end()) window.last = std::min(end_, later->second - 1);
    return window;
  }

 private:
  uint64_t end_ = 0;
  std::vector<std::pair<Time, uint64_t>> answered_;  // by time
  std::vector<std::pair<Time, uint64_t>> asked_;     // by time
};

}  // namespace seatlock::testing
