// The engine: the actors of all showtimes in memory, the clockwork that frees lapsed locks, and
// the way in for the rpc layer.
//
// Owned by the composition root, which calls Tick from one thread at least every 100 ms. The log,
// the clock, the encoder, the observer and the executors outlive it. Thread-safe; nothing blocks
// but Stop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/observer.h"
#include "services/seatlock/engine/watcher.h"

namespace seatlock::engine {

class Engine {
 public:
  struct Options {
    log::ShowtimeLog& log;
    const base::Clock& clock;
    const WatchEncoder& encoder;
    Observer& observer;
    base::Executor& completions;
    base::Executor& background;
    domain::Rules rules;
    std::function<std::string()> new_epoch;
  };

  explicit Engine(Options options);
  // Stops.
  ~Engine();

  // Decides work.command, whose fields were validated, on `showtime`; work.done is called once
  // the result may be told.
  void Submit(const domain::ShowtimeId& showtime, Work work);

  // Reads the committed state of `showtime`.
  void Read(const domain::ShowtimeId& showtime, Query query);

  // Follows `showtime`. The caller takes with Next until Failure, and calls Close if it goes
  // first. `ready`: see Watcher.
  std::shared_ptr<Watcher> Watch(const domain::ShowtimeId& showtime, std::optional<Position> resume,
                                 absl::AnyInvocable<void()> ready);

  // Frees lapsed locks wherever they are, keeps watches alive, lets idle showtimes go.
  void Tick();

  // From now on everything new is refused with kDraining, and watches end. What was accepted is
  // finished.
  void Drain();

  // Drains, and returns when no call into the log is under way any more. Blocks.
  void Stop();

  size_t live_showtimes() const;
  size_t watchers() const { return context_->watchers; }

 private:
  // nullptr: too many showtimes are in memory.
  std::shared_ptr<Actor> Find(const domain::ShowtimeId& showtime);
  void FreeLapsed();
  void Sweep();

  const std::shared_ptr<Context> context_;
  std::atomic<bool> due_under_way_{false};
  std::atomic<int64_t> last_sweep_ms_{0};

  mutable base::Mutex mu_;
  absl::flat_hash_map<domain::ShowtimeId, std::shared_ptr<Actor>> actors_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
