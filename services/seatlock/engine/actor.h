// The one place through which everything about one showtime goes, in order.
//
// An actor has at most one append under way. Commands that come meanwhile wait and are decided
// together, in their order, against the state at the head that they are then appended to. Answers
// and watchers follow durability: what rests on a change waits for its commit, also refusals that
// rest on a batch-mate; what the committed state decides is answered at once.
//
// Between appends `state_` is the committed state. While one is under way it runs ahead, so reads
// wait for the commit. If an append did not land, the state is thrown away and read again from
// the log, which alone is the truth. actor_phase.h has the states, and how a failing store is
// retried.
//
// If other servers write the store too, the state may be behind at any time. Then whoever asks
// goes into a batch, and is answered once its append, which may be without records, has confirmed
// the head after the question came. What others did comes back with an append that was too late
// for it; a hint does no more than ask for one. actor_shared.cc has all of that.
//
// Thread-safe. Nothing blocks, and no callback runs under the actor's lock. What is done under the
// lock is as large as what is asked and as what has changed, never as large as the showtime.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "services/seatlock/domain/command.h"
#include "services/seatlock/domain/showtime.h"
#include "services/seatlock/engine/actor_phase.h"
#include "services/seatlock/engine/batch.h"
#include "services/seatlock/engine/context.h"
#include "services/seatlock/engine/loader.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/seat_map.h"
#include "services/seatlock/engine/waiting_commands.h"
#include "services/seatlock/engine/watcher.h"

namespace seatlock::engine {

class Actor : public std::enable_shared_from_this<Actor> {
 public:
  Actor(std::shared_ptr<Context> context, domain::ShowtimeId showtime);
  ~Actor();

  // Each returns false, and takes nothing, if the actor has left the registry: get another.
  bool Submit(Work& work);
  bool Read(Query& query);
  bool Read(SnapshotQuery& query);
  bool Delete(Deletion& deletion);
  bool Watch(const std::shared_ptr<Watcher>& watcher);

  // Serves what `watcher` wants next (Watcher's fetch callback).
  void Fetch(const std::shared_ptr<Watcher>& watcher);
  // `watcher` is over: counts it no more.
  void Forget(const std::shared_ptr<Watcher>& watcher);
  // Frees lapsed locks, loading the showtime if need be.
  void Expire();
  // The same of a showtime that was claimed: the state in memory may not know of the lock.
  void ExpireClaimed();
  // On a shared store: there may be something new, up to `revision` (0: nobody knows).
  void Hint(domain::Revision revision);
  // At each tick, of one that waits for it: ends its yielding, or sends its batch again
  // (HoldsBatch) if the pause is over, or if the service stops (when it fails). False: it still
  // waits.
  bool Resend(bool stopping);
  // Progress for quiet watchers; forgets those that are over, and a seat map that nobody needs.
  void Sweep();
  // Leaves memory if nobody uses it: true, and the actor takes nothing from then on. `now`: even
  // if somebody used it less than kIdleMs ago.
  bool Retire(bool now);
  // Ends every watch.
  void EndWatches(const Failure& failure);

  const domain::ShowtimeId& showtime() const { return showtime_; }
  int64_t last_used_ms() const;
  std::vector<std::shared_ptr<Watcher>> Watchers() const;

 private:
  // What is to be done after the lock is released: the append first, so that the next commit is
  // under way while the answers of the last are sent.
  struct Effects {
    base::Task append;
    std::vector<base::Task> rest;

    void push_back(base::Task task) { rest.push_back(std::move(task)); }
  };
  // A read or a watcher that waits for a committed state.
  struct Reader {
    // False: the seat map is not up to date yet, ask again later.
    absl::AnyInvocable<bool(Effects&)> serve;
    absl::AnyInvocable<void(const Failure&, Effects&) &&> fail;
    const Watcher* watcher = nullptr;  // whose it is; null: a read
  };

  static void Run(Effects& effects);
  void Transition(Event event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // actor.cc: commands and reads.
  void Step(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StepReady(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StepYielding(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Batch EmptyBatch() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Decide(int64_t now_ms, Batch& batch, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DecideOne(Work work, int64_t now_ms, Batch& batch, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AnswerFirst(size_t count, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AddChange(domain::Change change, Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool MayAppend(Batch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  template <typename AnyQuery>
  bool Enqueue(AnyQuery& query, bool (Actor::*serve)(AnyQuery&, Effects&));
  bool Serve(Query& query, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool ServeSnapshot(SnapshotQuery& query, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ServeReaders(std::deque<Reader> readers, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Reply(Work work, Result result, Effects& effects);
  void ReplayFromLog(Work work, domain::Revision revision, Effects& effects);
  // Hands `handle` a page of records from `from` on, on the background executor.
  void ReadLog(domain::Revision from, size_t max_records,
               absl::AnyInvocable<void(absl::StatusOr<log::Page>) &&> handle);
  bool Lapsed(int64_t now_ms) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  int64_t Now() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Paused(int64_t now_ms) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool Unused() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Use() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LeaveIfNew(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void LeaveIfUnused(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Weigh() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // actor_append.cc: what becomes of an append.
  void StartAppend(Batch batch, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void SendBatch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnAppended(log::AppendResult result);
  void OnCommitted(log::AppendResult& result, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ServeFirstReaders(size_t count, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitTick(Event event, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnNotAppended(const absl::Status& status, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AcknowledgeBatch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FailBatch(const Failure& failure, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void FailWaiting(const Failure& failure, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReportError(const absl::Status& status, Effects& effects);

  // actor_shared.cc: what other servers do.
  bool Asks() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnConflict(log::AppendResult& result, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnLandedBefore(log::AppendResult& result, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnNoRoom(const absl::Status& status, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnMayLand(const absl::Status& status, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool TakeBack() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool ApplyMissed(log::AppendResult& result, size_t from, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  size_t DecideAgain(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteGeneration(std::string generation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteEpoch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteConfirmed(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void NoteWake(std::optional<int64_t> wake_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // actor_load.cc: getting a state, and settling what became of a batch.
  void StartLoad(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void StartRecovery(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnRecovered(const absl::Status& status);
  void OnStoreFailed(Event event, const absl::Status& status, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnLoaded(absl::StatusOr<Loaded> loaded);
  bool SettleBatch(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnSettlePage(absl::StatusOr<log::Page> page);
  void Resume(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropState(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MaybeSaveSnapshot(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnSnapshotSaved(const absl::StatusOr<domain::Revision>& saved);

  // actor_delete.cc: the end of a showtime's history.
  bool StartDelete(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnDeleted(const absl::Status& status);
  void Tell(std::deque<Deletion> deletions, const std::optional<Failure>& failure,
            Effects& effects);

  // actor_watch.cc: watchers, and the seat map.
  void Publish(const domain::Change& change, Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool ServeWatcher(const std::shared_ptr<Watcher>& watcher, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool DeliverSnapshot(const std::shared_ptr<Watcher>& watcher, bool replaces, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  std::shared_ptr<const SeatSnapshot> Snapshot(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RefreshLater(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RefreshSeatMap();
  void FetchHistory(const std::shared_ptr<Watcher>& watcher, Effects& effects)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AskForProgress(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PushProgress(Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A page of history, and its place among those that are in memory at once.
  struct HistoryPage {
    absl::StatusOr<log::Page> page;
    std::string generation;  // the store's before it was read
    std::shared_ptr<void> slot;
  };
  void OnHistory(const std::shared_ptr<Watcher>& watcher, HistoryPage page);
  void DeliverHistory(const std::shared_ptr<Watcher>& watcher, const HistoryPage& history,
                      Effects& effects) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remove(const std::shared_ptr<Watcher>& watcher) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::shared_ptr<Context> context_;
  const domain::ShowtimeId showtime_;

  mutable base::Mutex mu_;
  Phase phase_ ABSL_GUARDED_BY(mu_) = Phase::kUnloaded;
  // When the pause of the last failure ends (actor_phase.h).
  int64_t retry_at_ms_ ABSL_GUARDED_BY(mu_) = 0;
  // The log's Returns when it was last asked: before the call, so that a store which is back before
  // its failure is heard of is not waited for.
  uint64_t returns_when_asked_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t returns_at_failure_ ABSL_GUARDED_BY(mu_) = 0;  // the same of the call that failed last
  Failure last_failure_ ABSL_GUARDED_BY(mu_);             // what callers are told during the pause
  bool retired_ ABSL_GUARDED_BY(mu_) = false;
  bool wanted_ ABSL_GUARDED_BY(mu_) = false;   // Expire or Sweep came while there was no state
  bool is_used_ ABSL_GUARDED_BY(mu_) = false;  // somebody but a list has asked for it
  // On a shared store: a confirmation is wanted though nobody waits for one, because there may be
  // something new (up to the revision; 0: nobody knows), or because progress is due.
  std::optional<domain::Revision> hint_ ABSL_GUARDED_BY(mu_);
  bool progress_due_ ABSL_GUARDED_BY(mu_) = false;
  int yields_left_ ABSL_GUARDED_BY(mu_) = 0;            // after so many own appends it yields
  size_t batch_to_yield_for_ ABSL_GUARDED_BY(mu_) = 0;  // in kYielding: so many commands end it
  bool awaits_tick_ ABSL_GUARDED_BY(mu_) = false;       // is in Context::resend
  int64_t last_used_ms_ ABSL_GUARDED_BY(mu_) = 0;
  domain::Showtime state_ ABSL_GUARDED_BY(mu_);
  log::Head head_ ABSL_GUARDED_BY(mu_);                  // the last that is known to be durable
  std::string generation_ ABSL_GUARDED_BY(mu_);          // the store's, when it answered last
  domain::Epoch public_epoch_ ABSL_GUARDED_BY(mu_);      // of head_, as callers know it
  std::optional<int64_t> wake_ms_ ABSL_GUARDED_BY(mu_);  // as Context::wakes has it
  WaitingCommands commands_ ABSL_GUARDED_BY(mu_);
  std::deque<Deletion> deletions_ ABSL_GUARDED_BY(mu_);  // wait for the store to be asked
  std::deque<Deletion> deleting_ ABSL_GUARDED_BY(mu_);   // in kDeleting: wait for its answer
  std::deque<Reader> readers_ ABSL_GUARDED_BY(mu_);
  size_t reads_waiting_ ABSL_GUARDED_BY(mu_) = 0;  // in readers_ and map_readers_
  std::optional<Batch> batch_ ABSL_GUARDED_BY(mu_);
  int64_t weight_ ABSL_GUARDED_BY(mu_) = 0;  // what it added to Context::state_bytes

  domain::Revision snapshot_revision_ ABSL_GUARDED_BY(mu_);  // of the newest that is stored
  bool snapshotting_ ABSL_GUARDED_BY(mu_) = false;
  int64_t next_snapshot_ms_ ABSL_GUARDED_BY(mu_) = 0;

  std::vector<std::shared_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mu_);
  SeatMap seat_map_ ABSL_GUARDED_BY(mu_);
  int64_t seat_map_used_ms_ ABSL_GUARDED_BY(mu_) = 0;
  bool refreshing_ ABSL_GUARDED_BY(mu_) = false;  // RefreshSeatMap is on its way
  int seat_map_misses_ ABSL_GUARDED_BY(mu_) = 0;  // refreshed, and stale again when it was needed
  std::deque<Reader> map_readers_ ABSL_GUARDED_BY(mu_);  // wait for the seat map
  // Of the state at head_; made when the first reader asks.
  struct CachedSnapshot {
    std::shared_ptr<const SeatSnapshot> seats;
    std::vector<MessagePtr> first;      // for watches that begin; empty: none has asked
    std::vector<MessagePtr> replacing;  // for those whose position is void; empty: none has asked
  };
  CachedSnapshot cached_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
