// The queue between a showtime and one reader of its changes.
//
// The showtime's actor pushes, the reader (an rpc stream) takes. Memory is bounded: a watcher
// whose queue is full takes no more changes; once its reader has taken what is queued, it is
// served a snapshot in place of what it missed. If readers that do not read hold too much of the
// process's memory, the engine ends the slowest (Shed). The reader never blocks: Next says Nothing,
// and the ready callback is called once when that changes.
//
// Thread-safe. Callbacks run without locks: methods that return true want Wake() called after the
// actor let go of its own lock. Always true: what was taken and is queued are the changes up to
// sent_upto(), in order, once each.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/seatlock/engine/message.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/position.h"
#include "services/seatlock/engine/recipient.h"

namespace seatlock::engine {

class Watcher final : public Recipient {
 public:
  struct Nothing {};
  using Item = std::variant<MessagePtr, Nothing, Failure>;

  // What the actor has to fetch for the watcher; kLive: nothing, changes are pushed.
  enum class Want { kStart, kHistory, kSnapshot, kLive };

  struct Callbacks {
    // From any thread, once for each time that Next gave Nothing.
    absl::AnyInvocable<void()> ready;
    // The reader did not take its end: what it was handed and holds on to must go. May be empty.
    absl::AnyInvocable<void()> cut;
    // Inside Next, when all is taken and Want is not kLive; the actor answers with Deliver.
    absl::AnyInvocable<void()> fetch;
    // Once, when the reader has gone or took the end.
    absl::AnyInvocable<void()> gone;
  };

  // `clock` outlives the watcher.
  Watcher(std::optional<Position> resume, const base::Clock& clock, Callbacks callbacks);

  // --- The reader's side: one thread at a time.

  // Takes the next message. Failure: the stream is over, and stays so.
  Item Next();
  // The reader has gone: drops what is queued; the ready callback is called once more if it is
  // owed, and Next gives kCancelled.
  void Close();

  // --- The actor's side.

  // Queues a live change. kNotLive: it comes from history or is in the snapshot.
  enum class Pushed { kNotLive, kQueued, kQueuedWake, kLagging };
  Pushed Push(const MessagePtr& message, const Position& position);

  // Queues what was fetched. True: call Wake.
  bool Deliver(const std::vector<MessagePtr>& messages, const Position& upto, Want then);

  // Ends the stream after what is queued. True: call Wake.
  bool End(Failure failure);
  // As Recipient has them. Called without the actor's lock.
  void Shed(Failure failure) override;
  void Cut() override;
  std::optional<int64_t> busy_since_ms() const override;
  int64_t handed_bytes() const override;

  // The showtime was read again, or its epoch is another: a live watcher that is behind `head`
  // continues from history, and one that was sent another history gets a snapshot. True: call Wake.
  bool Rejoin(const Position& head);

  // Queues `progress` if the watcher is live, has nothing queued, and was sent nothing since
  // `idle_since_ms`. True: call Wake.
  bool PushProgress(const MessagePtr& progress, int64_t idle_since_ms);

  void Wake() { callbacks_.ready(); }

  Want want() const;
  domain::Revision sent_upto() const;
  // Of the history that it was sent; empty: nothing of any.
  domain::Epoch epoch() const;
  // Whether PushProgress would queue something.
  bool idle(int64_t idle_since_ms) const;
  // Whether nothing was ever sent.
  bool untouched() const;
  bool over() const;
  const std::optional<Position>& resume() const { return resume_; }

  // For the actor, guarded by its lock: where it keeps the watcher.
  size_t slot = kNoSlot;
  static constexpr size_t kNoSlot = SIZE_MAX;

 private:
  bool TakeWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Queue(const MessagePtr& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void DropQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TellGone();

  const std::optional<Position> resume_;
  const base::Clock& clock_;
  Callbacks callbacks_;
  std::atomic<bool> gone_{false};

  mutable base::Mutex mu_;
  std::deque<MessagePtr> queue_ ABSL_GUARDED_BY(mu_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  Want want_ ABSL_GUARDED_BY(mu_) = Want::kStart;
  domain::Revision sent_upto_ ABSL_GUARDED_BY(mu_);
  domain::Epoch epoch_ ABSL_GUARDED_BY(mu_);  // of sent_upto_
  int64_t last_sent_ms_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t last_taken_ms_ ABSL_GUARDED_BY(mu_) = 0;
  size_t last_taken_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool touched_ ABSL_GUARDED_BY(mu_) = false;
  bool waiting_ ABSL_GUARDED_BY(mu_) = false;   // Next gave Nothing, ready is owed
  bool fetching_ ABSL_GUARDED_BY(mu_) = false;  // fetch was called, Deliver is owed
  std::optional<Failure> end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
