// Follows one showtime through every crash, resuming by position. It notes for the judge what it
// was shown and when: snapshots, changes, and where each stream had caught up. Run has a thread of
// its own; the rest is for the test.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing/call.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/showtime_view.h"
#include "tests/testing/watch_stream.h"

namespace seatlock::testing {

class Follower {
 public:
  // Goes on with the next of `servers` each time a stream ends.
  Follower(std::string showtime, const std::vector<std::string>& servers)
      : showtime_(std::move(showtime)) {
    for (const std::string& address : servers) {
      clients_.push_back(std::make_unique<SeatLockClient>(address));
    }
  }

  // Ends once the view stands at `last_revision`, which is 0 until it is known.
  void Run() {
    while (problem_.empty() && !Done()) {
      RunStream();
      ++streams_;
    }
  }

  void FinishAt(uint64_t revision) { last_revision_ = revision; }
  void GiveUp() { given_up_ = true; }
  bool opened() const { return opened_; }
  uint64_t revision() const { return revision_; }
  // After Run.
  const ShowtimeView& view() const { return view_; }
  const std::vector<Call>& calls() const { return calls_; }
  const std::string& problem() const { return problem_; }
  int streams() const { return streams_; }

 private:
  void RunStream() {
    Call::Times times{.first_asked = std::chrono::steady_clock::now(),
                      .last_asked_ms = WallClockMs()};
    times.last_asked = times.first_asked;
    const bool fresh = view_.revision() == 0;
    WatchStream watch(clients_[streams_ % clients_.size()]->stub(), showtime_,
                      fresh ? std::nullopt : std::make_optional(view_.position()));
    bool begun = false;
    while (problem_.empty() && !Done()) {
      const auto message = watch.Next(std::chrono::milliseconds(100));
      if (!message.has_value()) {
        if (watch.WaitForEnd(std::chrono::milliseconds(0)).has_value()) return;
        continue;
      }
      times.answered = std::chrono::steady_clock::now();
      times.answered_ms = WallClockMs();
      const int snapshots = view_.snapshots();
      const absl::Status status = view_.Apply(*message);
      if (!status.ok()) problem_ = std::string(status.message());
      if (view_.snapshots() > snapshots) Note(ReadShowtime(), SaidOf(view_), times);
      if (message->has_change()) {
        Note(SeeChange(), {.revision = message->change().revision(), .facts = {}}, times);
      }
      if (message->has_progress() && !std::exchange(begun, true)) {
        Note(ReadHead(), {.revision = message->progress().revision(), .facts = {}}, times);
      }
      revision_ = view_.revision();
      opened_ = true;
    }
  }

  void Note(Question question, Said said, const Call::Times& times) {
    calls_.push_back({.showtime = showtime_,
                      .question = std::move(question),
                      .end = Call::End::kAnswered,
                      .said = std::move(said),
                      .times = times});
  }

  bool Done() const {
    return given_up_ || (last_revision_ > 0 && view_.revision() >= last_revision_);
  }

  const std::string showtime_;
  std::vector<std::unique_ptr<SeatLockClient>> clients_;
  ShowtimeView view_;
  std::vector<Call> calls_;
  std::string problem_;
  int streams_ = 0;
  std::atomic<uint64_t> revision_ = 0;
  std::atomic<bool> opened_ = false;
  std::atomic<uint64_t> last_revision_ = 0;
  std::atomic<bool> given_up_ = false;
};

}  // namespace seatlock::testing
