#include "services/seatlock/engine/engine.h"

#include <algorithm>
#include <utility>

#include "services/seatlock/engine/limits.h"
#include "services/seatlock/engine/log_call.h"

namespace seatlock::engine {
namespace {

Failure Draining() {
  return {Failure::Kind::kDraining, "the server is going away; try another"};
}

Failure Full(const char* what) {
  return {Failure::Kind::kOverloaded, std::string("too many ") + what + " on this server"};
}

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
                           .background = options.background,
                           .maintenance = options.maintenance}),
      registry_(std::make_shared<Registry>(context_)) {
  context_->registry = registry_;
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
  while (true) {
    std::shared_ptr<Actor> actor = registry_->Find(showtime);
    if (!actor || context_->watchers >= kWatchersMax) {
      watcher->End(Full(actor ? "watches" : "showtimes"));
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
  FreeLapsed();
  ShedReaders();
  CutThoseThatStay();
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (now_ms - last_sweep_ms_ < kWatcherSweepMs) return;
  last_sweep_ms_ = now_ms;
  Sweep();
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
      [this, after = std::move(after)](auto done) {
        context_->log.Due(context_->clock.NowMs(), kDuePageMax, after, std::move(done));
      },
      [this](const auto& due) { OnDue(due); }, absl::UnavailableError("the service is stopping"));
}

void Engine::OnDue(const absl::StatusOr<std::vector<log::DueShowtime>>& due) {
  {
    base::MutexLock lock(mu_);
    const bool full = due.ok() && due->size() == kDuePageMax;
    due_after_ =
        full ? log::DueCursor{due->back().wake_ms, due->back().showtime} : log::DueCursor{};
  }
  due_under_way_ = false;
  if (!due.ok()) return;
  for (const log::DueShowtime& each : *due) {
    if (std::shared_ptr<Actor> actor = registry_->Find(each.showtime)) actor->Expire();
  }
}

void Engine::Sweep() {
  std::vector<std::shared_ptr<Actor>> actors = registry_->All();
  for (const auto& actor : actors) {
    actor->Sweep();
    registry_->LetGo(actor, /*now=*/false);
  }
  if (context_->state_bytes > context_->memory.state) LetIdleOnesGo(std::move(actors));
}

// Those that nobody has used for longest first, until there is some room.
void Engine::LetIdleOnesGo(std::vector<std::shared_ptr<Actor>> actors) {
  std::vector<std::pair<int64_t, std::shared_ptr<Actor>>> by_use;
  for (auto& actor : actors) by_use.emplace_back(actor->last_used_ms(), std::move(actor));
  actors.clear();
  std::sort(by_use.begin(), by_use.end());
  for (auto& [used_ms, actor] : by_use) {
    if (context_->state_bytes < context_->memory.state / 10 * 9) return;
    registry_->LetGo(actor, /*now=*/true);
    actor.reset();
  }
}

// Readers that do not read hold messages that nobody else needs any more. Beyond the bound, those
// that have been busy with what they took for longest are ended.
void Engine::ShedReaders() {
  if (context_->bytes->held_for_readers() <= context_->memory.held_for_readers) return;
  std::vector<std::shared_ptr<Watcher>> busy;
  for (const auto& actor : registry_->All()) actor->AddBusy(busy);
  std::vector<std::pair<int64_t, std::shared_ptr<Watcher>>> by_age;
  for (auto& watcher : busy) {
    const auto since_ms = watcher->busy_since_ms();
    if (since_ms) by_age.emplace_back(*since_ms, std::move(watcher));
  }
  std::sort(by_age.begin(), by_age.end());
  if (by_age.size() > kShedAtOnce) by_age.resize(kShedAtOnce);
  const int64_t until_ms = context_->clock.MonotonicMs() + kShedGraceMs;
  for (const auto& [since_ms, watcher] : by_age) {
    if (context_->bytes->held_for_readers() <= context_->memory.held_for_readers) return;
    context_->observer.OnWatcherShed();
    if (watcher->Shed(TooSlow())) watcher->Wake();
    base::MutexLock lock(mu_);
    shed_.emplace_back(until_ms, watcher);
  }
}

// What a reader was handed and does not take is given back only when its stream is cut.
void Engine::CutThoseThatStay() {
  const int64_t now_ms = context_->clock.MonotonicMs();
  std::vector<std::shared_ptr<Watcher>> cut;
  {
    base::MutexLock lock(mu_);
    while (!shed_.empty() && shed_.front().first <= now_ms) {
      if (auto watcher = shed_.front().second.lock()) cut.push_back(std::move(watcher));
      shed_.pop_front();
    }
  }
  for (const auto& watcher : cut) watcher->Cut();
}

void Engine::Drain() {
  if (context_->draining.exchange(true)) return;
  for (const auto& actor : registry_->All()) actor->EndWatches(Draining());
}

void Engine::Stop() {
  Drain();
  context_->gate.CloseAndWait();
}

}  // namespace seatlock::engine
