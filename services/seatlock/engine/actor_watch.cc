// How watchers are served: live changes are pushed, all else is fetched when a reader asks.
#include <algorithm>
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {

bool Actor::Watch(const std::shared_ptr<Watcher>& watcher) {
  base::MutexLock lock(mu_);
  if (retired_) return false;
  last_used_ms_ = context_->clock.MonotonicMs();
  ++context_->watchers;
  watchers_.push_back(watcher);
  return true;
}

void Actor::Fetch(std::shared_ptr<Watcher> watcher) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    last_used_ms_ = context_->clock.MonotonicMs();
    readers_.push_back({[this, watcher](Effects& out)
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { ServeWatcher(watcher, out); },
                        [watcher](const Failure& failure, Effects& out) {
                          if (watcher->End(failure)) out.push_back([watcher] { watcher->Wake(); });
                        }});
    Step(effects);
  }
  Run(effects);
}

void Actor::Publish(const domain::Change& change, Effects& effects) {
  if (watchers_.empty()) return;
  const Bytes bytes = context_->encoder.EncodeChange(showtime_, head_.epoch, change);
  const int64_t now_ms = context_->clock.MonotonicMs();
  for (const auto& watcher : watchers_) {
    switch (watcher->Push(bytes, change.revision, now_ms)) {
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

void Actor::ServeWatcher(const std::shared_ptr<Watcher>& watcher, Effects& effects) {
  const int64_t now_ms = context_->clock.MonotonicMs();
  const std::optional<Position>& resume = watcher->resume();
  const bool starting = watcher->want() == Watcher::Want::kStart;
  if (starting && !resume && head_.revision.value() > 0) {
    return DeliverSnapshot(watcher, /*replaces=*/false, effects);
  }
  // Who has seen no change yet, and so no epoch, has missed those from 1 on.
  const bool known = !starting || !resume || resume->epoch == head_.epoch || *resume == Position{};
  const domain::Revision at = watcher->sent_upto();
  if (watcher->want() == Watcher::Want::kSnapshot || !known || (starting && at > head_.revision)) {
    return DeliverSnapshot(watcher, /*replaces=*/true, effects);
  }
  if (at < head_.revision) return FetchHistory(watcher, effects);
  std::vector<Bytes> items;
  if (watcher->untouched()) {
    items.push_back(context_->encoder.EncodeProgress({head_.epoch, head_.revision}));
  }
  if (watcher->Deliver(std::move(items), at, Watcher::Want::kLive, now_ms)) {
    effects.push_back([watcher] { watcher->Wake(); });
  }
}

void Actor::DeliverSnapshot(const std::shared_ptr<Watcher>& watcher, bool replaces,
                            Effects& effects) {
  if (!cached_snapshot_ || cached_snapshot_->revision != head_.revision ||
      cached_snapshot_->replaces != replaces) {
    cached_snapshot_ =
        CachedSnapshot{head_.revision, replaces,
                       context_->encoder.EncodeSnapshot(showtime_, head_.epoch, state_, replaces)};
  }
  if (watcher->Deliver(cached_snapshot_->messages, head_.revision, Watcher::Want::kLive,
                       context_->clock.MonotonicMs())) {
    effects.push_back([watcher] { watcher->Wake(); });
  }
}

void Actor::FetchHistory(const std::shared_ptr<Watcher>& watcher, Effects& effects) {
  auto read = [self = shared_from_this(), watcher] {
    self->ReadLog(watcher->sent_upto().Next(), log::kPageRecordsMax,
                  [self, watcher](absl::StatusOr<log::Page> page) {
                    self->OnHistory(watcher, std::move(page));
                    self->context_->history.Release();
                  });
  };
  effects.push_back([context = context_, read = std::move(read)]() mutable {
    context->history.Acquire(std::move(read));
  });
}

void Actor::OnHistory(const std::shared_ptr<Watcher>& watcher, absl::StatusOr<log::Page> page) {
  if (!page.ok()) {
    if (watcher->End({Failure::Kind::kStoreUnavailable, page.status().ToString()})) {
      watcher->Wake();
    }
    return;
  }
  std::vector<Bytes> items;
  domain::Revision upto = watcher->sent_upto();
  for (const log::StoredRecord& record : page->records) {
    auto change = log::DecodeChange(record.bytes);
    if (!change.ok()) break;
    items.push_back(context_->encoder.EncodeChange(showtime_, page->head.epoch, *change));
    upto = record.revision;
  }
  bool wake;
  {
    base::MutexLock lock(mu_);
    Watcher::Want then = Watcher::Want::kHistory;
    if (items.empty()) {
      then = Watcher::Want::kSnapshot;  // trimmed, or another history than the watcher's
    } else if (upto >= head_.revision) {
      then = Watcher::Want::kLive;
    }
    wake = watcher->Deliver(std::move(items), upto, then, context_->clock.MonotonicMs());
  }
  if (wake) watcher->Wake();
}

void Actor::Sweep() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    const size_t before = watchers_.size();
    std::erase_if(watchers_, [](const auto& watcher) { return watcher->over(); });
    context_->watchers -= before - watchers_.size();
    if (watchers_.empty()) return;
    last_used_ms_ = context_->clock.MonotonicMs();
    // A store that failed may hold a change that the watchers were not shown: head_ is known to be
    // the head only once the log was read again, and no progress is claimed before.
    if (phase_ == Phase::kUnloaded && last_used_ms_ >= no_expiry_before_ms_) {
      wants_step_ = true;
      Step(effects);
    }
    if (phase_ == Phase::kReady || phase_ == Phase::kAppending) PushProgress(effects);
  }
  Run(effects);
}

void Actor::PushProgress(Effects& effects) {
  const int64_t now_ms = context_->clock.MonotonicMs();
  const Bytes progress = context_->encoder.EncodeProgress({head_.epoch, head_.revision});
  for (const auto& watcher : watchers_) {
    if (watcher->PushProgress(progress, now_ms - kProgressMs, now_ms)) {
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
