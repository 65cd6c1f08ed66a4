// What a source stands on, and a listener that writes down what it hears in a few words: "image
// e/3 live", "entry e/4", "away", "trimmed to 7", "missed after e/4: 5 6", "snapshot after e/4",
// "refused". Thread-compatible.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "edge/showtime/source_env.h"
#include "edge/showtime/source_listener.h"
#include "tests/testing/edge_fakes.h"
#include "tests/testing/fake_clock.h"

namespace seatlock::testing {

struct FeedWords {
  static std::string Of(const edge::FeedEvent& event) { return std::visit(FeedWords(), event); }
  static std::string Of(const edge::Position& position) {
    return position.epoch + "/" + std::to_string(position.revision);
  }
  static std::string Of(edge::FeedStatus status) {
    if (status == edge::FeedStatus::kLive) return "live";
    return status == edge::FeedStatus::kAway ? "away" : "connecting";
  }

  std::string operator()(const edge::FeedImage& image) const {
    return "image " + (image.image->known ? Of(image.image->position) : "unknown") + " " +
           Of(image.status);
  }
  std::string operator()(const edge::FeedEntry& entry) const {
    return "entry " + Of(entry.entry->change.position);
  }
  std::string operator()(const edge::FeedTrimmed& trimmed) const {
    return "trimmed to " + std::to_string(trimmed.base);
  }
  std::string operator()(const edge::FeedState& state) const { return Of(state.status); }
  std::string operator()(const edge::FeedResume& resume) const {
    if (!resume.missed) return "snapshot after " + Of(resume.position);
    std::string words = "missed after " + Of(resume.position) + ":";
    for (const edge::EntryPtr& entry : *resume.missed) {
      // What is older is there for others.
      if (entry->revision() <= resume.position.revision) continue;
      words += " " + std::to_string(entry->revision());
    }
    return words;
  }
  std::string operator()(const edge::FeedRefused&) const { return "refused"; }
};

class FakeSourceListener final : public edge::SourceListener {
 public:
  void Hear(edge::FeedEvent event) override { events.push_back(std::move(event)); }
  bool Full() const override { return full; }

  // In words, since the last Take().
  std::vector<std::string> Take() {
    std::vector<std::string> words;
    for (const edge::FeedEvent& event : std::exchange(events, {})) {
      words.push_back(FeedWords::Of(event));
    }
    return words;
  }

  std::vector<edge::FeedEvent> events;
  bool full = false;
};

// The home strand.
struct FakeHome {
  edge::SourceEnv env() { return {clock, timers, upstream, stats, history}; }

  FakeClock clock;
  FakeTimers timers{clock};
  FakeUpstream upstream;
  edge::Stats stats;
  edge::HistoryBudget history{stats};
};

// A lock of A<revision> by session s.
inline edge::Change ChangeAt(uint64_t revision, const std::string& epoch = "e") {
  const std::string seat_id = "A" + std::to_string(revision);
  return {{epoch, revision},
          7,
          edge::Cause::kLock,
          {{seat_id, edge::SeatStatus::kLocked, "s", 1'800'000'000'000}}};
}

// Plays the service: the changes of (from, to].
inline void SayChanges(edge::WatchSink& sink, uint64_t from, uint64_t to,
                       const std::string& epoch = "e") {
  for (uint64_t revision = from + 1; revision <= to; ++revision) {
    sink.OnChange(ChangeAt(revision, epoch));
  }
}

}  // namespace seatlock::testing
