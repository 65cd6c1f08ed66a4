// The engine: the actors of all showtimes in memory, the clockwork that frees lapsed locks, and
// the way in for the rpc layer.
//
// Owned by the composition root, which calls Tick from one thread at least every 100 ms. The log,
// the clock, the encoder, the observer and the executors outlive it. Thread-safe; nothing blocks
// but Stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "services/seatlock/engine/actor.h"
#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/lister.h"
#include "services/seatlock/engine/observer.h"
#include "services/seatlock/engine/registry.h"
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
    base::Executor& maintenance;
    domain::Rules rules;
    std::function<std::string()> new_epoch;
    MemoryBounds memory = {};
    base::Executor* selling_completions = nullptr;  // null: `completions`
  };

  explicit Engine(Options options);
  // Stops.
  ~Engine();

  // Decides work.command, whose fields were validated, on `showtime`; work.done is called once
  // the result may be told.
  void Submit(const domain::ShowtimeId& showtime, Work work);

  // Reads the committed state of `showtime`.
  void Read(const domain::ShowtimeId& showtime, Query query);
  void Read(const domain::ShowtimeId& showtime, SnapshotQuery query);

  // Deletes `showtime` from the store, with all that was sold; damaged or not. Calls on it that are
  // under way are finished first, what comes after is decided on a showtime that never was, and its
  // watchers are sent an empty snapshot.
  void Delete(const domain::ShowtimeId& showtime, Deletion deletion);

  // How the showtimes stand, a page of them.
  void List(ListQuery query);

  // Follows `showtime`. The caller takes with Next until Failure, and calls Close if it goes
  // first. `ready` and `cut`: see Watcher.
  std::shared_ptr<Watcher> Watch(const domain::ShowtimeId& showtime, std::optional<Position> resume,
                                 absl::AnyInvocable<void()> ready,
                                 absl::AnyInvocable<void()> cut = {});

  // Frees lapsed locks wherever they are, keeps watches alive, ends those that hold too much, lets
  // idle showtimes go.
  void Tick();

  // From now on everything new is refused with kDraining, and watches end. What was accepted is
  // finished.
  void Drain();

  // Drains, and returns when no call into the log is under way any more. Blocks.
  void Stop();

  // Who was handed a snapshot and is no watcher; kept until it has been taken.
  Recipients& recipients() { return context_->recipients; }
  const WatchEncoder& encoder() const { return context_->encoder; }
  size_t live_showtimes() const { return registry_->size(); }
  size_t watchers() const { return context_->watchers; }
  // Commands and reads that have no answer yet, in all showtimes.
  size_t pending() const { return context_->pending.total(); }
  // The same of one lane.
  size_t pending(Lane lane) const { return context_->pending.of(lane); }
  // Encoded bytes that only readers hold.
  int64_t held_for_readers() const { return context_->bytes->held_for_readers(); }
  // What the showtimes in memory hold, estimated.
  int64_t state_bytes() const { return context_->state_bytes; }
  // For how long the earliest lock that should have ended is overdue; 0: none is. As of the last
  // time that the store told what is due.
  int64_t overdue_ms() const;

 private:
  static constexpr int64_t kNoneDue = INT64_MAX;

  template <typename AnyQuery>
  void ReadAny(const domain::ShowtimeId& showtime, AnyQuery query);
  void FreeLapsed();
  void OnDue(const absl::StatusOr<std::vector<log::DueShowtime>>& due, bool first_page);
  void NoteEarliestDue(const std::vector<log::DueShowtime>& due);
  void FreeLapsedHere();
  void ClaimLapsed();
  void AskWhatChanged();
  void EndWatchesIfCutOff();
  void OnChanged(absl::StatusOr<log::ChangedShowtimes> changed, bool all);
  void ResendWaiting(bool stopping);
  void Sweep();
  void LetIdleOnesGo();
  void ShedReaders();
  void End(const std::shared_ptr<Recipient>& reader, const Failure& failure);
  void CutThoseThatStay();

  const std::shared_ptr<Context> context_;
  const std::shared_ptr<Registry> registry_;
  std::atomic<bool> due_under_way_{false};
  std::atomic<bool> changes_under_way_{false};
  std::atomic<int64_t> last_sweep_ms_{0};
  std::atomic<int64_t> last_claim_ms_{0};
  std::atomic<int64_t> last_changes_ms_{0};
  std::atomic<int64_t> cut_off_since_ms_{-1};  // -1: the store can be asked
  std::atomic<int64_t> earliest_due_ms_{kNoneDue};

  base::Mutex mu_;
  log::DueCursor due_after_ ABSL_GUARDED_BY(mu_);     // where the next page of what is due begins
  log::ChangeMark change_mark_ ABSL_GUARDED_BY(mu_);  // up to where this server has heard
  std::string generation_ ABSL_GUARDED_BY(mu_);       // the store's when it was last asked
  // Readers that were ended, and until when they may take their end by themselves.
  std::deque<std::pair<int64_t, std::weak_ptr<Recipient>>> shed_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
