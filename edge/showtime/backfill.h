// One short second watch of a showtime, from a position on: collects the changes after it as
// entries, and learns where the confirmed head of the showtime is. Decides nothing; its owner
// looks after each piece of news, and destroys it when it has seen enough. Strand-bound.
//
// Always holds: entries() are the changes after from(), without holes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "edge/protocol/entry.h"
#include "edge/protocol/events.h"
#include "edge/showtime/upstream.h"

namespace seatlock::edge {

class Backfill final : public WatchSink {
 public:
  enum class State {
    kRunning,
    kReplaced,  // The service has no history from there: it came with a snapshot, at head().
    kBroken,    // The stream was lost, or does not follow on from there. Nothing in it counts.
    kRefused,   // The service has no room for it now.
  };

  // `on_news` is called after each piece of news, and may destroy this.
  Backfill(std::string showtime_id, Position from, std::function<void()> on_news);

  // Begins to watch; once, after construction.
  void Start(Upstream& upstream);

  State state() const { return state_; }
  const Position& from() const { return from_; }
  const Entries& entries() const { return entries_; }
  Entries TakeEntries() { return std::move(entries_); }
  size_t bytes() const { return bytes_; }
  // Where the service has said that the showtime is, at least.
  const std::optional<Position>& head() const { return head_; }

  std::optional<Position> ResumeFrom() const override { return Last(); }
  void OnSnapshot(SnapshotPart part) override;
  void OnChange(Change change) override;
  void OnProgress(const Position& position) override;
  void OnLost() override;
  void OnRefused(const Refusal& refusal) override;

 private:
  const Position& Last() const;
  bool Follows(const Position& position) const;
  void Tell(State state);

  const std::string showtime_id_;
  const Position from_;
  const std::function<void()> on_news_;
  State state_ = State::kRunning;
  Entries entries_;
  size_t bytes_ = 0;
  std::optional<Position> head_;
  std::unique_ptr<Watch> watch_;
};

}  // namespace seatlock::edge
