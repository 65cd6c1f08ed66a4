#include "edge/showtime/source.h"

#include <algorithm>
#include <utility>

#include "edge/limits.h"

namespace seatlock::edge {

Source::Source(const SourceEnv& env, BackfillTurns& turns, std::string showtime_id)
    : env_(env),
      showtime_id_(std::move(showtime_id)),
      resumes_(env, turns, showtime_id_, static_cast<Resumes::Host&>(*this)) {
  ++env_.stats.sources;
}

Source::~Source() {
  --env_.stats.sources;
}

void Source::Start() {
  watch_ = env_.upstream.Follow(showtime_id_, this);
  ExpectLive();
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
  if (status_ != FeedStatus::kAway) resumes_.Ask(listener, position);
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
  return {std::move(image), snapshots_, status_};
}

void Source::TellAll(const FeedEvent& event) {
  for (SourceListener* listener : listeners_) listener->Hear(event);
}

void Source::SetStatus(FeedStatus status) {
  if (std::exchange(status_, status) != status) TellAll(FeedState{status});
}

// ---- The stream --------------------------------------------------------------------------------

std::optional<Position> Source::ResumeFrom() const {
  if (!state_.known() || !resumable_) return std::nullopt;
  return state_.position();
}

void Source::OnSnapshot(SnapshotPart part) {
  if (!state_.AddSnapshotPart(std::move(part))) return;
  resumable_ = true;
  catching_up_ = false;
  image_.reset();
  resumes_.Restarted();
  status_ = FeedStatus::kLive;
  if (!listeners_.empty()) TellAll(Image());
  resumes_.Live();
}

void Source::OnChange(Change change) {
  ++env_.stats.upstream_changes_total;
  last_change_ms_ = env_.clock.MonotonicMs();
  if (!resumable_ || !state_.Follows(change)) {
    RewatchAfterGap();
    return;
  }
  EntryPtr entry = MakeEntry(showtime_id_, std::move(change));
  state_.Apply(entry, HistoryBytesMax(env_.stats.sources));
  image_.reset();
  TellAll(FeedEntry{std::move(entry)});
  if (live()) {
    resumes_.Advanced();
  } else {
    CatchUp();
  }
}

void Source::OnProgress(const Position& position) {
  const bool nothing_yet = position.revision == 0;
  if (nothing_yet && (!state_.known() || !resumable_)) {
    OnSnapshot(SnapshotPart{position, {}, false});
    return;
  }
  const bool same = nothing_yet ? state_.position().revision == 0 : position == state_.position();
  if (!state_.known() || !resumable_ || !same) {
    RewatchAfterGap();
    return;
  }
  if (!live()) BecomeLive();
}

void Source::OnLost() {
  ++env_.stats.upstream_lost_total;
  ++generation_;
  state_.ForgetSnapshotParts();
  DeclareAway();
}

// What the stream says does not follow on what is known: only a snapshot helps.
void Source::RewatchAfterGap() {
  ++env_.stats.upstream_gaps_total;
  Rewatch();
}

void Source::Rewatch() {
  ++generation_;
  state_.ForgetSnapshotParts();
  catching_up_ = false;
  resumable_ = false;
  // Who was told that it is away is not told otherwise before it is back.
  if (live()) SetStatus(FeedStatus::kConnecting);
  resumes_.Paused();
  watch_->Restart();
  ExpectLive();
}

void Source::ExpectLive() {
  env_.timers.After(kLiveMsMax, [weak = weak_from_this(), generation = generation_] {
    const std::shared_ptr<Source> self = weak.lock();
    if (self && self->generation_ == generation && !self->live()) self->DeclareAway();
  });
}

// Missed changes arrive one by one and nothing marks the last, so a little quiet has to.
void Source::CatchUp() {
  if (std::exchange(catching_up_, true)) return;
  CheckCaughtUp(generation_, last_change_ms_);
}

void Source::CheckCaughtUp(uint64_t generation, int64_t since_ms) {
  env_.timers.After(kCaughtUpQuietMs, [weak = weak_from_this(), generation, since_ms] {
    const std::shared_ptr<Source> self = weak.lock();
    if (!self || self->generation_ != generation || self->live()) return;
    const int64_t now_ms = self->env_.clock.MonotonicMs();
    const bool quiet = now_ms - self->last_change_ms_ >= kCaughtUpQuietMs;
    if (quiet || now_ms - since_ms >= kCaughtUpMsMax) {
      self->BecomeLive();
    } else {
      self->CheckCaughtUp(generation, since_ms);
    }
  });
}

void Source::BecomeLive() {
  catching_up_ = false;
  SetStatus(FeedStatus::kLive);
  resumes_.Live();
}

void Source::DeclareAway() {
  catching_up_ = false;
  SetStatus(FeedStatus::kAway);
  resumes_.Lost();
}

}  // namespace seatlock::edge
