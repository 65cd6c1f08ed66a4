// How readers of all seats are served: live changes are pushed to watchers, all else is fetched
// when a reader asks. Snapshots come from the seat map, which is encoded a part at a time.
#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/snapshot_messages.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {

bool Actor::Watch(const std::shared_ptr<Watcher>& watcher) {
  base::MutexLock lock(mu_);
  if (retired_) return false;
  Use();
  ++context_->watchers;
  watcher->slot = watchers_.size();
  watchers_.push_back(watcher);
  return true;
}

void Actor::Forget(const std::shared_ptr<Watcher>& watcher) {
  Effects effects;
  std::vector<Reader> gone;  // let go without the lock: it may hold a page of history
  {
    base::MutexLock lock(mu_);
    Remove(watcher);
    const auto is_its = [&watcher](const Reader& reader) {
      return reader.watcher == watcher.get();
    };
    if (batch_) {
      // The first of readers_ are served by the batch's commit.
      const auto first = readers_.begin();
      const auto served =
          first + static_cast<ptrdiff_t>(std::min(batch_->readers, readers_.size()));
      batch_->readers -= static_cast<size_t>(std::count_if(first, served, is_its));
    }
    for (std::deque<Reader>* readers : {&readers_, &map_readers_}) {
      const auto its = std::stable_partition(readers->begin(), readers->end(), std::not_fn(is_its));
      std::move(its, readers->end(), std::back_inserter(gone));
      readers->erase(its, readers->end());
    }
    LeaveIfNew(effects);
  }
  Run(effects);
}

void Actor::Remove(const std::shared_ptr<Watcher>& watcher) {
  const size_t slot = std::exchange(watcher->slot, Watcher::kNoSlot);
  if (slot == Watcher::kNoSlot) return;
  watchers_.back()->slot = slot;
  watchers_[slot] = watchers_.back();
  watchers_.pop_back();
  watcher->slot = Watcher::kNoSlot;  // it may have been the last itself
  --context_->watchers;
}

std::vector<std::shared_ptr<Watcher>> Actor::Watchers() const {
  base::MutexLock lock(mu_);
  return watchers_;
}

void Actor::Fetch(const std::shared_ptr<Watcher>& watcher) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_ || watcher->over()) return;
    last_used_ms_ = context_->clock.MonotonicMs();
    readers_.push_back({[this, watcher](Effects& out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                          return ServeWatcher(watcher, out);
                        },
                        [watcher](const Failure& failure, Effects& out) {
                          if (watcher->End(failure)) out.push_back([watcher] { watcher->Wake(); });
                        },
                        watcher.get()});
    Step(effects);
  }
  Run(effects);
}

void Actor::Publish(const domain::Change& change, Effects& effects) {
  if (watchers_.empty()) return;
  const MessagePtr message = context_->bytes->MakeMessage(
      context_->encoder.EncodeChange(showtime_, public_epoch_, change));
  const Position position{public_epoch_, change.revision};
  for (const auto& watcher : watchers_) {
    switch (watcher->Push(message, position)) {
      case Watcher::Pushed::kQueuedWake:
        effects.push_back([watcher] { watcher->Wake(); });
        break;
      case Watcher::Pushed::kLagging:
        context_->observer.OnWatcherLagged();
        break;
      case Watcher::Pushed::kNotLive:
      case Watcher::Pushed::kQueued:
        break;
    }
  }
}

bool Actor::ServeWatcher(const std::shared_ptr<Watcher>& watcher, Effects& effects) {
  const std::optional<Position>& resume = watcher->resume();
  const bool starting = watcher->want() == Watcher::Want::kStart;
  if (watcher->over()) return true;
  if (starting && !resume && head_.revision.value() > 0) {
    return DeliverSnapshot(watcher, /*replaces=*/false, effects);
  }
  // Who has seen no change yet, and so no epoch, has missed those from 1 on.
  const domain::Epoch epoch = starting && resume ? resume->epoch : watcher->epoch();
  const bool known = epoch == public_epoch_ || (epoch.empty() && watcher->sent_upto().value() == 0);
  const domain::Revision at = watcher->sent_upto();
  if (watcher->want() == Watcher::Want::kSnapshot || !known || (starting && at > head_.revision)) {
    return DeliverSnapshot(watcher, /*replaces=*/true, effects);
  }
  if (at < head_.revision) {
    FetchHistory(watcher, effects);
    return true;
  }
  std::vector<MessagePtr> messages;
  if (watcher->untouched()) {
    messages.push_back(context_->bytes->MakeMessage(
        context_->encoder.EncodeProgress({public_epoch_, head_.revision})));
  }
  if (watcher->Deliver(messages, {public_epoch_, at}, Watcher::Want::kLive)) {
    effects.push_back([watcher] { watcher->Wake(); });
  }
  return true;
}

// The seats at head_, or nullptr if the seat map is not there yet: it will be, later.
std::shared_ptr<const SeatSnapshot> Actor::Snapshot(Effects& effects) {
  seat_map_used_ms_ = context_->clock.MonotonicMs();
  if (cached_.seats != nullptr) return cached_.seats;
  if (refreshing_) return nullptr;
  // A showtime that changes faster than the map is refreshed does not keep its readers for ever.
  const size_t chunks = seat_map_misses_ < kSeatMapMissesMax ? kChunksToServe : SIZE_MAX;
  if (!seat_map_.built() || !seat_map_.Refresh(state_, chunks)) {
    RefreshLater(effects);
    return nullptr;
  }
  seat_map_misses_ = 0;
  auto snapshot = std::make_shared<SeatSnapshot>();
  snapshot->position = {public_epoch_, head_.revision};
  snapshot->seats = seat_map_.Chunks();
  for (const Bytes& part : snapshot->seats) snapshot->seat_bytes += part->size();
  cached_.seats = std::move(snapshot);
  Weigh();
  return cached_.seats;
}

void Actor::RefreshLater(Effects& effects) {
  refreshing_ = true;
  effects.push_back([self = shared_from_this()] {
    self->context_->background.Post([self] { self->RefreshSeatMap(); });
  });
}

// Encodes some stale chunks; once none is left, those who wait for the map are served with the
// next committed state.
void Actor::RefreshSeatMap() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    refreshing_ = false;
    if (HasState(phase_) && !seat_map_.Refresh(state_, kChunksPerStep)) {
      RefreshLater(effects);
    } else {
      ++seat_map_misses_;
      // They have waited longest: the commit of a batch that is under way serves them.
      if (batch_) batch_->readers += map_readers_.size();
      readers_.insert(readers_.begin(), std::make_move_iterator(map_readers_.begin()),
                      std::make_move_iterator(map_readers_.end()));
      map_readers_.clear();
      Step(effects);
    }
  }
  Run(effects);
}

bool Actor::DeliverSnapshot(const std::shared_ptr<Watcher>& watcher, bool replaces,
                            Effects& effects) {
  const std::shared_ptr<const SeatSnapshot> snapshot = Snapshot(effects);
  if (snapshot == nullptr) return false;
  std::vector<MessagePtr>& messages = replaces ? cached_.replacing : cached_.first;
  if (messages.empty()) messages = SnapshotMessages(*context_, showtime_, *snapshot, replaces);
  if (watcher->Deliver(messages, {public_epoch_, head_.revision}, Watcher::Want::kLive)) {
    effects.push_back([watcher] { watcher->Wake(); });
  }
  return true;
}

void Actor::FetchHistory(const std::shared_ptr<Watcher>& watcher, Effects& effects) {
  auto read = [self = shared_from_this(), watcher] {
    // Given back when the last who has it lets go.
    std::shared_ptr<void> slot(nullptr,
                               [context = self->context_](void*) { context->history.Release(); });
    self->ReadLog(
        watcher->sent_upto().Next(), log::kPageRecordsMax,
        [self, watcher, slot = std::move(slot),
         generation = self->context_->log.Generation()](auto page) mutable {
          self->OnHistory(watcher, {std::move(page), std::move(generation), std::move(slot)});
        });
  };
  effects.push_back([context = context_, read = std::move(read)]() mutable {
    context->history.Acquire(std::move(read));
  });
}

void Actor::OnHistory(const std::shared_ptr<Watcher>& watcher, HistoryPage history) {
  const absl::Status& status = history.page.status();
  // The state is behind what is damaged, or nobody gets it: asking for it tells.
  if (absl::IsDataLoss(status)) {
    context_->observer.OnStoreError(showtime_, status);
    const Position at{watcher->epoch(), watcher->sent_upto()};
    if (watcher->Deliver({}, at, Watcher::Want::kSnapshot)) watcher->Wake();
    return;
  }
  if (!history.page.ok()) {
    if (watcher->End(StoreUnavailable(status))) watcher->Wake();
    return;
  }
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (!context_->shared()) {
      DeliverHistory(watcher, history, effects);
    } else {
      // What was read may not be durable yet, or of a history that is no more: the next
      // confirmation, which comes after the read, tells.
      readers_.push_back({[this, watcher, history = std::move(history)](Effects& out)
                              ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) mutable {
                                DeliverHistory(watcher, history, out);
                                out.push_back([slot = std::move(history.slot)] {});
                                return true;
                              },
                          [watcher](const Failure& failure, Effects& out) {
                            if (watcher->End(failure))
                              out.push_back([watcher] { watcher->Wake(); });
                          },
                          watcher.get()});
      Step(effects);
    }
  }
  Run(effects);
}

// Hands over the changes of `page`, up to the head.
void Actor::DeliverHistory(const std::shared_ptr<Watcher>& watcher, const HistoryPage& history,
                           Effects& effects) {
  const log::Page& page = *history.page;
  const domain::Epoch epoch = Context::PublicEpoch(page.head.epoch, history.generation);
  std::vector<MessagePtr> messages;
  domain::Revision upto = watcher->sent_upto();
  const domain::Epoch sent = watcher->want() == Watcher::Want::kStart && watcher->resume()
                                 ? watcher->resume()->epoch
                                 : watcher->epoch();
  // Of another history than the watcher's, or than the head that was confirmed.
  const bool another = epoch != public_epoch_ || (!sent.empty() && sent != public_epoch_);
  for (const log::StoredRecord& record : page.records) {
    if (another || record.revision > head_.revision) break;
    auto change = log::DecodeChange(record.bytes);
    if (!change.ok()) break;
    messages.push_back(
        context_->bytes->MakeMessage(context_->encoder.EncodeChange(showtime_, epoch, *change)));
    upto = record.revision;
  }
  Watcher::Want then = Watcher::Want::kHistory;
  if (messages.empty()) {
    then = Watcher::Want::kSnapshot;  // trimmed, or another history
  } else if (upto >= head_.revision) {
    then = Watcher::Want::kLive;
    // The reader knows from this that it has missed no more. While the store has failed nobody
    // knows: the head may be another by the time that it was read again.
    if (HasState(phase_)) {
      messages.push_back(
          context_->bytes->MakeMessage(context_->encoder.EncodeProgress({epoch, upto})));
    }
  }
  if (watcher->Deliver(messages, {another ? sent : epoch, upto}, then)) {
    effects.push_back([watcher] { watcher->Wake(); });
  }
}

void Actor::Sweep() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    const int64_t now_ms = context_->clock.MonotonicMs();
    if (seat_map_.built() && watchers_.empty() && now_ms - seat_map_used_ms_ > kSeatMapIdleMs) {
      seat_map_.Reset();
      cached_ = {};
      Weigh();
    }
    for (size_t i = watchers_.size(); i-- > 0;) {
      if (watchers_[i]->over()) Remove(std::shared_ptr<Watcher>(watchers_[i]));
    }
    if (!watchers_.empty()) last_used_ms_ = now_ms;
    // A store that failed may hold a change that the watchers were not shown: head_ is known to be
    // the head only once the log was read again, and no progress is claimed before.
    if (phase_ == Phase::kUnsettled || (!watchers_.empty() && !HasState(phase_))) {
      wanted_ = true;
      Step(effects);
    }
    if (!watchers_.empty() && HasState(phase_)) {
      context_->shared() ? AskForProgress(effects) : PushProgress(effects);
    }
  }
  Run(effects);
}

// Progress says where the head is: on a shared store that is to be confirmed first.
void Actor::AskForProgress(Effects& effects) {
  const int64_t idle_since_ms = context_->clock.MonotonicMs() - kProgressMs;
  progress_due_ = std::any_of(watchers_.begin(), watchers_.end(),
                              [&](const auto& watcher) { return watcher->idle(idle_since_ms); });
  // A hint that came while the store could not be asked still waits.
  if ((progress_due_ || hint_) && IsAtHead(phase_)) Step(effects);
}

void Actor::PushProgress(Effects& effects) {
  const int64_t idle_since_ms = context_->clock.MonotonicMs() - kProgressMs;
  const MessagePtr progress = context_->bytes->MakeMessage(
      context_->encoder.EncodeProgress({public_epoch_, head_.revision}));
  for (const auto& watcher : watchers_) {
    if (watcher->PushProgress(progress, idle_since_ms)) {
      effects.push_back([watcher] { watcher->Wake(); });
    }
  }
}

void Actor::EndWatches(const Failure& failure) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    for (const auto& watcher : watchers_) {
      if (watcher->End(failure)) effects.push_back([watcher] { watcher->Wake(); });
    }
  }
  Run(effects);
}

}  // namespace seatlock::engine
