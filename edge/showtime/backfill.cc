#include "edge/showtime/backfill.h"

#include <utility>

namespace seatlock::edge {

Backfill::Backfill(std::string showtime_id, Position from, std::function<void()> on_news)
    : showtime_id_(std::move(showtime_id)), from_(std::move(from)), on_news_(std::move(on_news)) {}

void Backfill::Start(Upstream& upstream) {
  watch_ = upstream.Follow(showtime_id_, this);
}

void Backfill::OnSnapshot(SnapshotPart part) {
  head_ = std::move(part.position);
  Tell(State::kReplaced);
}

void Backfill::OnChange(Change change) {
  if (!Follows(change.position)) {
    Tell(State::kBroken);
    return;
  }
  head_ = change.position;
  entries_.push_back(MakeEntry(showtime_id_, std::move(change)));
  bytes_ += entries_.back()->bytes() + sizeof(EntryPtr);
  Tell(State::kRunning);
}

void Backfill::OnProgress(const Position& position) {
  const bool nothing_yet = position.revision == 0 && Last().revision > 0;
  const bool here = position == Last() || (position.revision == 0 && Last().revision == 0);
  head_ = position;
  Tell(nothing_yet ? State::kReplaced : here ? State::kRunning : State::kBroken);
}

void Backfill::OnLost() {
  Tell(State::kBroken);
}

void Backfill::OnRefused(const Refusal&) {
  Tell(State::kRefused);
}

const Position& Backfill::Last() const {
  return entries_.empty() ? from_ : entries_.back()->change.position;
}

bool Backfill::Follows(const Position& position) const {
  if (position.revision != Last().revision + 1) return false;
  // A showtime gets its epoch with its first change.
  return Last().revision == 0 || position.epoch == Last().epoch;
}

// A copy: on_news_ may destroy this, and itself with it.
void Backfill::Tell(State state) {
  if (state_ == State::kRunning) state_ = state;
  const std::function<void()> on_news = on_news_;
  on_news();
}

}  // namespace seatlock::edge
