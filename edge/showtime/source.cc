#include "edge/showtime/source.h"

#include <algorithm>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

Source::Source(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id,
               std::function<void(const Refusal&)> on_refused)
    : env_(env),
      showtime_id_(std::move(showtime_id)),
      on_refused_(std::move(on_refused)),
      history_account_(env.history, static_cast<HistoryBudget::Keeper&>(*this)),
      resumes_(env, turns, showtime_id_, static_cast<Resumes::Host&>(*this)) {
  ++env_.stats.sources;
}

Source::~Source() {
  --env_.stats.sources;
  if (status() == FeedStatus::kAway) --env_.stats.sources_away;
}

void Source::Start() {
  watch_ = env_.upstream.Follow(showtime_id_, this);
  Enter(Stage::kStarting);
}

// ---- Listeners ---------------------------------------------------------------------------------

void Source::Add(SourceListener* listener) {
  listeners_.push_back(listener);
  listener->Hear(Image());
}

void Source::Remove(SourceListener* listener) {
  std::erase(listeners_, listener);
  resumes_.Forget(listener);
}

// What is asked while the stream is lost comes from a room that has not heard of that yet.
void Source::Resume(SourceListener* listener, const Position& position) {
  if (status() != FeedStatus::kAway) resumes_.Ask(listener, position);
}

bool Source::Full() const {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [](const SourceListener* listener) { return listener->Full(); });
}

// One for all who come at the same position; whoever needs it keeps it alive.
FeedImage Source::Image() {
  std::shared_ptr<const RoomImage> image = image_.lock();
  if (!image) {
    image = std::make_shared<const RoomImage>(state_.Image());
    image_ = image;
  }
  return {std::move(image), snapshots_, status()};
}

void Source::TellAll(const FeedEvent& event) {
  for (SourceListener* listener : listeners_) listener->Hear(event);
}

// ---- Stages ------------------------------------------------------------------------------------

FeedStatus Source::status() const {
  if (stage_ == Stage::kStarting) return FeedStatus::kConnecting;
  return stage_ == Stage::kLive ? FeedStatus::kLive : FeedStatus::kAway;
}

void Source::Enter(Stage next) {
  const bool was_away = status() == FeedStatus::kAway;
  stage_ = next;
  const bool is_away = status() == FeedStatus::kAway;
  if (was_away != is_away) env_.stats.sources_away += is_away ? 1 : -1;
  const bool waits = next == Stage::kStarting || next == Stage::kCatchingUp;
  ++entered_;
  if (!waits) return;
  const int64_t delay_ms = next == Stage::kStarting ? kLiveMsMax : kCatchUpMsMax;
  env_.timers.After(delay_ms, [weak = weak_from_this(), entered = entered_] {
    const std::shared_ptr<Source> self = weak.lock();
    if (self && self->entered_ == entered) self->StageIsOver();
  });
}

// Progress follows what was missed. A service that does not say it, as long as changes go on, is
// asked for a snapshot, which is complete by itself.
void Source::StageIsOver() {
  if (stage_ == Stage::kCatchingUp) {
    RewatchAfterGap();
  } else {
    Become(Stage::kAwayAnew);
    resumes_.Lost();
  }
}

void Source::Become(Stage next) {
  const FeedStatus before = status();
  Enter(next);
  if (status() != before) TellAll(FeedState{status()});
}

// ---- The stream --------------------------------------------------------------------------------

std::optional<Position> Source::ResumeFrom() const {
  if (!resumes()) return std::nullopt;
  return state_.position();
}

void Source::OnSnapshot(SnapshotPart part) {
  refused_since_ms_.reset();
  if (!state_.AddSnapshotPart(std::move(part))) return;
  image_.reset();
  history_account_.Changed(state_.history_bytes());
  resumes_.Restarted();
  Enter(Stage::kLive);
  if (!listeners_.empty()) TellAll(Image());
  resumes_.Live();
}

void Source::OnChange(Change change) {
  ++env_.stats.upstream_changes_total;
  refused_since_ms_.reset();
  if (!resumes() || !state_.Follows(change)) {
    RewatchAfterGap();
    return;
  }
  EntryPtr entry = MakeEntry(showtime_id_, std::move(change));
  state_.Apply(entry, kHistoryBytesMax);
  history_account_.Changed(state_.history_bytes());
  image_.reset();
  TellAll(FeedEntry{std::move(entry), state_.base().revision});
  if (live()) {
    resumes_.Advanced();
  } else if (stage_ == Stage::kAway) {
    Become(Stage::kCatchingUp);
  }
}

void Source::OnProgress(const Position& position) {
  refused_since_ms_.reset();
  const bool nothing_yet = position.revision == 0;
  if (nothing_yet && !resumes()) {
    OnSnapshot(SnapshotPart{position, {}, false});
    return;
  }
  const bool same = nothing_yet ? state_.position().revision == 0 : position == state_.position();
  if (!resumes() || !same) {
    RewatchAfterGap();
  } else if (live()) {
    resumes_.Confirmed();
  } else {
    Become(Stage::kLive);
    resumes_.Live();
  }
}

void Source::OnLost() {
  ++env_.stats.upstream_lost_total;
  refused_since_ms_.reset();
  StreamEnded();
}

// Viewers of a showtime that was served do not lose it for a moment of overload.
void Source::OnRefused(const Refusal& refusal) {
  ++env_.stats.upstream_refused_total;
  if (!state_.known() || RefusedTooLong()) {
    GiveUp(refusal);
  } else {
    StreamEnded();
  }
}

bool Source::RefusedTooLong() {
  const int64_t now_ms = env_.clock.MonotonicMs();
  if (!refused_since_ms_) refused_since_ms_ = now_ms;
  return now_ms - *refused_since_ms_ >= kRefusedMsMax;
}

void Source::StreamEnded() {
  state_.ForgetSnapshotParts();
  Become(resumes() ? Stage::kAway : Stage::kAwayAnew);
  resumes_.Lost();
}

// The owner may drop this.
void Source::GiveUp(const Refusal& refusal) {
  const std::shared_ptr<Source> self = shared_from_this();
  const Refusal last = refusal;
  TellAll(FeedRefused{last.message, last.retry_after_ms});
  if (on_refused_) on_refused_(last);
}

// What the stream says does not follow on what is known: only a snapshot helps.
void Source::RewatchAfterGap() {
  ++env_.stats.upstream_gaps_total;
  Rewatch();
}

// Who was told that it is away is not told otherwise before it is back.
void Source::Rewatch() {
  state_.ForgetSnapshotParts();
  Become(status() == FeedStatus::kAway ? Stage::kAwayAnew : Stage::kStarting);
  resumes_.Paused();
  watch_->Restart();
}

size_t Source::TrimHistory(size_t bytes_max) {
  state_.TrimHistory(bytes_max);
  image_.reset();
  TellAll(FeedTrimmed{state_.base().revision});
  return state_.history_bytes();
}

}  // namespace seatlock::edge
