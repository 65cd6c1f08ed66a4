#include "services/seatlock/engine/engine.h"

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

}  // namespace

Engine::Engine(Options options)
    : context_(new Context{options.log,
                           options.clock,
                           options.encoder,
                           options.observer,
                           options.rules,
                           std::move(options.new_epoch),
                           options.completions,
                           options.background,
                           {},
                           {},
                           {},
                           {}}) {}

Engine::~Engine() {
  Stop();
}

void Engine::Submit(const domain::ShowtimeId& showtime, Work work) {
  if (context_->draining) return std::move(work.done)(Draining());
  while (true) {
    std::shared_ptr<Actor> actor = Find(showtime);
    if (!actor) return std::move(work.done)(Full("showtimes"));
    if (actor->Submit(work)) return;
  }
}

void Engine::Read(const domain::ShowtimeId& showtime, Query query) {
  if (context_->draining) return std::move(query.fail)(Draining());
  while (true) {
    std::shared_ptr<Actor> actor = Find(showtime);
    if (!actor) return std::move(query.fail)(Full("showtimes"));
    if (actor->Read(query)) return;
  }
}

std::shared_ptr<Watcher> Engine::Watch(const domain::ShowtimeId& showtime,
                                       std::optional<Position> resume,
                                       absl::AnyInvocable<void()> ready) {
  // The watcher's fetch callback needs the watcher and its actor, which both come to be here.
  struct Link {
    std::weak_ptr<Actor> actor;
    std::weak_ptr<Watcher> watcher;
  };
  auto link = std::make_shared<Link>();
  auto watcher = std::make_shared<Watcher>(std::move(resume), std::move(ready), [link] {
    auto actor = link->actor.lock();
    auto self = link->watcher.lock();
    if (actor && self) actor->Fetch(std::move(self));
  });
  link->watcher = watcher;
  while (true) {
    std::shared_ptr<Actor> actor = Find(showtime);
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
  const int64_t now_ms = context_->clock.MonotonicMs();
  if (now_ms - last_sweep_ms_ < kWatcherSweepMs) return;
  last_sweep_ms_ = now_ms;
  Sweep();
}

void Engine::FreeLapsed() {
  if (due_under_way_.exchange(true)) return;
  CallLog<absl::StatusOr<std::vector<log::DueShowtime>>>(
      context_, context_->background,
      [this](auto done) {
        context_->log.Due(context_->clock.NowMs(), kDuePageMax, {}, std::move(done));
      },
      [this](absl::StatusOr<std::vector<log::DueShowtime>> due) {
        due_under_way_ = false;
        if (!due.ok()) return;
        for (const log::DueShowtime& each : *due) {
          if (std::shared_ptr<Actor> actor = Find(each.showtime)) actor->Expire();
        }
      },
      absl::UnavailableError("the service is stopping"));
}

void Engine::Sweep() {
  std::vector<std::pair<domain::ShowtimeId, std::shared_ptr<Actor>>> actors;
  {
    base::MutexLock lock(mu_);
    actors.assign(actors_.begin(), actors_.end());
  }
  for (const auto& [showtime, actor] : actors) {
    actor->Sweep();
    if (!actor->Retire()) continue;
    base::MutexLock lock(mu_);
    actors_.erase(showtime);
  }
}

void Engine::Drain() {
  if (context_->draining.exchange(true)) return;
  std::vector<std::shared_ptr<Actor>> actors;
  {
    base::MutexLock lock(mu_);
    for (const auto& [showtime, actor] : actors_) actors.push_back(actor);
  }
  for (const auto& actor : actors) actor->EndWatches(Draining());
}

void Engine::Stop() {
  Drain();
  context_->gate.CloseAndWait();
}

size_t Engine::live_showtimes() const {
  base::MutexLock lock(mu_);
  return actors_.size();
}

std::shared_ptr<Actor> Engine::Find(const domain::ShowtimeId& showtime) {
  base::MutexLock lock(mu_);
  auto found = actors_.find(showtime);
  if (found != actors_.end()) return found->second;
  if (actors_.size() >= kLiveShowtimesMax) return nullptr;
  auto actor = std::make_shared<Actor>(context_, showtime);
  actors_.emplace(showtime, actor);
  return actor;
}

}  // namespace seatlock::engine
