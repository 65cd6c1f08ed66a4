#include "edge/core/room.h"

#include <utility>

#include "edge/core/frames.h"
#include "edge/core/limits.h"

namespace seatlock::edge {

Room::Room(const Env& env, std::string showtime_id)
    : env_(env), showtime_id_(showtime_id), state_(std::move(showtime_id)) {
  ++env_.stats.rooms;
}

Room::~Room() {
  --env_.stats.rooms;
}

void Room::Start() {
  watch_ = env_.upstream.Follow(showtime_id_, this);
  ExpectLive();
}

// ---- Upstream ----------------------------------------------------------------------------------

std::optional<Position> Room::ResumeFrom() const {
  if (!state_.known() || !resumable_) return std::nullopt;
  return state_.position();
}

void Room::OnSnapshot(SnapshotPart part) {
  if (!state_.AddSnapshotPart(std::move(part))) return;
  resumable_ = true;
  batch_.Clear();
  for (auto& [sink, subscriber] : subscribers_) {
    if (!subscriber.active) continue;
    subscriber.batch_revision = state_.position().revision;
    sink->Send(Snapshot());
  }
  BecomeLive();
}

void Room::OnChange(Change change) {
  ++env_.stats.upstream_changes_total;
  last_change_ms_ = env_.clock.MonotonicMs();
  if (!resumable_ || !state_.Apply(std::move(change))) {
    Rewatch();
    return;
  }
  FanOut(state_.history().back());
  if (!live_) CatchUp();
}

void Room::OnProgress(const Position& position) {
  const bool nothing_yet = position.revision == 0;
  if (nothing_yet && (!state_.known() || !resumable_)) {
    OnSnapshot(SnapshotPart{position, {}, false});
    return;
  }
  const bool same = nothing_yet ? state_.position().revision == 0 : position == state_.position();
  if (!state_.known() || !resumable_ || !same) {
    Rewatch();
    return;
  }
  if (!live_) BecomeLive();
}

void Room::OnLost() {
  ++env_.stats.upstream_lost_total;
  ++generation_;
  state_.ForgetSnapshotParts();
  DeclareAway();
}

// What the stream says does not follow on what is known: only a snapshot helps.
void Room::Rewatch() {
  ++env_.stats.upstream_gaps_total;
  ++generation_;
  state_.ForgetSnapshotParts();
  live_ = false;
  catching_up_ = false;
  resumable_ = false;
  watch_->Restart();
  ExpectLive();
}

void Room::ExpectLive() {
  env_.timers.After(kLiveMsMax, [weak = weak_from_this(), generation = generation_] {
    const std::shared_ptr<Room> self = weak.lock();
    if (self && self->generation_ == generation && !self->live_) self->DeclareAway();
  });
}

// Missed changes arrive one by one and nothing marks the last, so a little quiet has to.
void Room::CatchUp() {
  if (std::exchange(catching_up_, true)) return;
  CheckCaughtUp(generation_, last_change_ms_);
}

void Room::CheckCaughtUp(uint64_t generation, int64_t since_ms) {
  env_.timers.After(kCaughtUpQuietMs, [weak = weak_from_this(), generation, since_ms] {
    const std::shared_ptr<Room> self = weak.lock();
    if (!self || self->generation_ != generation || self->live_) return;
    const int64_t now_ms = self->env_.clock.MonotonicMs();
    const bool quiet = now_ms - self->last_change_ms_ >= kCaughtUpQuietMs;
    if (quiet || now_ms - since_ms >= kCaughtUpMsMax) {
      self->BecomeLive();
    } else {
      self->CheckCaughtUp(generation, since_ms);
    }
  });
}

void Room::BecomeLive() {
  live_ = true;
  away_ = false;
  catching_up_ = false;
  for (auto& [sink, subscriber] : subscribers_) {
    if (!subscriber.active) Admit(sink, subscriber);
    if (std::exchange(subscriber.told_away, false)) {
      sink->Send(StreamStatusFrame(showtime_id_, true, env_.clock.NowMs()));
    }
  }
}

void Room::DeclareAway() {
  live_ = false;
  away_ = true;
  catching_up_ = false;
  for (auto& [sink, subscriber] : subscribers_) TellAway(sink, subscriber);
}

// ---- Subscribers -------------------------------------------------------------------------------

void Room::Subscribe(FrameSink* sink, Wish wish) {
  Unsubscribe(sink);
  if (wish.batch) ++batch_subscribers_;
  ++env_.stats.subscriptions;
  ++env_.stats.joins_total;
  Subscriber& subscriber = subscribers_[sink];
  subscriber.wish = std::move(wish);
  subscriber.wait_until_ms = env_.clock.MonotonicMs() + kResumeWaitMsMax;
  if (live_) {
    Admit(sink, subscriber);
  } else if (away_) {
    TellAway(sink, subscriber);
  }
}

bool Room::Unsubscribe(FrameSink* sink) {
  const auto found = subscribers_.find(sink);
  if (found == subscribers_.end()) return false;
  if (found->second.wish.batch) --batch_subscribers_;
  --env_.stats.subscriptions;
  subscribers_.erase(found);
  return true;
}

void Room::TellAway(FrameSink* sink, Subscriber& subscriber) {
  if (std::exchange(subscriber.told_away, true)) return;
  sink->Send(StreamStatusFrame(showtime_id_, false, env_.clock.NowMs()));
  if (subscriber.active || !state_.known()) return;
  // A newcomer sees what the edge knows, unless it may know better itself.
  const std::optional<Position>& resume = subscriber.wish.resume;
  const bool behind = resume && resume->epoch == state_.position().epoch &&
                      resume->revision < state_.position().revision;
  if (resume && !behind) return;
  subscriber.wish.resume.reset();
  sink->Send(Snapshot());
}

// Makes a waiting subscriber active, if its position allows it by now. The stream is live.
void Room::Admit(FrameSink* sink, Subscriber& subscriber) {
  const std::optional<Position>& resume = subscriber.wish.resume;
  const bool recovered = resume && state_.Covers(*resume);
  if (!recovered && MustWait(sink, subscriber)) return;
  // The room's epoch, not the client's: one that joined before the first change knows none.
  Position position = state_.position();
  if (recovered) position.revision = resume->revision;
  sink->Send(SubscribedFrame(showtime_id_, position, recovered,
                             state_.LocksOf(subscriber.wish.session_id), env_.clock.NowMs()));
  if (recovered) {
    ++env_.stats.resumes_recovered_total;
    SendMissed(sink, subscriber);
  } else {
    sink->Send(Snapshot());
  }
  subscriber.active = true;
  subscriber.wish.resume.reset();
  subscriber.batch_revision = state_.position().revision;
}

// Whether the subscriber knows more than the room: then the room has to catch up first.
bool Room::MustWait(FrameSink* sink, Subscriber& subscriber) {
  const std::optional<Position>& resume = subscriber.wish.resume;
  if (!resume || resume->revision <= state_.position().revision) return false;
  const bool same_epoch =
      state_.position().revision == 0 || resume->epoch == state_.position().epoch;
  const int64_t left_ms = subscriber.wait_until_ms - env_.clock.MonotonicMs();
  if (!same_epoch || left_ms <= 0) return false;
  if (std::exchange(subscriber.wait_timed, true)) return true;
  env_.timers.After(left_ms, [weak = weak_from_this(), sink] {
    const std::shared_ptr<Room> self = weak.lock();
    if (!self || !self->live_) return;
    const auto found = self->subscribers_.find(sink);
    if (found == self->subscribers_.end() || found->second.active) return;
    self->Admit(sink, found->second);
  });
  return true;
}

void Room::SendMissed(FrameSink* sink, const Subscriber& subscriber) {
  if (subscriber.wish.batch) {
    SendMissedAsBatch(sink, subscriber);
    return;
  }
  for (size_t i = state_.IndexAfter(*subscriber.wish.resume); i < state_.history().size(); ++i) {
    SendEntry(sink, subscriber.wish, state_.history()[i]);
  }
}

void Room::SendMissedAsBatch(FrameSink* sink, const Subscriber& subscriber) {
  Batch missed;
  for (size_t i = state_.IndexAfter(*subscriber.wish.resume); i < state_.history().size(); ++i) {
    missed.Add(state_.history()[i].change);
  }
  if (missed.empty()) return;
  sink->Send(SeatChangesFrame(showtime_id_, state_.position(), missed.seats(),
                              subscriber.wish.session_id));
}

void Room::SendEntry(FrameSink* sink, const Wish& wish, const RoomState::Entry& entry) {
  for (size_t i = 0; i < entry.frames.size(); ++i) {
    const bool own =
        !wish.session_id.empty() && wish.session_id == entry.change.seats[i].session_id;
    sink->Send(own ? SeatStatusChangeFrame(showtime_id_, entry.change, i, true) : entry.frames[i]);
  }
}

void Room::FanOut(const RoomState::Entry& entry) {
  for (auto& [sink, subscriber] : subscribers_) {
    if (!subscriber.active) {
      if (live_) Admit(sink, subscriber);
    } else if (!subscriber.wish.batch) {
      SendEntry(sink, subscriber.wish, entry);
    }
  }
  if (batch_subscribers_ > 0) AddToBatch(entry.change);
}

Frame Room::Snapshot() {
  bool encoded = false;
  Frame frame = state_.SnapshotFrame(env_.clock.NowMs(), &encoded);
  if (encoded) ++env_.stats.snapshots_encoded_total;
  return frame;
}

// ---- Batches -----------------------------------------------------------------------------------

void Room::AddToBatch(const Change& change) {
  batch_.Add(change);
  if (batch_.empty() || batch_scheduled_) return;
  const int64_t wait_ms = last_batch_ms_ + kBatchEveryMs - env_.clock.MonotonicMs();
  if (wait_ms <= 0) {
    FlushBatch();
    return;
  }
  batch_scheduled_ = true;
  env_.timers.After(wait_ms, [weak = weak_from_this()] {
    const std::shared_ptr<Room> self = weak.lock();
    if (!self) return;
    self->batch_scheduled_ = false;
    self->FlushBatch();
  });
}

// Sends what was gathered; whoever joined since its last change has it already.
void Room::FlushBatch() {
  if (batch_.empty()) return;
  last_batch_ms_ = env_.clock.MonotonicMs();
  const std::vector<const Seat*> seats = batch_.seats();
  absl::flat_hash_map<std::string, Frame> variants;
  for (const Seat* seat : seats) {
    if (seat->status == SeatStatus::kLocked) variants[seat->session_id] = nullptr;
  }
  const Frame shared = SeatChangesFrame(showtime_id_, batch_.position(), seats, "");
  for (auto& [sink, subscriber] : subscribers_) {
    const bool due = subscriber.active && subscriber.wish.batch &&
                     subscriber.batch_revision < batch_.position().revision;
    if (!due) continue;
    subscriber.batch_revision = batch_.position().revision;
    const std::string& session_id = subscriber.wish.session_id;
    const auto own = session_id.empty() ? variants.end() : variants.find(session_id);
    if (own != variants.end() && !own->second) {
      own->second = SeatChangesFrame(showtime_id_, batch_.position(), seats, session_id);
    }
    sink->Send(own == variants.end() ? shared : own->second);
  }
  batch_.Clear();
}

}  // namespace seatlock::edge
