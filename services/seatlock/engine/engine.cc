#include "services/seatlock/engine/engine.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/engine/failures.h"
#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"

namespace seatlock::engine {
namespace {

Failure TooSlow() {
  return {Failure::Kind::kShed,
          "the server's memory for slow readers is used up, and this stream was not read for long"};
}

}  // namespace

Engine::Engine(Options options)
    : context_(new Context{.log = options.log,
                           .clock = options.clock,
                           .encoder = options.encoder,
                           .observer = options.observer,
                           .rules = options.rules,
                           .new_epoch = std::move(options.new_epoch),
                           .memory = options.memory,
                           .completions = options.completions,
                           .selling_completions = options.selling_completions != nullptr
                                                      ? *options.selling_completions
                                                      : options.completions,
                           .background = options.background,
                           .maintenance = options.maintenance}),
      registry_(std::make_shared<Registry>(context_)) {
  context_->registry = registry_;
  if (!context_->shared()) return;
  context_->log.Follow([registry = std::weak_ptr<Registry>(registry_)](
                           const domain::ShowtimeId& showtime, domain::Revision revision) {
    auto live = registry.lock();
    auto actor = live ? live->Get(showtime) : nullptr;
    if (actor) actor->Hint(revision);
  });
}

Engine::~Engine() {
  Stop();
}

void Engine::Submit(const domain::ShowtimeId& showtime, Work work) {
  if (context_->draining) return std::move(work.done)(Draining());
  while (true) {
    std::shared_ptr<Actor> actor = registry_->Find(showtime);
    if (!actor) return std::move(work.done)(Full("showtimes"));
    if (actor->Submit(work)) return;
  }
}

template <typename AnyQuery>
void Engine::ReadAny(const domain::ShowtimeId& showtime, AnyQuery query) {
  if (context_->draining) return std::move(query.fail)(Draining());
  while (true) {
    std::shared_ptr<Actor> actor = registry_->Find(showtime);
    if (!actor) return std::move(query.fail)(Full("showtimes"));
    if (actor->Read(query)) return;
  }
}

void Engine::Read(const domain::ShowtimeId& showtime, Query query) {
  ReadAny(showtime, std::move(query));
}

void Engine::Read(const domain::ShowtimeId& showtime, SnapshotQuery query) {
  ReadAny(showtime, std::move(query));
}

void Engine::Delete(const domain::ShowtimeId& showtime, Deletion deletion) {
  if (context_->draining) return std::move(deletion.done)(Draining());
  while (true) {
    std::shared_ptr<Actor> actor = registry_->Find(showtime);
    if (!actor) return std::move(deletion.done)(Full("showtimes"));
    if (actor->Delete(deletion)) return;
  }
}

void Engine::List(ListQuery query) {
  ListShowtimes(context_, registry_, std::move(query));
}

std::shared_ptr<Watcher> Engine::Watch(const domain::ShowtimeId& showtime,
                                       std::optional<Position> resume,
                                       absl::AnyInvocable<void()> ready,
                                       absl::AnyInvocable<void()> cut) {
  // The watcher's callbacks need the watcher and its actor, which both come to be here.
  struct Link {
    std::weak_ptr<Actor> actor;
    std::weak_ptr<Watcher> watcher;
  };
  auto link = std::make_shared<Link>();
  const auto with_both = [link](void (Actor::*call)(const std::shared_ptr<Watcher>&)) {
    auto actor = link->actor.lock();
    auto self = link->watcher.lock();
    if (actor && self) (actor.get()->*call)(self);
  };
  Watcher::Callbacks callbacks;
  callbacks.ready = std::move(ready);
  callbacks.cut = std::move(cut);
  callbacks.fetch = [with_both] { with_both(&Actor::Fetch); };
  callbacks.gone = [with_both] { with_both(&Actor::Forget); };
  auto watcher =
      std::make_shared<Watcher>(std::move(resume), context_->clock, std::move(callbacks));
  link->watcher = watcher;
  if (context_->watchers >= kWatchersMax) {
    watcher->End(Full("watches"));
    return watcher;
  }
  while (true) {
    std::shared_ptr<Actor> actor = registry_->Find(showtime);
    if (!actor) {
      watcher->End(Full("showtimes"));
      return watcher;
    }
    link->actor = actor;
    if (!actor->Watch(watcher)) continue;
    // Drain ends the watches that it finds; this one may have come after it looked.
    if (context_->draining) watcher->End(Draining());
    return watcher;
  }
}

void Engine::Tick() {
  if (context_->shared()) {
    FreeLapsedHere();
    ClaimLapsed();
    AskWhatChanged();
    EndWatchesIfCutOff();
  } else {
    FreeLapsed();
  }
  ResendWaiting(/*stopping=*/false);
  CutThoseThatStay();
  ShedReaders();
  LetIdleOnesGo();
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (now_ms - last_sweep_ms_ < kWatcherSweepMs) return;
  last_sweep_ms_ = now_ms;
  Sweep();
}

void Engine::ResendWaiting(bool stopping) {
  std::vector<std::weak_ptr<Actor>> queued;
  {
    base::MutexLock lock(context_->resend_mu);
    queued.swap(context_->resend);
  }
  for (const std::weak_ptr<Actor>& weak : queued) {
    const std::shared_ptr<Actor> actor = weak.lock();
    if (!actor || actor->Resend(stopping)) continue;
    base::MutexLock lock(context_->resend_mu);
    context_->resend.push_back(weak);
  }
}

// Looks at one page of what is due, and at the next one the next time: showtimes whose locks cannot
// be freed now do not keep others from being seen.
void Engine::FreeLapsed() {
  if (due_under_way_.exchange(true)) return;
  log::DueCursor after;
  {
    base::MutexLock lock(mu_);
    after = due_after_;
  }
  CallLog<absl::StatusOr<std::vector<log::DueShowtime>>>(
      context_, context_->background,
      [this, after](auto done) {
        context_->log.Due(context_->clock.NowMs(), kDuePageMax, after, std::move(done));
      },
      [this, first_page = after.wake_ms == log::DueCursor().wake_ms](const auto& due) {
        OnDue(due, first_page);
      },
      absl::UnavailableError("the service is stopping"));
}

void Engine::OnDue(const absl::StatusOr<std::vector<log::DueShowtime>>& due, bool first_page) {
  {
    base::MutexLock lock(mu_);
    const bool full = due.ok() && due->size() == kDuePageMax;
    due_after_ =
        full ? log::DueCursor{due->back().wake_ms, due->back().showtime} : log::DueCursor{};
  }
  due_under_way_ = false;
  if (!due.ok()) return;
  if (first_page) NoteEarliestDue(*due);
  for (const log::DueShowtime& each : *due) {
    if (std::shared_ptr<Actor> actor = registry_->Find(each.showtime)) actor->Expire();
  }
}

// `due` is in the order of wake times.
void Engine::NoteEarliestDue(const std::vector<log::DueShowtime>& due) {
  earliest_due_ms_ = due.empty() ? kNoneDue : due.front().wake_ms;
}

int64_t Engine::overdue_ms() const {
  const int64_t earliest_ms =
      std::min(earliest_due_ms_.load(), context_->wakes.First().value_or(kNoneDue));
  return std::max(context_->clock.NowMs() - earliest_ms, int64_t{0});
}

// On a shared store: what lapses in this server's memory.
void Engine::FreeLapsedHere() {
  for (const domain::ShowtimeId& showtime :
       context_->wakes.NextDue(context_->clock.NowMs(), kDuePageMax)) {
    if (auto actor = registry_->Get(showtime)) actor->Expire();
  }
}

// On a shared store: what lapsed and no server freed, because none has it in memory.
void Engine::ClaimLapsed() {
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (now_ms - last_claim_ms_ < kClaimEveryMs || due_under_way_.exchange(true)) return;
  last_claim_ms_ = now_ms;
  CallLog<absl::StatusOr<std::vector<log::DueShowtime>>>(
      context_, context_->background,
      [this](auto done) {
        context_->log.ClaimDue(context_->clock.NowMs() - kClaimOverdueMs, kClaimPageMax,
                               kClaimLeaseMs, std::move(done));
      },
      [this](const auto& due) {
        due_under_way_ = false;
        if (!due.ok()) return;
        NoteEarliestDue(*due);
        for (const log::DueShowtime& each : *due) {
          if (auto actor = registry_->Find(each.showtime)) actor->ExpireClaimed();
        }
      },
      absl::UnavailableError("the service is stopping"));
}

// On a shared store: for hints that were lost, and for a generation that is another.
void Engine::AskWhatChanged() {
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (now_ms - last_changes_ms_ < kChangesEveryMs || changes_under_way_.exchange(true)) return;
  last_changes_ms_ = now_ms;
  const std::string generation = context_->log.Generation();
  log::ChangeMark mark;
  bool all = false;
  {
    base::MutexLock lock(mu_);
    // What a mark of another history leaves out may have changed as well: it is of no use.
    if (generation != generation_) change_mark_ = {};
    generation_ = generation;
    mark = change_mark_;
    all = mark.empty();
  }
  CallLog<absl::StatusOr<log::ChangedShowtimes>>(
      context_, context_->background,
      [this, mark = std::move(mark)](auto done) mutable {
        context_->log.ChangedSince(std::move(mark), std::move(done));
      },
      [this, all](auto changed) { OnChanged(std::move(changed), all); },
      absl::UnavailableError("the service is stopping"));
}

// A server that cannot ask a shared store does not know what other servers do meanwhile: its
// watches end, so that nobody takes what they show for the present. On an exclusive store nothing
// can happen meanwhile, and they stay.
void Engine::EndWatchesIfCutOff() {
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (context_->log.Healthy()) {
    cut_off_since_ms_ = -1;
    return;
  }
  if (cut_off_since_ms_ < 0) cut_off_since_ms_ = now_ms;
  if (now_ms - cut_off_since_ms_ < kCutOffMs) return;
  const Failure failure = StoreUnavailable(absl::UnavailableError("the store cannot be asked now"));
  for (const auto& actor : registry_->All()) actor->EndWatches(failure);
}

// `all`: the question was for a mark alone, so nobody knows what has changed.
void Engine::OnChanged(absl::StatusOr<log::ChangedShowtimes> changed, bool all) {
  if (changed.ok()) {
    const std::string generation = context_->log.Generation();
    base::MutexLock lock(mu_);
    // If the generation has changed since it was asked, the answer may be of either history.
    all = all || generation != generation_;
    change_mark_ = generation == generation_ ? std::move(changed->mark) : log::ChangeMark{};
  }
  changes_under_way_ = false;
  if (!changed.ok()) return;
  if (all) {
    for (const auto& actor : registry_->All()) actor->Hint(domain::Revision());
    return;
  }
  for (const domain::ShowtimeId& showtime : changed->showtimes) {
    if (auto actor = registry_->Get(showtime)) actor->Hint(domain::Revision());
  }
}

void Engine::Sweep() {
  for (const auto& actor : registry_->All()) {
    actor->Sweep();
    registry_->LetGo(actor, /*now=*/false);
  }
}

// When memory or places are short, those that nobody has used for longest go first, until there is
// some room.
void Engine::LetIdleOnesGo() {
  const auto short_of_room = [this] {
    return context_->state_bytes > context_->memory.state / 10 * 9 ||
           registry_->size() > context_->memory.showtimes / 10 * 9;
  };
  if (!short_of_room()) return;
  std::vector<std::pair<int64_t, std::shared_ptr<Actor>>> by_use;
  for (auto& actor : registry_->All()) {
    const int64_t used_ms = actor->last_used_ms();
    by_use.emplace_back(used_ms, std::move(actor));
  }
  std::sort(by_use.begin(), by_use.end());
  for (auto& [used_ms, actor] : by_use) {
    if (!short_of_room()) return;
    registry_->LetGo(actor, /*now=*/true);
    actor.reset();
  }
}

// Readers that do not read hold messages that nobody else needs any more. Beyond the bound, those
// that have been busy with what they took for longest are ended, some at a time: what they hold is
// given back when they are cut off, and only then it shows whether that was enough.
void Engine::ShedReaders() {
  if (context_->bytes->held_for_readers() <= context_->memory.held_for_readers) return;
  {
    base::MutexLock lock(mu_);
    if (!shed_.empty()) return;
  }
  const int64_t now_ms = context_->clock.MonotonicMs();
  std::vector<std::pair<int64_t, std::shared_ptr<Recipient>>> by_age;
  const auto add = [&](std::shared_ptr<Recipient> reader) {
    const auto since_ms = reader->busy_since_ms();
    if (since_ms && now_ms - *since_ms >= kShedAgeMs) {
      by_age.emplace_back(*since_ms, std::move(reader));
    }
  };
  for (const auto& actor : registry_->All()) {
    for (auto& watcher : actor->Watchers()) add(std::move(watcher));
  }
  for (auto& answer : context_->recipients.All()) add(std::move(answer));
  std::sort(by_age.begin(), by_age.end());
  if (by_age.size() > kShedAtOnce) by_age.resize(kShedAtOnce);
  int64_t to_come = 0;  // given back when those that are ended now are cut off, if nobody shares it
  for (const auto& [since_ms, reader] : by_age) {
    const int64_t held = context_->bytes->held_for_readers() - to_come;
    if (held <= context_->memory.held_for_readers) return;
    to_come += reader->handed_bytes();
    context_->observer.OnReaderShed();
    End(reader, TooSlow());
  }
}

// Ends `reader`, and cuts it off soon if it does not take its end.
void Engine::End(const std::shared_ptr<Recipient>& reader, const Failure& failure) {
  reader->Shed(failure);
  base::MutexLock lock(mu_);
  shed_.emplace_back(context_->clock.MonotonicMs() + kShedGraceMs, reader);
}

void Engine::CutThoseThatStay() {
  const int64_t now_ms = context_->clock.MonotonicMs();
  std::vector<std::shared_ptr<Recipient>> cut;
  {
    base::MutexLock lock(mu_);
    while (!shed_.empty() && shed_.front().first <= now_ms) {
      if (auto reader = shed_.front().second.lock()) cut.push_back(std::move(reader));
      shed_.pop_front();
    }
  }
  for (const auto& reader : cut) reader->Cut();
}

void Engine::Drain() {
  if (context_->draining.exchange(true)) return;
  // A reader that is busy with a message is given what it is owed, and then cut off: it must not
  // hold the server up.
  for (const auto& actor : registry_->All()) {
    actor->EndWatches(Draining());
    for (const auto& watcher : actor->Watchers()) {
      base::MutexLock lock(mu_);
      shed_.emplace_back(context_->clock.MonotonicMs() + kDrainGraceMs, watcher);
    }
  }
}

void Engine::Stop() {
  Drain();
  if (context_->shared()) context_->log.Follow(nullptr);
  context_->gate.CloseAndWait();
  ResendWaiting(/*stopping=*/true);
}

}  // namespace seatlock::engine
