// The showtimes in memory. Thread-safe; calls no actor while it holds its lock.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::engine {

class Actor;
struct Context;

class Registry {
 public:
  explicit Registry(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  // The showtime's actor, made if there is none. nullptr: too many showtimes are in memory.
  std::shared_ptr<Actor> Find(const domain::ShowtimeId& showtime);
  // The same, but makes none. nullptr: it is not in memory.
  std::shared_ptr<Actor> Get(const domain::ShowtimeId& showtime) const;
  // Lets `actor` go if nobody uses it; `now`: even if somebody did a moment ago.
  void LetGo(const std::shared_ptr<Actor>& actor, bool now);

  std::vector<std::shared_ptr<Actor>> All() const;
  size_t size() const;

 private:
  const std::shared_ptr<Context> context_;

  mutable base::Mutex mu_;
  absl::flat_hash_map<domain::ShowtimeId, std::shared_ptr<Actor>> actors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
