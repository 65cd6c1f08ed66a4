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
  refusal_.reset();
  image_.reset();
  history_account_.Changed(state_.history_bytes());
  resumes_.Restarted();
  status_ = FeedStatus::kLive;
  if (!listeners_.empty()) TellAll(Image());
  resumes_.Live();
}

void Source::OnChange(Change change) {
  ++env_.stats.upstream_changes_total;
  if (!resumable_ || !state_.Follows(change)) {
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
  } else {
    ExpectCaughtUp();
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
  refusal_.reset();
  StreamEnded();
}

// Viewers of a showtime that was served do not lose it for a moment of overload.
void Source::OnRefused(const Refusal& refusal) {
  ++env_.stats.upstream_refused_total;
  if (!state_.known()) {
    GiveUp(refusal);
    return;
  }
  const bool first = !refusal_;
  refusal_ = refusal;
  StreamEnded();
  if (first) ExpectServed();
}

void Source::StreamEnded() {
  ++generation_;
  state_.ForgetSnapshotParts();
  DeclareAway();
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

size_t Source::TrimHistory(size_t bytes_max) {
  state_.TrimHistory(bytes_max);
  image_.reset();
  TellAll(FeedTrimmed{state_.base().revision});
  return state_.history_bytes();
}

// ---- What is waited for ------------------------------------------------------------------------

void Source::ExpectLive() {
  env_.timers.After(kLiveMsMax, [weak = weak_from_this(), generation = generation_] {
    const std::shared_ptr<Source> self = weak.lock();
    if (self && self->generation_ == generation && !self->live()) self->DeclareAway();
  });
}

// Progress follows what was missed. A service that does not say it, as long as changes go on, is
// asked for a snapshot, which is complete by itself.
void Source::ExpectCaughtUp() {
  if (std::exchange(catching_up_, true)) return;
  env_.timers.After(kCatchUpMsMax, [weak = weak_from_this(), generation = generation_] {
    const std::shared_ptr<Source> self = weak.lock();
    if (!self || self->generation_ != generation || self->live()) return;
    self->RewatchAfterGap();
  });
}

// Or nobody waits for it in vain.
void Source::ExpectServed() {
  env_.timers.After(kRefusedMsMax, [weak = weak_from_this(), number = ++refusals_] {
    const std::shared_ptr<Source> self = weak.lock();
    if (self && self->refusals_ == number && self->refusal_) self->GiveUp(*self->refusal_);
  });
}

void Source::BecomeLive() {
  catching_up_ = false;
  refusal_.reset();
  SetStatus(FeedStatus::kLive);
  resumes_.Live();
}

void Source::DeclareAway() {
  catching_up_ = false;
  SetStatus(FeedStatus::kAway);
  resumes_.Lost();
}

}  // namespace seatlock::edge
