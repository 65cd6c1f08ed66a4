#include "services/seatlock/engine/actor.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/engine/registry.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

constexpr char kTooManyWait[] = "too many calls wait for this showtime; try again shortly";

Failure Overloaded(const char* why) {
  return {Failure::Kind::kOverloaded, why};
}

// The answer that the change at the front of `page` gave to `command`. If it cannot be read, the
// caller must not hear that nothing was done: it was.
Result ReplayedAnswer(const domain::Command& command, const absl::StatusOr<log::Page>& page) {
  const Failure unread{Failure::Kind::kOutcomeUnknown,
                       "this request was made before, and its answer cannot be read now"};
  if (!page.ok() || page->records.empty()) return unread;
  auto change = log::DecodeChange(page->records.front().bytes);
  // Where another server's history took its place meanwhile, it is another request's.
  if (!change.ok() || !change->request || !command.request_id ||
      change->request->id != *command.request_id) {
    return unread;
  }
  return domain::AnswerFor(command, *change);
}

// Whether `result` hands out a lock that has ended.
bool HandsOutEndedLock(const Result& result, int64_t now_ms) {
  const auto* answer = std::get_if<domain::Answer>(&result);
  return answer != nullptr &&
         std::any_of(answer->locks.begin(), answer->locks.end(),
                     [now_ms](const domain::Lock& lock) { return lock.expire_ms <= now_ms; });
}

bool IsPassing(const Query& query) {
  return query.is_passing;
}
bool IsPassing(const SnapshotQuery& /*query*/) {
  return false;
}

// What `decision`, which is an answer or a refusal, tells.
Result ResultOf(domain::Decision decision) {
  if (auto* answer = std::get_if<domain::Answer>(&decision)) return std::move(*answer);
  return std::get<domain::Refusal>(std::move(decision));
}

Result LockExpired() {
  domain::Refusal refusal;
  refusal.reason = domain::Reason::kLockExpired;
  refusal.message = "the lock that this request got has ended; lock again with a new request_id";
  return refusal;
}

}  // namespace

Actor::Actor(std::shared_ptr<Context> context, domain::ShowtimeId showtime)
    : context_(std::move(context)),
      showtime_(std::move(showtime)),
      seat_map_(context_->encoder, *context_->bytes) {
  last_used_ms_ = context_->clock.MonotonicMs();
  generation_ = context_->log.Generation();
}

Actor::~Actor() {
  if (wake_ms_) context_->wakes.Move(showtime_, wake_ms_, std::nullopt);
  context_->state_bytes -= weight_;
}

void Actor::Run(Effects& effects) {
  if (effects.append) std::move(effects.append)();
  for (base::Task& task : effects.rest) std::move(task)();
}

void Actor::Transition(Event event) {
  const std::optional<Phase> next = Next(phase_, event);
  if (!next) {
    std::fprintf(stderr, "Actor: %s cannot happen in %s\n", Name(event), Name(phase_));
    std::abort();
  }
  phase_ = *next;
  const int64_t pause_ms = PauseMs(phase_);
  if (pause_ms == 0) return;
  retry_at_ms_ = context_->clock.MonotonicMs() + pause_ms;
  returns_at_failure_ = returns_when_asked_;
}

bool Actor::Submit(Work& work) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return false;
    Use();
    const Lane lane = LaneOf(work.command);
    ++context_->pending[lane];
    if (commands_.size(lane) >= kPendingPerShowtimeMax || context_->HasTooManyPending(lane)) {
      Reply(std::move(work), Overloaded(kTooManyWait), effects);
      LeaveIfNew(effects);
    } else {
      commands_.Push(std::move(work));
      Step(effects);
    }
  }
  Run(effects);
  return true;
}

// Takes `query`, to be handed to `serve` once there is a committed state (Reader::serve).
template <typename AnyQuery>
bool Actor::Enqueue(AnyQuery& query, bool (Actor::*serve)(AnyQuery&, Effects&)) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return false;
    if (!IsPassing(query)) Use();
    ++context_->pending[Lane::kReading];
    auto shared = std::make_shared<AnyQuery>(std::move(query));
    ++reads_waiting_;
    auto fail = [this, shared](const Failure& failure, Effects& out)
                    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                      --reads_waiting_;
                      --context_->pending[Lane::kReading];
                      out.push_back([shared, failure] { std::move(shared->fail)(failure); });
                    };
    if (reads_waiting_ >= kPendingPerShowtimeMax || context_->HasTooManyPending(Lane::kReading)) {
      fail(Overloaded(kTooManyWait), effects);
      LeaveIfNew(effects);
    } else {
      auto serve_or_drop = [this, shared, fail, serve](Effects& out)
                               ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                                 if (shared->cancelled && shared->cancelled()) {
                                   fail(CallerGone(), out);
                                   return true;
                                 }
                                 if (!(this->*serve)(*shared, out)) return false;
                                 --reads_waiting_;
                                 --context_->pending[Lane::kReading];
                                 return true;
                               };
      readers_.push_back({std::move(serve_or_drop), fail});
      Step(effects);
    }
  }
  Run(effects);
  return true;
}

bool Actor::Read(Query& query) {
  return Enqueue(query, &Actor::Serve);
}

bool Actor::Read(SnapshotQuery& query) {
  return Enqueue(query, &Actor::ServeSnapshot);
}

bool Actor::Serve(Query& query, Effects& effects) {
  effects.push_back(std::move(query.read)(View{state_, public_epoch_, Now()}));
  return true;
}

bool Actor::ServeSnapshot(SnapshotQuery& query, Effects& effects) {
  std::shared_ptr<const SeatSnapshot> snapshot = Snapshot(effects);
  if (snapshot == nullptr) return false;
  effects.push_back([done = std::move(query.done), snapshot = std::move(snapshot)]() mutable {
    std::move(done)(std::move(snapshot));
  });
  return true;
}

void Actor::Expire() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return;
    is_used_ = true;
    wanted_ = true;
    Step(effects);
  }
  Run(effects);
}

bool Actor::Resend(bool stopping) {
  Effects effects;
  bool waits = false;
  {
    base::MutexLock lock(mu_);
    if (HoldsBatch(phase_) && stopping) {
      Transition(Event::kWanted);
      SendBatch(effects);
    } else if (HoldsBatch(phase_)) {
      Step(effects);
      waits = HoldsBatch(phase_);
    } else if (phase_ == Phase::kYielding) {
      yields_left_ = 0;  // nobody else wants to change the showtime
      Transition(Event::kWanted);
      Step(effects);
    }
    awaits_tick_ = waits;
  }
  Run(effects);
  return !waits;
}

bool Actor::Unused() const {
  return commands_.empty() && deletions_.empty() && readers_.empty() && map_readers_.empty() &&
         watchers_.empty() && !batch_ && !snapshotting_ && !refreshing_;
}

bool Actor::Retire(bool now) {
  base::MutexLock lock(mu_);
  if (retired_) return true;
  // A showtime whose store fails stays, so that its pause is kept whoever asks.
  const bool at_rest = IsAtHead(phase_) || phase_ == Phase::kUnloaded;
  const int64_t now_ms = context_->clock.MonotonicMs();
  const bool paused = Paused(now_ms);
  // One that is unsettled stays until the log has made sure of the outcome.
  const bool failed = phase_ == Phase::kFailed || phase_ == Phase::kDamaged;
  if (!(at_rest || failed) || paused || !Unused()) return false;
  if (!now && !failed && now_ms - last_used_ms_ < kIdleMs) return false;
  // Another actor may come to be for the showtime while this one is still held by a call.
  NoteWake(std::nullopt);
  retired_ = true;
  return true;
}

// A store that says that it is back is not waited for. What it holds is damaged all the same.
bool Actor::Paused(int64_t now_ms) const {
  const bool back = context_->log.Returns() != returns_at_failure_;
  return now_ms < retry_at_ms_ && (!back || phase_ == Phase::kDamaged);
}

int64_t Actor::last_used_ms() const {
  base::MutexLock lock(mu_);
  return last_used_ms_;
}

int64_t Actor::Now() const {
  return std::max(context_->clock.NowMs(), state_.commit_ms());
}

bool Actor::Lapsed(int64_t now_ms) const {
  const std::optional<int64_t> earliest = state_.earliest_expire_ms();
  return earliest && *earliest <= now_ms;
}

// Goes on with whatever waits, as far as the phase allows.
void Actor::Step(Effects& effects) {
  if (!deletions_.empty() && StartDelete(effects)) return;
  if (phase_ == Phase::kReady) return StepReady(effects);
  if (phase_ == Phase::kYielding) return StepYielding(effects);
  const bool resend = HoldsBatch(phase_);
  const bool wanted =
      resend || wanted_ || !commands_.empty() || !readers_.empty() || !deletions_.empty();
  if (!wanted || !Next(phase_, Event::kWanted)) return;  // nothing to do, or a call is under way
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (Paused(now_ms)) {
    if (!resend) FailWaiting(last_failure_, effects);
    return;
  }
  if (resend) {
    Transition(Event::kWanted);
    return SendBatch(effects);
  }
  if (context_->state_bytes > context_->memory.state) {
    FailWaiting(Overloaded("the showtimes in memory hold too much; try again shortly"), effects);
    return LeaveIfUnused(effects);
  }
  if (!context_->tries.loads.May(now_ms, context_->log.Returns())) {
    FailWaiting(NotNow(), effects);
    return LeaveIfUnused(effects);
  }
  const bool recover = phase_ == Phase::kUnsettled;
  Transition(Event::kWanted);
  recover ? StartRecovery(effects) : StartLoad(effects);
}

void Actor::StepReady(Effects& effects) {
  wanted_ = false;
  const int64_t now_ms = Now();
  const bool lapsed = Lapsed(now_ms);
  const bool shared = context_->shared();
  if (!lapsed && !shared) ServeReaders(std::exchange(readers_, {}), effects);
  if (!commands_.empty() || lapsed || Asks()) {
    Batch batch = EmptyBatch();
    // Nobody is served before a lapsed lock has been freed, nor, of a shared store, before it was
    // asked.
    if ((lapsed || shared) && !MayAppend(batch)) return FailWaiting(NotNow(), effects);
    Decide(now_ms, batch, effects);
    if (!batch.changes.empty() || !batch.waiting.empty() || Asks()) {
      return StartAppend(std::move(batch), effects);
    }
  }
  LeaveIfNew(effects);
}

// A question, as long as no change is added.
Batch Actor::EmptyBatch() const {
  Batch batch;
  batch.before = head_;
  batch.after = head_;
  batch.readers = readers_.size();
  return batch;
}

void Actor::StepYielding(Effects& effects) {
  const bool full = commands_.size() >= batch_to_yield_for_;
  const bool lapsed = Lapsed(Now());
  if (!full && !wanted_ && !lapsed && !Asks()) return;
  Transition(Event::kWanted);
  if (!hint_ || lapsed) return StepReady(effects);
  // Others went first: what is decided before their changes are here would be too late.
  yields_left_ = kYieldsAfterConflict;
  Batch question = EmptyBatch();
  if (!MayAppend(question)) return FailWaiting(NotNow(), effects);
  StartAppend(std::move(question), effects);
}

void Actor::Use() {
  is_used_ = true;
  last_used_ms_ = context_->clock.MonotonicMs();
}

// What never came into being need not stay: calls on invented ids fill nothing. Nor what only lists
// have asked for: they ask for everything.
void Actor::LeaveIfNew(Effects& effects) {
  const bool known = IsAtHead(phase_) && head_.revision.value() > 0;
  if (!known || !is_used_) LeaveIfUnused(effects);
}

void Actor::LeaveIfUnused(Effects& effects) {
  if (!Unused()) return;
  effects.push_back([self = shared_from_this()] {
    if (auto registry = self->context_->registry.lock()) registry->LetGo(self, /*now=*/true);
  });
}

void Actor::ServeReaders(std::deque<Reader> readers, Effects& effects) {
  for (Reader& reader : readers) {
    if (!reader.serve(effects)) map_readers_.push_back(std::move(reader));
  }
}

// Whether the store may be asked to take `batch`. Looked at when the first change wants to go in,
// so that refusals use up no try.
bool Actor::MayAppend(Batch& batch) {
  if (!batch.may_append) {
    const int64_t now_ms = context_->clock.MonotonicMs();
    batch.may_append =
        !Paused(now_ms) && context_->tries.appends.May(now_ms, context_->log.Returns());
  }
  return *batch.may_append;
}

void Actor::Decide(int64_t now_ms, Batch& batch, Effects& effects) {
  while (Lapsed(now_ms) && batch.bytes < kBatchBytesMax) {
    auto decision =
        domain::Decide(state_, domain::Command{{}, domain::ExpireLocks{}}, now_ms, context_->rules);
    AddChange(std::get<domain::Change>(std::move(decision)), batch);
  }
  // If more has lapsed than one append takes, the commands wait for the next.
  while (!commands_.empty() && batch.waiting.size() < kBatchCommandsMax &&
         batch.bytes < kBatchBytesMax) {
    Work work = commands_.Pop(/*locking_first=*/batch.waiting.size() >= kBatchSellingMax);
    DecideOne(std::move(work), now_ms, batch, effects);
  }
}

void Actor::DecideOne(Work work, int64_t now_ms, Batch& batch, Effects& effects) {
  if (work.cancelled && work.cancelled()) return Reply(std::move(work), CallerGone(), effects);
  domain::Decision decision = domain::Decide(state_, work.command, now_ms, context_->rules);
  if (auto* change = std::get_if<domain::Change>(&decision)) {
    if (!MayAppend(batch)) return Reply(std::move(work), NotNow(), effects);
    AddChange(std::move(*change), batch);
    batch.waiting.push_back({std::move(work), Batch::ByChange{batch.changes.size() - 1}});
    return;
  }
  if (auto* replay = std::get_if<domain::Replay>(&decision)) {
    if (replay->revision > head_.revision) {
      batch.waiting.push_back({std::move(work), Batch::Again{}});
    } else if (context_->shared()) {
      batch.waiting.push_back({std::move(work), Batch::FromLog{replay->revision}});
    } else {
      ReplayFromLog(std::move(work), replay->revision, effects);
    }
    return;
  }
  Result result = ResultOf(std::move(decision));
  if (batch.changes.empty() && !context_->shared()) {
    return Reply(std::move(work), std::move(result), effects);
  }
  batch.waiting.push_back({std::move(work), std::move(result)});
}

// Answers the first `count` commands, which came before the state was confirmed, up to one that
// needs a change: those behind it keep their order.
void Actor::AnswerFirst(size_t count, Effects& effects) {
  const int64_t now_ms = Now();
  for (; count > 0; --count) {
    domain::Decision decision =
        domain::Decide(state_, commands_.front().command, now_ms, context_->rules);
    if (std::holds_alternative<domain::Change>(decision)) return;
    Work work = commands_.Pop();
    if (auto* replay = std::get_if<domain::Replay>(&decision)) {
      ReplayFromLog(std::move(work), replay->revision, effects);
    } else {
      Reply(std::move(work), ResultOf(std::move(decision)), effects);
    }
  }
}

void Actor::AddChange(domain::Change change, Batch& batch) {
  if (batch.after.revision.value() == 0) {
    batch.after.epoch = domain::Epoch(context_->new_epoch());
    batch.after.chain = log::ChainStart(showtime_, batch.after.epoch);
  }
  batch.records.push_back(NextRecord(batch.after, change));
  const log::StoredRecord& record = batch.records.back();
  batch.after.revision = record.revision;
  batch.after.chain = record.chain;
  batch.bytes += record.bytes.size();
  if (context_->shared()) {
    batch.undos.push_back(state_.ApplyUndoable(change));
  } else {
    state_.Apply(change);
  }
  seat_map_.Touch(change);
  batch.changes.push_back(std::move(change));
}

void Actor::Reply(Work work, Result result, Effects& effects) {
  effects.push_back(
      [context = context_, work = std::move(work), result = std::move(result)]() mutable {
        --context->pending[LaneOf(work.command)];
        if (HandsOutEndedLock(result, context->clock.NowMs())) result = LockExpired();
        context->observer.OnResult(work.command, result);
        std::move(work.done)(std::move(result));
      });
}

void Actor::ReplayFromLog(Work work, domain::Revision revision, Effects& effects) {
  effects.push_back([self = shared_from_this(), work = std::move(work), revision]() mutable {
    self->ReadLog(revision, 1,
                  [self, work = std::move(work)](absl::StatusOr<log::Page> page) mutable {
                    Result result = ReplayedAnswer(work.command, page);
                    Effects late;
                    self->Reply(std::move(work), std::move(result), late);
                    Run(late);
                  });
  });
}

void Actor::ReadLog(domain::Revision from, size_t max_records,
                    absl::AnyInvocable<void(absl::StatusOr<log::Page>) &&> handle) {
  const uint64_t returns = context_->log.Returns();
  if (!context_->tries.loads.May(context_->clock.MonotonicMs(), returns)) {
    context_->background.Post([handle = std::move(handle)]() mutable {
      std::move(handle)(absl::UnavailableError("the store cannot be read now"));
    });
    return;
  }
  CallLog<absl::StatusOr<log::Page>>(
      context_, context_->background,
      [this, from, max_records](auto done) {
        context_->log.Read(showtime_, from, max_records, std::move(done));
      },
      [context = context_, returns, handle = std::move(handle)](auto page) mutable {
        if (page.ok()) {
          context->tries.loads.OnSuccess();
        } else if (absl::IsUnavailable(page.status())) {
          context->tries.loads.OnFailure(context->clock.MonotonicMs(), returns);
        }
        std::move(handle)(std::move(page));
      },
      absl::UnavailableError("the service is stopping"));
}

// Tells the context how much the showtime holds, and when it next needs attention.
void Actor::Weigh() {
  NoteWake(state_.earliest_expire_ms());
  const int64_t weight = static_cast<int64_t>(state_.ApproximateBytes()) + seat_map_.weight();
  context_->state_bytes += weight - weight_;
  weight_ = weight;
}

}  // namespace seatlock::engine
