#include "services/seatlock/engine/actor.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

Failure Overloaded() {
  return {Failure::Kind::kOverloaded, "too many calls wait for this showtime; try again shortly"};
}

// The answer that the change at the front of `page` gave to `command`. Where it cannot be read, the
// caller must not hear that nothing was done: it was.
Result ReplayedAnswer(const domain::Command& command, const absl::StatusOr<log::Page>& page) {
  const Failure unread{Failure::Kind::kOutcomeUnknown,
                       "this request was made before, and its answer cannot be read now"};
  if (!page.ok() || page->records.empty()) return unread;
  auto change = log::DecodeChange(page->records.front().bytes);
  if (!change.ok()) return unread;
  return domain::AnswerFor(command, *change);
}

}  // namespace

Actor::Actor(std::shared_ptr<Context> context, domain::ShowtimeId showtime)
    : context_(std::move(context)), showtime_(std::move(showtime)) {
  last_used_ms_ = context_->clock.MonotonicMs();
}

void Actor::Run(Effects& effects) {
  if (effects.append) std::move(effects.append)();
  for (base::Task& task : effects.rest) std::move(task)();
}

bool Actor::Submit(Work& work) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return false;
    last_used_ms_ = context_->clock.MonotonicMs();
    ++context_->pending;
    if (commands_.size() >= kPendingPerShowtimeMax || context_->pending > kPendingMax) {
      Reply(std::move(work), Overloaded(), effects);
    } else {
      commands_.push_back(std::move(work));
      Step(effects);
    }
  }
  Run(effects);
  return true;
}

bool Actor::Read(Query& query) {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_) return false;
    last_used_ms_ = context_->clock.MonotonicMs();
    if (readers_.size() >= kPendingPerShowtimeMax) {
      effects.push_back(
          [fail = std::move(query.fail)]() mutable { std::move(fail)(Overloaded()); });
    } else {
      auto shared = std::make_shared<Query>(std::move(query));
      readers_.push_back({[this, shared](Effects& out) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                            out.push_back(std::move(shared->read)(View{state_, head_.epoch}));
                          },
                          [shared](const Failure& failure, Effects& out) {
                            out.push_back([shared, failure] { std::move(shared->fail)(failure); });
                          }});
      Step(effects);
    }
  }
  Run(effects);
  return true;
}

void Actor::Expire() {
  Effects effects;
  {
    base::MutexLock lock(mu_);
    if (retired_ || context_->clock.MonotonicMs() < no_expiry_before_ms_) return;
    wants_step_ = true;
    Step(effects);
  }
  Run(effects);
}

bool Actor::Retire() {
  base::MutexLock lock(mu_);
  if (phase_ != Phase::kReady && phase_ != Phase::kUnloaded) return false;
  if (!commands_.empty() || !readers_.empty() || !watchers_.empty() || snapshotting_) return false;
  const int64_t idle_ms = head_.revision.value() == 0 ? kIdleEmptyMs : kIdleMs;
  if (context_->clock.MonotonicMs() - last_used_ms_ < idle_ms) return false;
  retired_ = true;
  return true;
}

int64_t Actor::Now() const {
  return std::max(context_->clock.NowMs(), state_.commit_ms());
}

bool Actor::Lapsed(int64_t now_ms) const {
  const std::optional<int64_t> earliest = state_.earliest_expire_ms();
  return earliest && *earliest <= now_ms;
}

void Actor::Step(Effects& effects) {
  if (phase_ == Phase::kUnloaded && (!commands_.empty() || !readers_.empty() || wants_step_)) {
    StartLoad(effects);
  }
  if (phase_ != Phase::kReady) return;
  wants_step_ = false;
  const int64_t now_ms = Now();
  const bool lapsed = Lapsed(now_ms);
  if (!lapsed) ServeReaders(std::exchange(readers_, {}), effects);
  if (commands_.empty() && !lapsed) return;
  Batch batch;
  batch.before = head_;
  batch.after = head_;
  batch.readers = readers_.size();
  Decide(now_ms, batch, effects);
  if (!batch.changes.empty()) StartAppend(std::move(batch), effects);
}

void Actor::ServeReaders(std::deque<Reader> readers, Effects& effects) {
  for (Reader& reader : readers) std::move(reader.serve)(effects);
}

void Actor::Decide(int64_t now_ms, Batch& batch, Effects& effects) {
  while (Lapsed(now_ms) && batch.bytes < kBatchBytesMax) {
    auto decision =
        domain::Decide(state_, domain::Command{{}, domain::ExpireLocks{}}, now_ms, context_->rules);
    AddChange(std::get<domain::Change>(std::move(decision)), batch);
  }
  // Where more has lapsed than one append takes, the commands wait for the next.
  while (!commands_.empty() && batch.changes.size() < kBatchCommandsMax &&
         batch.bytes < kBatchBytesMax) {
    Work work = std::move(commands_.front());
    commands_.pop_front();
    DecideOne(std::move(work), now_ms, batch, effects);
  }
}

void Actor::DecideOne(Work work, int64_t now_ms, Batch& batch, Effects& effects) {
  if (work.cancelled && work.cancelled()) {
    return Reply(std::move(work), Failure{Failure::Kind::kCancelled, "the caller has gone"},
                 effects);
  }
  domain::Decision decision = domain::Decide(state_, work.command, now_ms, context_->rules);
  if (auto* change = std::get_if<domain::Change>(&decision)) {
    AddChange(std::move(*change), batch);
    batch.waiting.push_back({std::move(work), Batch::ByChange{batch.changes.size() - 1}});
    return;
  }
  if (auto* replay = std::get_if<domain::Replay>(&decision)) {
    if (replay->revision <= head_.revision) {
      return ReplayFromLog(std::move(work), replay->revision, effects);
    }
    batch.waiting.push_back({std::move(work), Batch::Again{}});
    return;
  }
  Result result = std::holds_alternative<domain::Answer>(decision)
                      ? Result(std::get<domain::Answer>(std::move(decision)))
                      : Result(std::get<domain::Refusal>(std::move(decision)));
  if (batch.changes.empty()) return Reply(std::move(work), std::move(result), effects);
  batch.waiting.push_back({std::move(work), std::move(result)});
}

void Actor::AddChange(domain::Change change, Batch& batch) {
  if (batch.after.revision.value() == 0) {
    batch.after.epoch = domain::Epoch(context_->new_epoch());
    batch.after.chain = log::ChainStart(showtime_, batch.after.epoch);
  }
  std::string bytes = log::EncodeChange(change);
  batch.after.revision = change.revision;
  batch.after.chain = log::ChainNext(batch.after.chain, change.revision, bytes);
  batch.bytes += bytes.size();
  batch.records.push_back({change.revision, change.commit_ms, batch.after.chain, std::move(bytes)});
  state_.Apply(change);
  batch.changes.push_back(std::move(change));
}

void Actor::Reply(Work work, Result result, Effects& effects) {
  effects.push_back(
      [context = context_, work = std::move(work), result = std::move(result)]() mutable {
        --context->pending;
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
  CallLog<absl::StatusOr<log::Page>>(
      context_, context_->background,
      [this, from, max_records](auto done) {
        context_->log.Read(showtime_, from, max_records, std::move(done));
      },
      std::move(handle), absl::UnavailableError("the service is stopping"));
}

}  // namespace seatlock::engine
