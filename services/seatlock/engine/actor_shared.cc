// What an actor does because other servers write the store too: it asks before it speaks, takes in
// what others did, and finds out what became of a batch that may have landed.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

// Whether the store holds what was `sent` before; none: nobody can tell. An append goes in as a
// whole, so its last record speaks for all. Its first does not: two servers that free the same
// locks in the same millisecond write the same bytes.
std::optional<bool> HasLanded(const log::AppendResult& result,
                              const std::vector<log::StoredRecord>& sent) {
  if (result.missed.empty()) return std::nullopt;  // trimmed, or another history
  if (result.head.revision < sent.back().revision) return false;
  const size_t last = std::min(result.missed.size(), sent.size()) - 1;
  if (result.missed[last].chain != sent[last].chain) return false;
  if (last + 1 < sent.size()) return std::nullopt;  // the page ends before it
  return true;
}

bool IsForLocks(const domain::Command& command) {
  return std::holds_alternative<domain::LockSeats>(command.body) ||
         std::holds_alternative<domain::ExtendLocks>(command.body);
}

}  // namespace

void Actor::Hint(domain::Revision revision) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    // Who has no watchers asks when somebody asks it.
    if (retired_ || (watchers_.empty() && phase_ != Phase::kYielding)) return;
    if (revision.value() > 0 && HasState(phase_) && revision <= head_.revision) return;
    const bool unknown = revision.value() == 0 || (hint_ && hint_->value() == 0);
    hint_ = unknown ? domain::Revision() : std::max(revision, hint_.value_or(revision));
    if (IsAtHead(phase_)) Step(effects);
  }
  Run(effects);
}

void Actor::ExpireClaimed() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return;
    wanted_ = true;
    is_used_ = true;
    hint_ = domain::Revision();
    Step(effects);
  }
  Run(effects);
}

// Whether somebody wants to know that the state is the one at the store's head.
bool Actor::Asks() const {
  return context_->shared() && (!readers_.empty() || hint_ || progress_due_);
}

// Another server was first.
void Actor::OnConflict(log::AppendResult& result, Effects& effects) {
  context_->tries.appends.OnSuccess();
  NoteGeneration(std::move(result.generation));
  if (batch_->may_land_since_ms) {
    const std::optional<bool> landed = HasLanded(result, RecordsOf(showtime_, *batch_));
    if (landed == true) return OnLandedBefore(result, effects);
    // If it has not landed it can land no more: its head is behind.
    if (!landed) FailBatch(OutcomeUnknown(), effects);
  }
  if (result.rewritten) {
    ReportError(absl::AbortedError(absl::StrCat("the history of showtime ", showtime_.value(),
                                                " is another than at revision ",
                                                head_.revision.value(), ": read anew")),
                effects);
  }
  if (batch_ && !batch_->changes.empty()) yields_left_ = kYieldsAfterConflict;
  const size_t readers = batch_ ? batch_->readers : 0;
  const bool taken_back = batch_ && TakeBack();
  const size_t commands = batch_ ? DecideAgain(effects) : 0;
  if (!taken_back || !ApplyMissed(result, 0, effects)) {
    DropState(effects);
    wanted_ = true;
    Transition(Event::kConflict);
    return Step(effects);
  }
  Transition(Event::kTakenBack);
  if (head_ == result.head) {
    // The store's answer was the confirmation that they waited for: without it they would wait as
    // long as others change the showtime. If a lock that others made has lapsed, they wait until it
    // was freed.
    if (!Lapsed(Now())) {
      ServeFirstReaders(readers, effects);
      AnswerFirst(commands, effects);
    }
    NoteConfirmed(effects);
  }
  Step(effects);
}

// The batch went in when it was sent the time before, and others have gone on from there.
void Actor::OnLandedBefore(log::AppendResult& result, Effects& effects) {
  const size_t ours = batch_->changes.size();
  Transition(Event::kCommitted);
  head_ = batch_->after;
  NoteEpoch(effects);
  cached_ = {};
  for (const domain::Change& change : batch_->changes) Publish(change, effects);
  AcknowledgeBatch(effects);
  Weigh();
  // Whether or not that gets up to the head: the next confirmation tells.
  if (!ApplyMissed(result, ours, effects)) hint_ = domain::Revision();
  Step(effects);
}

// The store is short of room: locks are refused, all else is tried without them.
void Actor::OnNoRoom(const absl::Status& status, Effects& effects) {
  if (batch_->may_land_since_ms) return OnMayLand(status, effects);
  ReportError(status, effects);
  const bool taken_back = TakeBack();
  std::vector<Batch::Waiting> waiting = std::move(batch_->waiting);
  batch_->waiting.clear();
  for (Batch::Waiting& each : waiting) {
    // One that repeats a request which was made is answered as it was then.
    const bool made = std::holds_alternative<Batch::FromLog>(each.outcome);
    if (IsForLocks(each.work.command) && !made) {
      Reply(std::move(each.work),
            Failure{Failure::Kind::kOverloaded, "the store is short of room for locks"}, effects);
    } else {
      batch_->waiting.push_back(std::move(each));
    }
  }
  DecideAgain(effects);
  if (!taken_back) {
    DropState(effects);
    wanted_ = true;
    Transition(Event::kConflict);
  } else {
    Weigh();
    Transition(Event::kTakenBack);
  }
  Step(effects);
}

// The batch may have landed, or may land yet. The same is sent again: it lands now, or the answer
// says what became of it.
void Actor::OnMayLand(const absl::Status& status, Effects& effects) {
  const int64_t now_ms = context_->clock.MonotonicMs();
  context_->tries.appends.OnFailure(now_ms, returns_when_asked_);
  if (batch_->changes.empty()) return OnStoreFailed(Event::kNotAppended, status, effects);
  if (!batch_->may_land_since_ms) {
    ReportError(status, effects);
    batch_->may_land_since_ms = now_ms;
  }
  if (now_ms - *batch_->may_land_since_ms >= kSettleMs || context_->gate.closed()) {
    return OnStoreFailed(Event::kNotAppended, status, effects);
  }
  AwaitTick(Event::kMayLand, effects);
}

// Puts the commands of the batch back, in front of those that came later. How many.
size_t Actor::DecideAgain(Effects& effects) {
  size_t count = 0;
  Batch batch = *std::exchange(batch_, std::nullopt);
  for (auto waiting = batch.waiting.rbegin(); waiting != batch.waiting.rend(); ++waiting) {
    if (++waiting->work.conflicts > kConflictRetriesMax) {
      Reply(std::move(waiting->work),
            Failure{Failure::Kind::kOverloaded, "other servers keep changing this showtime first"},
            effects);
    } else {
      commands_.PutBack(std::move(waiting->work));
      ++count;
    }
  }
  return count;
}

// Takes the batch's changes back out of the state. False: that cannot be done (the store is
// exclusive).
bool Actor::TakeBack() {
  if (batch_->undos.size() != batch_->changes.size()) return false;
  while (!batch_->undos.empty()) {
    seat_map_.Touch(batch_->changes[batch_->undos.size() - 1]);
    state_.Revert(std::move(batch_->undos.back()));
    batch_->undos.pop_back();
  }
  return true;
}

// Takes in what others did, from record `from` of those that were missed on. False: the state
// cannot be had from them.
bool Actor::ApplyMissed(log::AppendResult& result, size_t from, Effects& effects) {
  if (result.missed.size() <= from) return false;
  for (size_t i = from; i < result.missed.size(); ++i) {
    const log::StoredRecord& record = result.missed[i];
    auto change = log::DecodeChange(record.bytes);
    if (!change.ok() || !state_.TryApply(*change).ok()) return false;
    seat_map_.Touch(*change);
    head_ = {result.head.epoch, record.revision, record.chain};
    NoteEpoch(effects);
    Publish(*change, effects);
  }
  cached_ = {};
  Weigh();
  if (head_ != result.head) hint_ = domain::Revision();  // there is more than one page
  return true;
}

void Actor::NoteGeneration(std::string generation) {
  if (context_->shared() && !generation.empty()) generation_ = std::move(generation);
}

// After head_ or generation_ has changed: where that is another epoch, all positions are void.
void Actor::NoteEpoch(Effects& effects) {
  domain::Epoch epoch = Context::PublicEpoch(head_.epoch, generation_);
  if (epoch == public_epoch_) return;
  public_epoch_ = std::move(epoch);
  cached_ = {};
  for (const auto& watcher : watchers_) {
    // At revision 0 or at a first change nothing of another history was shown.
    if (watcher->epoch().empty()) continue;
    if (watcher->Rejoin({public_epoch_, head_.revision})) {
      effects.push_back([watcher] { watcher->Wake(); });
    }
  }
}

// The state is the one at the store's head.
void Actor::NoteConfirmed(Effects& effects) {
  if (hint_ && hint_->value() > 0 && *hint_ <= head_.revision) hint_.reset();
  if (std::exchange(progress_due_, false)) PushProgress(effects);
}

void Actor::NoteWake(std::optional<int64_t> wake_ms) {
  if (!context_->shared() || retired_ || wake_ms == wake_ms_) return;
  context_->wakes.Move(showtime_, wake_ms_, wake_ms);
  wake_ms_ = wake_ms;
}

}  // namespace seatlock::engine
