// The one place through which everything about one showtime goes, in order.
//
// An actor has at most one append under way. Commands that come meanwhile wait and are decided
// together, in their order, against the state at the head that they are then appended to. Answers
// and watchers follow durability: what rests on a change waits for its commit, also refusals that
// rest on a batch-mate; what the committed state decides is answered at once.
//
// Between appends `state_` is the committed state. While one is under way it runs ahead, so reads
// wait for the commit. Where an append did not land, the state is thrown away and read again from
// the log, which alone is the truth.
//
// Thread-safe. Nothing blocks, and no callback runs under the actor's lock.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/loader.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/watcher.h"

namespace seatlock::engine {

class Actor : public std::enable_shared_from_this<Actor> {
 public:
  Actor(std::shared_ptr<Context> context, domain::ShowtimeId showtime);

  // Each returns false, and takes nothing, where the actor has left the registry: get another.
  bool Submit(Work& work);
  bool Read(Query& query);
  bool Watch(const std::shared_ptr<Watcher>& watcher);

  // Serves what `watcher` wants next (Watcher's fetch callback).
  void Fetch(std::shared_ptr<Watcher> watcher);
  // Frees lapsed locks, loading the showtime if need be.
  void Expire();
  // Progress for quiet watchers; forgets those that are over.
  void Sweep();
  // Leaves memory if nobody uses it: true, and the actor takes nothing from then on.
  bool Retire();
  // Ends every watch.
  void EndWatches(const Failure& failure);

 private:
  enum class Phase {
    kUnloaded,   // no state
    kLoading,    // a load is under way
    kReady,      // state_ is at head_
    kAppending,  // batch_ is under way, state_ is ahead of head_
    kSettling,   // batch_'s outcome is unknown, recovery or a load is under way
  };
  // What is to be done after the lock is released: the append first, so that the next commit is
  // under way while the answers of the last are sent.
  struct Effects {
    base::Task append;
    std::vector<base::Task> rest;

    void push_back(base::Task task) { rest.push_back(std::move(task)); }
  };
  // A read or a watcher that waits for a committed state.
  struct Reader {
    absl::AnyInvocable<void(Effects&) &&> serve;
    absl::AnyInvocable<void(const Failure&, Effects&) &&> fail;
  };

  static void Run(Effects& effects);

  // actor.cc: commands and reads.
  void Step(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Decide(int64_t now_ms, Batch& batch, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DecideOne(Work work, int64_t now_ms, Batch& batch, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddChange(domain::Change change, Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ServeReaders(std::deque<Reader> readers, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Reply(Work work, Result result, Effects& effects);
  void ReplayFromLog(Work work, domain::Revision revision, Effects& effects);
  // Hands `handle` a page of records from `from` on, on the background executor.
  void ReadLog(domain::Revision from, size_t max_records,
               absl::AnyInvocable<void(absl::StatusOr<log::Page>) &&> handle);
  bool Lapsed(int64_t now_ms) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Now() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // actor_append.cc: what becomes of an append.
  void StartAppend(Batch batch, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnAppended(log::AppendResult result);
  void OnCommitted(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnConflict(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AcknowledgeBatch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FailBatch(const Failure& failure, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FailWaiting(const Failure& failure, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnStoreFailed(const absl::Status& status, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartLoad(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartRecovery(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnRecovered(const absl::Status& status);
  void OnLoaded(absl::StatusOr<Loaded> loaded);
  bool SettleBatch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnSettlePage(absl::StatusOr<log::Page> page);
  void Resume(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MaybeSnapshot(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnSnapshotSaved(domain::Revision revision, const absl::Status& status);

  // actor_watch.cc: watchers.
  void Publish(const domain::Change& change, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ServeWatcher(const std::shared_ptr<Watcher>& watcher, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DeliverSnapshot(const std::shared_ptr<Watcher>& watcher, bool replaces, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FetchHistory(const std::shared_ptr<Watcher>& watcher, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PushProgress(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnHistory(const std::shared_ptr<Watcher>& watcher, absl::StatusOr<log::Page> page);

  const std::shared_ptr<Context> context_;
  const domain::ShowtimeId showtime_;

  base::Mutex mu_;
  Phase phase_ ABSL_GUARDED_BY(mu_) = Phase::kUnloaded;
  bool retired_ ABSL_GUARDED_BY(mu_) = false;
  bool needs_recovery_ ABSL_GUARDED_BY(mu_) = false;  // an unknown outcome was not fenced off yet
  bool wants_step_ ABSL_GUARDED_BY(mu_) = false;      // Expire came while there was no state
  int64_t last_used_ms_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t no_expiry_before_ms_ ABSL_GUARDED_BY(mu_) = 0;  // after a load failed
  domain::Showtime state_ ABSL_GUARDED_BY(mu_);
  log::Head head_ ABSL_GUARDED_BY(mu_);  // the last that is known to be durable
  std::deque<Work> commands_ ABSL_GUARDED_BY(mu_);
  std::deque<Reader> readers_ ABSL_GUARDED_BY(mu_);
  std::optional<Batch> batch_ ABSL_GUARDED_BY(mu_);
  domain::Revision snapshot_revision_ ABSL_GUARDED_BY(mu_);
  bool snapshotting_ ABSL_GUARDED_BY(mu_) = false;

  std::vector<std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mu_);
  // The messages of the snapshot at head_, shared by all who arrive before the next change.
  struct CachedSnapshot {
    domain::Revision revision;
    bool replaces = false;
    std::vector<Bytes> messages;
  };
  std::optional<CachedSnapshot> cached_snapshot_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
