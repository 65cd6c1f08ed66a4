#include "edge/fanout/room.h"

#include <algorithm>
#include <ranges>
#include <utility>
#include <variant>

#include "edge/fanout/client.h"
#include "edge/fanout/hub.h"
#include "edge/limits.h"
#include "edge/protocol/frames.h"

namespace seatlock::edge {
namespace {

// The entries after `revision` of a range of them without holes: of a room's history, or of an
// answer, which may begin earlier because others came with an older position.
template <typename Range>
auto After(const Range& entries, uint64_t revision) {
  uint64_t skip = 0;
  if (!entries.empty() && entries.front()->revision() <= revision) {
    skip = std::min<uint64_t>(revision + 1 - entries.front()->revision(), entries.size());
  }
  return std::ranges::subrange(entries.begin() + static_cast<std::ptrdiff_t>(skip), entries.end());
}

template <typename Range>
size_t SharedBytes(const Range& entries) {
  size_t bytes = 0;
  for (const EntryPtr& entry : entries) bytes += entry->shared.size();
  return bytes;
}

}  // namespace

using SnapshotDue = Subscription::SnapshotDue;
using Stage = Subscription::Stage;

Room::Room(Hub& hub, std::string showtime_id) : hub_(hub), showtime_id_(std::move(showtime_id)) {
  ++hub_.env().stats.rooms;
}

Room::~Room() {
  --hub_.env().stats.rooms;
}

void Room::Start() {
  feed_ = hub_.env().feeds.Open(showtime_id_, this);
}

// ---- What the feed says ------------------------------------------------------------------------

void Room::OnFeed(FeedEvent event) {
  std::visit([this](const auto& one) { On(one); }, event);
}

void Room::On(const FeedImage& event) {
  snapshots_ = event.snapshots;
  status_ = event.status;
  const std::string epoch_before = state_.position().epoch;
  state_.Load(*event.image);
  orders_.assign(state_.history().size(), hub_.NextOrder());
  batches_.Restart(revision());
  for (Subscription* subscriber : subscribers_) {
    if (subscriber->active()) SnapshotNext(*subscriber, SnapshotDue::kReplaced);
    if (subscriber->stage != Stage::kShown) continue;
    const Position shown{epoch_before, subscriber->revision};
    if (!state_.Covers(shown)) MoveTo(*subscriber, Stage::kWaiting);
  }
  if (status_ == FeedStatus::kLive) BecomeLive();
  if (status_ == FeedStatus::kAway) BecomeAway();
  if (status_ == FeedStatus::kConnecting) DecideAll();
}

void Room::On(const FeedEntry& event) {
  ++hub_.env().stats.room_changes_total;
  state_.Apply(event.entry, kHistoryBytesMax);
  orders_.push_back(hub_.NextOrder());
  DropHistory(event.base);
  if (event.entry->frames == 0) {
    // Nobody is woken for it, but for cursors not to fall behind the history.
    if (++unseen_ >= kHistoryChangesMax / 2) hub_.FlushSoon(shared_from_this());
    return;
  }
  if (commits_ms_.size() < kHistoryChangesMax) {
    commits_ms_.push_back(event.entry->change.commit_ms);
  }
  if (batch_subscribers_ > 0) AddToBatch(event.entry->change);
  if (subscribers_.size() > batch_subscribers_) hub_.FlushSoon(shared_from_this());
}

// Readers that it passes by are found when they are written to next.
void Room::On(const FeedTrimmed& event) {
  DropHistory(event.base);
}

void Room::DropHistory(uint64_t upto) {
  state_.DropHistory(upto);
  while (orders_.size() > state_.history().size()) orders_.pop_front();
}

void Room::On(const FeedState& event) {
  status_ = event.status;
  if (status_ == FeedStatus::kLive) BecomeLive();
  if (status_ == FeedStatus::kAway) BecomeAway();
}

void Room::On(const FeedResume& event) {
  const auto found = asked_.find({event.position.epoch, event.position.revision});
  if (found == asked_.end()) return;
  const absl::flat_hash_set<Subscription*> waiting = std::move(found->second);
  asked_.erase(found);
  const std::shared_ptr<const Entries> missed = Counted(event.missed);
  Frame live;
  for (Subscription* subscriber : waiting) {
    if (missed) {
      AdmitMissed(*subscriber, missed);
    } else {
      ++hub_.env().stats.resumes_failed_total;
      AdmitAfresh(*subscriber);
    }
    TellLive(*subscriber, &live);
  }
}

// The feed is over, and with it this room. Leaving takes subscribers off the list one by one.
void Room::On(const FeedRefused& event) {
  const std::shared_ptr<Room> self = hub_.rooms().Forget(*this);
  const Frame refusal = ErrorFrame(
      {ErrorCode::kShowtimeUnavailable, event.message, showtime_id_, event.retry_after_ms});
  while (!subscribers_.empty()) {
    ++hub_.env().stats.subscribes_unavailable_total;
    Subscription& subscriber = *subscribers_.back();
    if (!state_.known()) subscriber.client.GiveBackNewShowtime(subscriber);
    subscriber.client.End(subscriber, refusal);
  }
}

void Room::BecomeLive() {
  DecideAll();
  Frame live;
  for (Subscription* subscriber : subscribers_) TellLive(*subscriber, &live);
}

// Not before it is current: who is still to be answered hears of it then.
void Room::TellLive(Subscription& subscription, Frame* live) {
  if (!subscription.active() || !subscription.told_away) return;
  subscription.told_away = false;
  if (!*live) *live = StreamStatusFrame(showtime_id_, true, hub_.env().clock.NowMs());
  subscription.client.Send(*live);
}

void Room::BecomeAway() {
  for (Subscription* subscriber : subscribers_) {
    // The source drops what it was asked when its stream is lost.
    if (subscriber->stage == Stage::kAsked) MoveTo(*subscriber, Stage::kWaiting);
    if (subscriber->active()) TellAway(*subscriber);
  }
  DecideAll();
}

void Room::DecideAll() {
  for (Subscription* subscriber : subscribers_) Decide(*subscriber);
}

// ---- Subscribers -------------------------------------------------------------------------------

void Room::Join(Subscription& subscription, Wish wish) {
  if (wish.batch && batch_subscribers_++ == 0) batches_.Restart(revision());
  ++hub_.env().stats.subscriptions;
  ++hub_.env().stats.joins_total;
  subscription.session_id = std::move(wish.session_id);
  subscription.batch = wish.batch;
  if (wish.resume) subscription.resume = std::make_unique<Position>(*std::move(wish.resume));
  subscription.index = static_cast<uint32_t>(subscribers_.size());
  subscribers_.push_back(&subscription);
  Decide(subscription);
}

void Room::Leave(Subscription& subscription) {
  if (subscription.batch) --batch_subscribers_;
  --hub_.env().stats.subscriptions;
  MoveTo(subscription, Stage::kWaiting);
  Subscription* last = subscribers_.back();
  subscribers_[subscription.index] = last;
  last->index = subscription.index;
  subscribers_.pop_back();
  // The last one may have been moved to where a flush has been already.
  if (flush_queued) FlushAgain();
}

void Room::MoveTo(Subscription& subscription, Stage stage) {
  if (subscription.stage == stage) return;
  const auto key = [&] {
    return PositionKey(subscription.resume->epoch, subscription.resume->revision);
  };
  if (subscription.stage == Stage::kAsked) {
    const auto found = asked_.find(key());
    // Not there: it is being answered.
    if (found != asked_.end() && found->second.erase(&subscription) > 0 && found->second.empty()) {
      asked_.erase(found);
    }
  }
  subscription.stage = stage;
  if (stage == Stage::kAsked) {
    absl::flat_hash_set<Subscription*>& waiting = asked_[key()];
    waiting.insert(&subscription);
    if (waiting.size() == 1) feed_->Resume(*subscription.resume);
  }
}

// Does for a waiting subscriber what can be done now.
void Room::Decide(Subscription& subscription) {
  if (subscription.stage == Stage::kShown && status_ == FeedStatus::kLive) AdmitShown(subscription);
  if (subscription.stage == Stage::kShown || subscription.active()) return;
  if (subscription.resume && state_.Covers(*subscription.resume)) {
    AdmitMissed(subscription, nullptr);
  } else if (subscription.stage == Stage::kAsked) {
    return;
  } else if (status_ == FeedStatus::kAway) {
    TellAway(subscription);
    ShowWhatIsKnown(subscription);
  } else if (status_ == FeedStatus::kLive && subscription.resume) {
    MoveTo(subscription, Stage::kAsked);
  } else if (status_ == FeedStatus::kLive) {
    AdmitAfresh(subscription);
  }
}

void Room::TellAway(Subscription& subscription) {
  if (subscription.told_away) return;
  subscription.told_away = true;
  subscription.client.Send(StreamStatusFrame(showtime_id_, false, hub_.env().clock.NowMs()));
}

// A waiting subscriber sees what the edge knows, unless it may know better itself.
void Room::ShowWhatIsKnown(Subscription& subscription) {
  if (!state_.known()) return;
  const Position* resume = subscription.resume.get();
  const bool behind = resume != nullptr && resume->epoch == state_.position().epoch &&
                      resume->revision < revision();
  if (resume != nullptr && !behind) return;
  subscription.resume.reset();
  MoveTo(subscription, Stage::kShown);
  SnapshotNext(subscription, SnapshotDue::kBought);
}

// The stream is live again: what was shown needs no second snapshot if the history goes on from it.
void Room::AdmitShown(Subscription& subscription) {
  Position shown{state_.position().epoch, subscription.revision};
  if (subscription.snapshot_due() || !state_.Covers(shown)) {
    AdmitAfresh(subscription);
    return;
  }
  subscription.resume = std::make_unique<Position>(std::move(shown));
  AdmitMissed(subscription, nullptr);
}

void Room::AdmitAfresh(Subscription& subscription) {
  Activate(subscription, state_.position(), false);
  subscription.revision = revision();
  SnapshotNext(subscription, SnapshotDue::kBought);
}

// `missed` goes as far as the history, or further; null: the history alone has it all.
void Room::AdmitMissed(Subscription& subscription, std::shared_ptr<const Entries> missed) {
  const Position position = *subscription.resume;
  const uint64_t missed_end =
      missed && !missed->empty() ? missed->back()->revision() : position.revision;
  if (missed_end < state_.base().revision) {
    // A room's history goes back at least as far as its source's, so this is not to be met.
    AdmitAfresh(subscription);
    return;
  }
  if (subscription.batch) {
    const auto rest = After(state_.history(), missed_end);
    Entries all(rest.begin(), rest.end());
    if (missed) {
      const auto first = After(*missed, position.revision);
      all.insert(all.begin(), first.begin(), first.end());
    }
    AdmitMissedAsBatch(subscription, all);
    return;
  }
  // The room's epoch, not the client's: one that joined before the first change knows none.
  subscription.client.Buy(MissedBytes(position, missed.get()));
  Activate(subscription, {state_.position().epoch, position.revision}, true);
  subscription.revision = position.revision;
  if (missed_end > position.revision) subscription.missed = std::move(missed);
}

void Room::AdmitMissedAsBatch(Subscription& subscription, const Entries& missed) {
  SeatChanges changes;
  for (const EntryPtr& entry : missed) changes.Add(entry->change);
  if (changes.size() > kBatchMissedSeatsMax) {
    // As if it had come without a position.
    MoveTo(subscription, Stage::kWaiting);
    subscription.resume.reset();
    Decide(subscription);
    return;
  }
  subscription.client.Buy(MissedBytes(*subscription.resume, &missed));
  const uint64_t resumed = subscription.resume->revision;
  Activate(subscription, {state_.position().epoch, resumed}, true);
  // What is still gathered comes with the next batch: its seats may then come twice, not less.
  subscription.revision = missed.empty() ? resumed : missed.back()->revision();
  if (!changes.empty()) {
    subscription.client.Send(Frame::Text(changes.Text(showtime_id_, subscription.session_id)));
  }
}

// Changes come from here on, after `subscribed`.
void Room::Activate(Subscription& subscription, Position position, bool recovered) {
  if (recovered) ++hub_.env().stats.resumes_recovered_total;
  MoveTo(subscription, Stage::kActive);
  subscription.resume.reset();
  const bool live = status_ != FeedStatus::kAway;
  const Frame subscribed =
      SubscribedFrame(showtime_id_, position, recovered, live,
                      state_.LocksOf(subscription.session_id), hub_.env().clock.NowMs());
  subscription.client.Buy(subscribed.wire().size());
  subscription.client.Send(subscribed);
  subscription.client.Subscribed(showtime_id_, position.revision, recovered);
  if (!live) {
    // Again, if it was told before: to a client that does not know the field, `subscribed` alone
    // says that the stream is live.
    subscription.told_away = false;
    TellAway(subscription);
  }
  subscription.order = hub_.NextOrder();
}

// What is sent to a subscriber that missed all that came after `position`: of `missed`, and of the
// history from the end of that on.
size_t Room::MissedBytes(const Position& position, const Entries* missed) const {
  if (missed == nullptr || missed->empty()) {
    return SharedBytes(After(state_.history(), position.revision));
  }
  const uint64_t reached = std::max(position.revision, missed->back()->revision());
  return SharedBytes(After(*missed, position.revision)) +
         SharedBytes(After(state_.history(), reached));
}

// What readers of an answer keep alive counts as held, once, until the last of them has it.
// Answers to many positions share their range (feed.h), so it is looked at once for all.
std::shared_ptr<const Entries> Room::Counted(std::shared_ptr<const Entries> missed) {
  if (!missed || missed->empty()) return missed;
  if (auto counted = counted_.lock(); counted && counted_from_ == missed.get()) return counted;
  size_t bytes = missed->capacity() * sizeof(EntryPtr);
  for (const EntryPtr& entry : *missed) bytes += entry->bytes();
  const Entries* entries = missed.get();
  hub_.Hold(entries, bytes);
  // Let go at once: counted_ keeps the deleter itself for longer.
  const std::shared_ptr<const void> hold(
      entries, [missed = std::move(missed), &hub = hub_](const void* held) mutable {
        hub.Unhold(held);
        missed.reset();
      });
  const std::shared_ptr<const Entries> counted(hold, entries);
  counted_ = counted;
  counted_from_ = entries;
  return counted;
}

void Room::SnapshotNext(Subscription& subscription, SnapshotDue why) {
  subscription.missed.reset();
  // A slow reader is measured by when it has taken it, whatever else it stands for.
  if (!subscription.lagging()) subscription.snapshot = why;
  subscription.snapshot_order = hub_.NextOrder();
  hub_.FlushSoon(subscription.client);
}

// ---- What is next ------------------------------------------------------------------------------

Room::Next Room::NextFor(const Subscription& subscription, bool snapshot, uint64_t from) const {
  if (snapshot) return {subscription.snapshot_order, nullptr};
  if (!subscription.active() || from >= revision()) return {};
  if (subscription.batch) {
    const Batches::Sent* batch = batches_.After(from);
    if (batch == nullptr) return {};
    return {std::max(batch->order, subscription.order), &batch->entry};
  }
  if (subscription.missed) {
    const Entries& missed = *subscription.missed;
    const uint64_t index = from + 1 - missed.front()->revision();
    if (index < missed.size()) return {subscription.order, &missed[index]};
  }
  const uint64_t index = from - state_.base().revision;
  if (index >= state_.history().size()) return {};
  return {std::max(orders_[index], subscription.order), &state_.history()[index]};
}

const Frame& Room::Snapshot() {
  bool encoded = false;
  const Frame& frame =
      state_.SnapshotFrame(showtime_id_, hub_.env().clock.NowMs(), *snapshots_, &encoded);
  if (encoded) ++hub_.env().stats.snapshots_encoded_total;
  return frame;
}

bool Room::PassedBy(const Subscription& subscription) const {
  if (!subscription.active() || subscription.snapshot_due()) return false;
  if (subscription.batch) return subscription.revision < batches_.base();
  uint64_t reached = subscription.revision;
  if (subscription.missed) {
    reached = std::max(reached, subscription.missed->back()->revision());
  }
  return reached < state_.base().revision;
}

void Room::CheckPassedBy(Subscription& subscription) {
  if (!PassedBy(subscription)) return;
  ++hub_.env().stats.ring_misses_total;
  SnapshotNext(subscription, SnapshotDue::kLagging);
}

bool Room::Flush(size_t* portion) {
  if (flush_next_ == 0) {
    flush_commits_ = commits_ms_.size();
    unseen_ = 0;
  }
  while (flush_next_ < subscribers_.size() && *portion > 0) {
    --*portion;
    subscribers_[flush_next_++]->client.Flush();
  }
  if (flush_next_ < subscribers_.size()) return false;
  const int64_t now_ms = hub_.env().clock.NowMs();
  for (; flush_commits_ > 0; --flush_commits_) {
    hub_.env().stats.CountLatency(now_ms - commits_ms_.front());
    commits_ms_.pop_front();
  }
  flush_next_ = 0;
  return !std::exchange(flush_again_, false);
}

// ---- Batches -----------------------------------------------------------------------------------

void Room::AddToBatch(const Change& change) {
  batches_.Add(change);
  if (batch_scheduled_) return;
  const int64_t wait_ms = batches_.last_ms() + kBatchEveryMs - hub_.env().clock.MonotonicMs();
  if (wait_ms <= 0) {
    FlushBatch();
    return;
  }
  batch_scheduled_ = true;
  hub_.env().timers.After(wait_ms, [weak = weak_from_this()] {
    const std::shared_ptr<Room> self = weak.lock();
    if (!self) return;
    self->batch_scheduled_ = false;
    self->FlushBatch();
  });
}

void Room::FlushBatch() {
  if (!batches_.gathered() || batch_subscribers_ == 0) return;
  absl::flat_hash_set<std::string> sessions;
  for (const Subscription* subscriber : subscribers_) {
    if (subscriber->batch && !subscriber->session_id.empty()) {
      sessions.insert(subscriber->session_id);
    }
  }
  batches_.Close(showtime_id_, hub_.NextOrder(), hub_.env().clock.MonotonicMs(),
                 [&sessions](const std::string& id) { return sessions.contains(id); });
  hub_.FlushSoon(shared_from_this());
}

}  // namespace seatlock::edge
