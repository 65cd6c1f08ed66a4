// How an actor gets a state: by reading the log, after a failure too, when it also learns what
// became of its batch. And how a snapshot is kept, so that the next load is short.
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/engine/snapshot_saver.h"

namespace seatlock::engine {

void Actor::StartLoad(Effects& effects) {
  returns_when_asked_ = context_->log.Returns();
  effects.push_back([self = shared_from_this()] {
    LoadShowtime(self->context_, self->context_->background, self->showtime_,
                 [self](absl::StatusOr<Loaded> loaded) { self->OnLoaded(std::move(loaded)); });
  });
}

// Makes sure that the append whose outcome is unknown can land no more, then reads what is there.
void Actor::StartRecovery(Effects& effects) {
  returns_when_asked_ = context_->log.Returns();
  effects.push_back([self = shared_from_this()] {
    CallLog<absl::Status>(
        self->context_, self->context_->background,
        [self](auto done) { self->context_->log.Recover(std::move(done)); },
        [self](absl::Status status) { self->OnRecovered(status); },
        absl::UnavailableError("the service is stopping"));
  });
}

void Actor::OnRecovered(const absl::Status& status) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (status.ok()) {
      Transition(Event::kRecovered);
      StartLoad(effects);
    } else {
      OnStoreFailed(Event::kRecoveryFailed, status, effects);
    }
  }
  Run(effects);
}

// There is no state to go on from. What became of a batch is known only if it was not taken.
void Actor::OnStoreFailed(Event event, const absl::Status& status, Effects& effects) {
  // A shared store that is away says so itself, once: not each showtime each second.
  if (!context_->shared() || !absl::IsUnavailable(status)) ReportError(status, effects);
  last_failure_ = StoreUnavailable(status);
  const bool not_taken = phase_ == Phase::kAppending && batch_ && !batch_->may_land_since_ms;
  if (batch_) FailBatch(not_taken ? last_failure_ : OutcomeUnknown(), effects);
  // What is damaged can be deleted all the same.
  std::deque<Deletion> kept;
  if (event == Event::kDamaged) kept.swap(deletions_);
  FailWaiting(last_failure_, effects);
  deletions_.swap(kept);
  DropState(effects);
  Transition(event);
  if (!deletions_.empty()) Step(effects);
}

// Freeing a large state takes long: that happens without the lock.
void Actor::DropState(Effects& effects) {
  auto old = std::make_shared<domain::Showtime>(std::exchange(state_, domain::Showtime()));
  effects.push_back([old] {});
  seat_map_.Reset();
  cached_ = {};
  Weigh();
}

void Actor::OnLoaded(absl::StatusOr<Loaded> loaded) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    const bool damaged = absl::IsDataLoss(loaded.status());
    if (loaded.ok()) {
      context_->tries.loads.OnSuccess();
    } else if (!damaged && !absl::IsResourceExhausted(loaded.status())) {
      context_->tries.loads.OnFailure(context_->clock.MonotonicMs(), returns_when_asked_);
    }
    if (!loaded.ok()) {
      OnStoreFailed(damaged ? Event::kDamaged : Event::kReadFailed, loaded.status(), effects);
    } else {
      DropState(effects);
      state_ = std::move(loaded->state);
      head_ = std::move(loaded->head);
      NoteGeneration(context_->log.Generation());
      public_epoch_ = Context::PublicEpoch(head_.epoch, generation_);
      snapshot_revision_ = loaded->snapshot;
      Weigh();
      if (!batch_ || SettleBatch(effects)) Resume(effects);
    }
  }
  Run(effects);
}

// Tells those who wait whether the append had landed: it is one transaction, so its last record
// speaks for all. False: that record has to be read first (OnSettlePage).
bool Actor::SettleBatch(Effects& effects) {
  const log::Head& ours = batch_->after;
  if (head_.revision > ours.revision && head_.epoch == ours.epoch) {
    effects.push_back([self = shared_from_this(), revision = ours.revision] {
      self->ReadLog(revision, 1, [self](absl::StatusOr<log::Page> page) {
        self->OnSettlePage(std::move(page));
      });
    });
    return false;
  }
  if (head_ == ours) {
    AcknowledgeBatch(effects);
  } else {
    FailBatch(StoreUnavailable(absl::UnavailableError("the store failed; nothing was written")),
              effects);
  }
  return true;
}

void Actor::OnSettlePage(absl::StatusOr<log::Page> page) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (!page.ok() || page->records.empty()) {
      FailBatch(OutcomeUnknown(), effects);
    } else if (page->records.front().chain == batch_->after.chain) {
      AcknowledgeBatch(effects);
    } else {
      FailBatch(StoreUnavailable(absl::UnavailableError("nothing was written")), effects);
    }
    Resume(effects);
  }
  Run(effects);
}

// Goes on from a state that was just read.
void Actor::Resume(Effects& effects) {
  Transition(Event::kLoaded);
  for (const auto& watcher : watchers_) {
    if (watcher->Rejoin({public_epoch_, head_.revision}))
      effects.push_back([watcher] { watcher->Wake(); });
  }
  Step(effects);
}

void Actor::MaybeSaveSnapshot(Effects& effects) {
  const uint64_t tail = state_.revision().value() - snapshot_revision_.value();
  const size_t entries = state_.seat_count() + state_.order_count() + state_.request_count() +
                         state_.cancelled_seat_count();
  if (snapshotting_ || tail < kSnapshotTailMin || tail < entries) return;
  if (context_->clock.MonotonicMs() < next_snapshot_ms_) return;
  snapshotting_ = true;
  std::optional<Exported> state;
  if (entries <= kExportEntriesMax) state = Exported{head_, state_.Export()};
  effects.push_back([self = shared_from_this(), state = std::move(state)]() mutable {
    SaveSnapshot(self->context_, self->showtime_, std::move(state),
                 [self](const auto& saved) { self->OnSnapshotSaved(saved); });
  });
}

void Actor::OnSnapshotSaved(const absl::StatusOr<domain::Revision>& saved) {
  {
    base::MutexLock lock(mu_);
    snapshotting_ = false;
    if (saved.ok()) {
      snapshot_revision_ = *saved;
      next_snapshot_ms_ = 0;
    } else {
      next_snapshot_ms_ = context_->clock.MonotonicMs() + kSnapshotRetryMs;
    }
  }
  if (!saved.ok()) context_->observer.OnStoreError(showtime_, saved.status());
}

}  // namespace seatlock::engine
