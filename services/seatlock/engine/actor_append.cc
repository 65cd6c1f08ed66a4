// What becomes of an append: committed, lost to another server, failed, or unknown.
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"

namespace seatlock::engine {
namespace {

size_t LocksExpired(const std::vector<domain::Change>& changes) {
  size_t locks = 0;
  for (const domain::Change& change : changes) {
    if (change.cause == domain::Cause::kExpired) locks += change.seats.size();
  }
  return locks;
}

}  // namespace

void Actor::StartAppend(Batch batch, Effects& effects) {
  Transition(Event::kAppend);
  hint_.reset();
  batch_ = std::move(batch);
  SendBatch(effects);
}

void Actor::SendBatch(Effects& effects) {
  std::vector<log::StoredRecord> records = std::exchange(batch_->records, {});
  if (records.empty()) records = RecordsOf(showtime_, *batch_);
  log::AppendRequest request{showtime_,
                             batch_->before,
                             batch_->after.epoch,
                             std::move(records),
                             state_.earliest_expire_ms(),
                             TakesRoom(*batch_),
                             Sells(*batch_)};
  batch_->started_us = context_->clock.MonotonicUs();
  returns_when_asked_ = context_->log.Returns();
  effects.append = [self = shared_from_this(), request = std::move(request)]() mutable {
    log::AppendResult stopped;
    stopped.status = absl::UnavailableError("the service is stopping");
    // What sells is not answered behind a crowd's locks.
    base::Executor& completions =
        request.sells ? self->context_->selling_completions : self->context_->completions;
    CallLog<log::AppendResult>(
        self->context_, completions,
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
        OnCommitted(result, effects);
        break;
      case log::AppendResult::Outcome::kConflict:
        OnConflict(result, effects);
        break;
      case log::AppendResult::Outcome::kNoRoom:
        OnNoRoom(result.status, effects);
        break;
      case log::AppendResult::Outcome::kNotAppended:
        OnNotAppended(result.status, effects);
        break;
      case log::AppendResult::Outcome::kUnknown:
        if (context_->shared()) {
          OnMayLand(result.status, effects);
          break;
        }
        ReportError(result.status, effects);
        context_->tries.appends.OnFailure(context_->clock.MonotonicMs(), returns_when_asked_);
        Transition(Event::kUnknown);
        StartRecovery(effects);
        break;
    }
  }
  Run(effects);
}

void Actor::OnCommitted(log::AppendResult& result, Effects& effects) {
  Transition(Event::kCommitted);
  context_->tries.appends.OnSuccess();
  NoteGeneration(std::move(result.generation));
  const bool changed = !batch_->changes.empty();
  head_ = batch_->after;
  NoteEpoch(effects);
  if (changed) cached_ = {};
  for (const domain::Change& change : batch_->changes) Publish(change, effects);
  const size_t served = batch_->readers;
  const size_t commands = batch_->waiting.size();
  AcknowledgeBatch(effects);
  ServeFirstReaders(served, effects);
  NoteConfirmed(effects);
  if (changed) {
    MaybeSaveSnapshot(effects);
    Weigh();
    if (yields_left_ > 0) {
      --yields_left_;
      batch_to_yield_for_ = commands;
      AwaitTick(Event::kYield, effects);
    }
  }
  Step(effects);
}

// The first `count` of those who wait came before what was just confirmed was asked for.
void Actor::ServeFirstReaders(size_t count, Effects& effects) {
  std::deque<Reader> readers;
  for (size_t i = 0; i < count && !readers_.empty(); ++i) {
    readers.push_back(std::move(readers_.front()));
    readers_.pop_front();
  }
  ServeReaders(std::move(readers), effects);
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
    } else if (auto* from_log = std::get_if<Batch::FromLog>(&waiting.outcome)) {
      ReplayFromLog(std::move(waiting.work), from_log->revision, effects);
    } else {
      again.push_back(std::move(waiting.work));
    }
  }
  for (auto work = again.rbegin(); work != again.rend(); ++work)
    commands_.PutBack(std::move(*work));
}

void Actor::OnNotAppended(const absl::Status& status, Effects& effects) {
  // The batch is as good as it was: the state is kept, and the callers wait.
  if (absl::IsResourceExhausted(status)) return AwaitTick(Event::kTurnedAway, effects);
  // This time it did not go in, but the time before it may have.
  if (batch_->may_land_since_ms) return OnMayLand(status, effects);
  const bool damaged = absl::IsDataLoss(status);
  if (!damaged) {
    context_->tries.appends.OnFailure(context_->clock.MonotonicMs(), returns_when_asked_);
  }
  OnStoreFailed(damaged ? Event::kDamaged : Event::kNotAppended, status, effects);
}

void Actor::AwaitTick(Event event, Effects& effects) {
  Transition(event);
  if (std::exchange(awaits_tick_, true)) return;
  effects.push_back([self = shared_from_this()] {
    base::MutexLock lock(self->context_->resend_mu);
    self->context_->resend.push_back(self);
  });
}

void Actor::FailBatch(const Failure& failure, Effects& effects) {
  Batch batch = *std::exchange(batch_, std::nullopt);
  for (Batch::Waiting& waiting : batch.waiting) {
    Reply(std::move(waiting.work), failure, effects);
  }
}

// Fails what was never tried.
void Actor::FailWaiting(const Failure& failure, Effects& effects) {
  wanted_ = false;
  for (Work& work : commands_.TakeAll()) Reply(std::move(work), failure, effects);
  for (Reader& reader : std::exchange(readers_, {})) std::move(reader.fail)(failure, effects);
  for (Reader& reader : std::exchange(map_readers_, {})) std::move(reader.fail)(failure, effects);
  Tell(std::exchange(deletions_, {}), failure, effects);
}

void Actor::ReportError(const absl::Status& status, Effects& effects) {
  effects.push_back([context = context_, showtime = showtime_, status] {
    context->observer.OnStoreError(showtime, status);
  });
}

}  // namespace seatlock::engine
