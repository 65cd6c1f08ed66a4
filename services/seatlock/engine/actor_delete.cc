// The end of a showtime's history: the store deletes it, and whatever follows begins a new one.
#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"

namespace seatlock::engine {

bool Actor::Delete(Deletion& deletion) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return false;
    Use();
    ++context_->pending[Lane::kSelling];
    deletions_.push_back(std::move(deletion));
    if (deletions_.size() > kPendingPerShowtimeMax || context_->HasTooManyPending(Lane::kSelling)) {
      std::deque<Deletion> turned_away;
      turned_away.push_back(std::move(deletions_.back()));
      deletions_.pop_back();
      Tell(std::move(turned_away), Full("calls"), effects);
      LeaveIfNew(effects);
    } else {
      Step(effects);
    }
  }
  Run(effects);
  return true;
}

// Asks the store, if that can be done now. False: something is under way, or has failed, that comes
// first.
bool Actor::StartDelete(Effects& effects) {
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (!Next(phase_, Event::kDelete) || (phase_ == Phase::kFailed && Paused(now_ms))) return false;
  for (Deletion& deletion : std::exchange(deletions_, {})) {
    if (deletion.cancelled && deletion.cancelled()) {
      std::deque<Deletion> gone;
      gone.push_back(std::move(deletion));
      Tell(std::move(gone), CallerGone(), effects);
    } else {
      deleting_.push_back(std::move(deletion));
    }
  }
  if (deleting_.empty()) return false;
  if (!context_->tries.appends.May(now_ms, context_->log.Returns())) {
    Tell(std::exchange(deleting_, {}), NotNow(), effects);
    return false;
  }
  Transition(Event::kDelete);
  DropState(effects);
  returns_when_asked_ = context_->log.Returns();
  effects.append = [self = shared_from_this()] {
    CallLog<absl::Status>(
        self->context_, self->context_->completions,
        [self](auto done) { self->context_->log.Delete(self->showtime_, std::move(done)); },
        [self](const absl::Status& status) { self->OnDeleted(status); },
        absl::UnavailableError("the service is stopping"));
  };
  return true;
}

void Actor::OnDeleted(const absl::Status& status) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    std::deque<Deletion> deleted = std::exchange(deleting_, {});
    if (status.ok()) {
      context_->tries.appends.OnSuccess();
      for (const Deletion& deletion : deleted) {
        effects.push_back([context = context_, showtime = showtime_, who = deletion.principal] {
          context->observer.OnDeleted(showtime, who);
        });
      }
      Tell(std::move(deleted), std::nullopt, effects);
      snapshot_revision_ = domain::Revision();
      Transition(Event::kDeleted);
      wanted_ = wanted_ || !watchers_.empty();  // they are told as soon as it was read again
      Step(effects);
      LeaveIfUnused(effects);
    } else {
      const bool turned_away = absl::IsResourceExhausted(status);  // nothing was done
      if (!turned_away) {
        context_->tries.appends.OnFailure(context_->clock.MonotonicMs(), returns_when_asked_);
      }
      Tell(std::move(deleted), turned_away ? StoreUnavailable(status) : DeletionUnknown(), effects);
      OnStoreFailed(Event::kNotDeleted, status, effects);
    }
  }
  Run(effects);
}

// None: the showtime is gone.
void Actor::Tell(std::deque<Deletion> deletions, const std::optional<Failure>& failure,
                 Effects& effects) {
  for (Deletion& deletion : deletions) {
    effects.push_back(
        [context = context_, deletion = std::move(deletion), failure = failure]() mutable {
          --context->pending[Lane::kSelling];
          std::move(deletion.done)(std::move(failure));
        });
  }
}

}  // namespace seatlock::engine
