#include "services/seatlock/engine/registry.h"

#include <utility>

#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {

std::shared_ptr<Actor> Registry::Find(const domain::ShowtimeId& showtime) {
  base::MutexLock lock(mu_);
  auto found = actors_.find(showtime);
  if (found != actors_.end()) return found->second;
  if (actors_.size() >= context_->memory.showtimes) return nullptr;
  auto actor = std::make_shared<Actor>(context_, showtime);
  actors_.emplace(showtime, actor);
  return actor;
}

std::shared_ptr<Actor> Registry::Get(const domain::ShowtimeId& showtime) const {
  base::MutexLock lock(mu_);
  auto found = actors_.find(showtime);
  return found == actors_.end() ? nullptr : found->second;
}

void Registry::LetGo(const std::shared_ptr<Actor>& actor, bool now) {
  if (!actor->Retire(now)) return;
  base::MutexLock lock(mu_);
  auto found = actors_.find(actor->showtime());
  if (found != actors_.end() && found->second == actor) actors_.erase(found);
}

std::vector<std::shared_ptr<Actor>> Registry::All() const {
  std::vector<std::shared_ptr<Actor>> all;
  base::MutexLock lock(mu_);
  all.reserve(actors_.size());
  for (const auto& [showtime, actor] : actors_) all.push_back(actor);
  return all;
}

size_t Registry::size() const {
  base::MutexLock lock(mu_);
  return actors_.size();
}

}  // namespace seatlock::engine
