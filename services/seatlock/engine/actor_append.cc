// What becomes of an append: committed, lost to another server, failed, or unknown.
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

Failure StoreUnavailable(const absl::Status& status) {
  if (absl::IsResourceExhausted(status)) {
    return {Failure::Kind::kOverloaded, std::string(status.message())};
  }
  return {Failure::Kind::kStoreUnavailable, std::string(status.message())};
}

Failure OutcomeUnknown() {
  return {Failure::Kind::kOutcomeUnknown,
          "the store failed while this was being written; a retry with the same request_id tells"};
}

size_t LocksExpired(const std::vector<domain::Change>& changes) {
  size_t locks = 0;
  for (const domain::Change& change : changes) {
    if (change.cause == domain::Cause::kExpired) locks += change.seats.size();
  }
  return locks;
}

}  // namespace

void Actor::StartAppend(Batch batch, Effects& effects) {
  phase_ = Phase::kAppending;
  log::AppendRequest request{showtime_, batch.before, batch.after.epoch, std::move(batch.records),
                             state_.earliest_expire_ms()};
  batch.started_us = context_->clock.MonotonicUs();
  batch_ = std::move(batch);
  effects.append = [self = shared_from_this(), request = std::move(request)]() mutable {
    log::AppendResult stopped;
    stopped.status = absl::UnavailableError("the service is stopping");
    CallLog<log::AppendResult>(
        self->context_, self->context_->completions,
        [self, request = std::move(request)](auto done) mutable {
          self->context_->log.Append(std::move(request), std::move(done));
        },
        [self](log::AppendResult result) { self->OnAppended(std::move(result)); },
        std::move(stopped));
  };
}

void Actor::OnAppended(log::AppendResult result) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    context_->observer.OnAppend(batch_->changes.size(),
                                context_->clock.MonotonicUs() - batch_->started_us, result.outcome);
    switch (result.outcome) {
      case log::AppendResult::Outcome::kAppended:
        OnCommitted(effects);
        break;
      case log::AppendResult::Outcome::kConflict:
        OnConflict(effects);
        break;
      case log::AppendResult::Outcome::kNotAppended:
        context_->observer.OnStoreError(showtime_, result.status);
        FailBatch(StoreUnavailable(result.status), effects);
        phase_ = Phase::kUnloaded;
        Step(effects);
        break;
      case log::AppendResult::Outcome::kUnknown:
        context_->observer.OnStoreError(showtime_, result.status);
        StartRecovery(effects);
        break;
    }
  }
  Run(effects);
}

void Actor::OnCommitted(Effects& effects) {
  head_ = batch_->after;
  phase_ = Phase::kReady;
  cached_snapshot_.reset();
  for (const domain::Change& change : batch_->changes) Publish(change, effects);
  const size_t served = batch_->readers;
  AcknowledgeBatch(effects);
  std::deque<Reader> readers;
  for (size_t i = 0; i < served && !readers_.empty(); ++i) {
    readers.push_back(std::move(readers_.front()));
    readers_.pop_front();
  }
  ServeReaders(std::move(readers), effects);
  MaybeSnapshot(effects);
  Step(effects);
}

// Answers everybody who waits for the batch, whose changes are durable.
void Actor::AcknowledgeBatch(Effects& effects) {
  Batch batch = *std::exchange(batch_, std::nullopt);
  if (const size_t locks = LocksExpired(batch.changes)) context_->observer.OnExpired(locks);
  std::vector<Work> again;
  for (Batch::Waiting& waiting : batch.waiting) {
    if (auto* made = std::get_if<Batch::ByChange>(&waiting.outcome)) {
      domain::Answer answer = domain::AnswerFor(waiting.work.command, batch.changes[made->index]);
      Reply(std::move(waiting.work), std::move(answer), effects);
    } else if (auto* result = std::get_if<Result>(&waiting.outcome)) {
      Reply(std::move(waiting.work), std::move(*result), effects);
    } else {
      again.push_back(std::move(waiting.work));
    }
  }
  commands_.insert(commands_.begin(), std::make_move_iterator(again.begin()),
                   std::make_move_iterator(again.end()));
}

// Another server was first: what it did is read, and the commands are decided again.
void Actor::OnConflict(Effects& effects) {
  Batch batch = *std::exchange(batch_, std::nullopt);
  for (auto waiting = batch.waiting.rbegin(); waiting != batch.waiting.rend(); ++waiting) {
    if (++waiting->work.conflicts > kConflictRetriesMax) {
      Reply(std::move(waiting->work),
            Failure{Failure::Kind::kOverloaded, "other servers keep changing this showtime first"},
            effects);
    } else {
      commands_.push_front(std::move(waiting->work));
    }
  }
  wants_step_ = true;
  phase_ = Phase::kUnloaded;
  Step(effects);
}

void Actor::FailBatch(const Failure& failure, Effects& effects) {
  Batch batch = *std::exchange(batch_, std::nullopt);
  for (Batch::Waiting& waiting : batch.waiting) {
    Reply(std::move(waiting.work), failure, effects);
  }
}

// Fails what was never tried.
void Actor::FailWaiting(const Failure& failure, Effects& effects) {
  for (Work& work : std::exchange(commands_, {})) Reply(std::move(work), failure, effects);
  for (Reader& reader : std::exchange(readers_, {})) std::move(reader.fail)(failure, effects);
}

void Actor::StartLoad(Effects& effects) {
  if (needs_recovery_) return StartRecovery(effects);
  phase_ = batch_ ? Phase::kSettling : Phase::kLoading;
  effects.push_back([self = shared_from_this()] {
    LoadShowtime(self->context_, self->showtime_,
                 [self](absl::StatusOr<Loaded> loaded) { self->OnLoaded(std::move(loaded)); });
  });
}

// Makes sure that the append whose outcome is unknown can land no more, then reads what is there.
void Actor::StartRecovery(Effects& effects) {
  phase_ = Phase::kSettling;
  needs_recovery_ = true;
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
      needs_recovery_ = false;
      StartLoad(effects);
    } else {
      OnStoreFailed(status, effects);
    }
  }
  Run(effects);
}

// There is no state to go on from, and no saying what became of a batch.
void Actor::OnStoreFailed(const absl::Status& status, Effects& effects) {
  context_->observer.OnStoreError(showtime_, status);
  if (batch_) FailBatch(OutcomeUnknown(), effects);
  FailWaiting(StoreUnavailable(status), effects);
  phase_ = Phase::kUnloaded;
  wants_step_ = false;
  const bool damaged = absl::IsDataLoss(status);
  no_expiry_before_ms_ = context_->clock.MonotonicMs() + (damaged ? kDamagedRetryMs : kLoadRetryMs);
}

void Actor::OnLoaded(absl::StatusOr<Loaded> loaded) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (!loaded.ok()) {
      OnStoreFailed(loaded.status(), effects);
    } else {
      state_ = std::move(loaded->state);
      head_ = std::move(loaded->head);
      snapshot_revision_ = loaded->snapshot;
      cached_snapshot_.reset();
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
  phase_ = Phase::kReady;
  for (const auto& watcher : watchers_) {
    if (watcher->Rejoin(head_.revision)) effects.push_back([watcher] { watcher->Wake(); });
  }
  Step(effects);
}

void Actor::MaybeSnapshot(Effects& effects) {
  const uint64_t tail = state_.revision().value() - snapshot_revision_.value();
  const size_t entries = state_.seat_count() + state_.order_count() + state_.request_count();
  if (snapshotting_ || tail < kSnapshotTailMin || tail < entries) return;
  snapshotting_ = true;
  effects.push_back([self = shared_from_this(), head = head_,
                     parts = std::make_shared<domain::ShowtimeParts>(state_.Export())] {
    self->context_->background.Post([self, head, parts] {
      CallLog<absl::Status>(
          self->context_, self->context_->background,
          [self, head, parts](auto done) {
            self->context_->log.SaveSnapshot(self->showtime_, {head, log::EncodeSnapshot(*parts)},
                                             std::move(done));
          },
          [self, revision = head.revision](absl::Status status) {
            self->OnSnapshotSaved(revision, status);
          },
          absl::UnavailableError("the service is stopping"));
    });
  });
}

void Actor::OnSnapshotSaved(domain::Revision revision, const absl::Status& status) {
  {
    base::MutexLock lock(mu_);
    snapshotting_ = false;
    if (!status.ok()) {
      context_->observer.OnStoreError(showtime_, status);
      return;
    }
    snapshot_revision_ = revision;
  }
  CallLog<absl::Status>(
      context_, context_->background,
      [this](auto done) {
        context_->log.Trim(showtime_, context_->clock.NowMs() - kHistoryMs, kHistoryChanges,
                           std::move(done));
      },
      [self = shared_from_this()](absl::Status trimmed) {
        if (!trimmed.ok()) self->context_->observer.OnStoreError(self->showtime_, trimmed);
      },
      absl::OkStatus());
}

}  // namespace seatlock::engine
