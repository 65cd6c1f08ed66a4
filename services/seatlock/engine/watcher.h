// The queue between a showtime and one reader of its changes.
//
// The showtime's actor pushes, the reader (an rpc stream) takes. Memory is bounded: a watcher
// whose queue is full takes no more changes; once its reader has taken what is queued, it is
// served a snapshot in place of what it missed. The reader never blocks: Next says Nothing, and
// the ready callback is called once when that changes.
//
// Thread-safe. Callbacks run without locks: methods that return true want Wake() called after the
// actor let go of its own lock. Always true: what was taken and is queued are the changes up to
// sent_upto(), in order, once each.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/mutex.h"
#include "services/seatlock/engine/outcome.h"
#include "services/seatlock/engine/watch_encoder.h"

namespace seatlock::engine {

class Watcher {
 public:
  struct Nothing {};
  using Item = std::variant<Bytes, Nothing, Failure>;

  // What the actor has to fetch for the watcher; kLive: nothing, changes are pushed.
  enum class Want { kStart, kHistory, kSnapshot, kLive };

  // `ready` is called from any thread, once for each time that Next gave Nothing. `fetch` is
  // called inside Next, when all is taken and Want is not kLive; the actor answers with Deliver.
  Watcher(std::optional<Position> resume, absl::AnyInvocable<void()> ready,
          absl::AnyInvocable<void()> fetch);

  // --- The reader's side: one thread at a time.

  // Takes the next message. Failure: the stream is over, and stays so.
  Item Next();
  // The reader has gone: drops what is queued; the ready callback is called once more if it is
  // owed, and Next gives kCancelled.
  void Close();

  // --- The actor's side.

  // Queues a live change. kNotLive: it comes from history or is in the snapshot.
  enum class Pushed { kNotLive, kQueued, kQueuedWake, kLagging };
  Pushed Push(const Bytes& bytes, domain::Revision revision, int64_t now_ms);

  // Queues what was fetched. True: call Wake.
  bool Deliver(std::vector<Bytes> items, domain::Revision upto, Want then, int64_t now_ms);

  // Ends the stream after what is queued. True: call Wake.
  bool End(Failure failure);

  // The showtime was read again: a live watcher that is behind `head` continues from history.
  // True: call Wake.
  bool Rejoin(domain::Revision head);

  // Queues `progress` if the watcher is live, has nothing queued, and was sent nothing since
  // `idle_since_ms`. True: call Wake.
  bool PushProgress(const Bytes& progress, int64_t idle_since_ms, int64_t now_ms);

  void Wake() { ready_(); }

  Want want() const;
  domain::Revision sent_upto() const;
  // Whether nothing was ever sent.
  bool untouched() const;
  bool over() const;
  const std::optional<Position>& resume() const { return resume_; }

 private:
  bool TakeWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Queue(const Bytes& bytes, int64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::optional<Position> resume_;
  absl::AnyInvocable<void()> ready_;
  absl::AnyInvocable<void()> fetch_;

  mutable base::Mutex mu_;
  std::deque<Bytes> queue_ ABSL_GUARDED_BY(mu_);
  size_t queued_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  Want want_ ABSL_GUARDED_BY(mu_) = Want::kStart;
  domain::Revision sent_upto_ ABSL_GUARDED_BY(mu_);
  int64_t last_sent_ms_ ABSL_GUARDED_BY(mu_) = 0;
  bool touched_ ABSL_GUARDED_BY(mu_) = false;
  bool waiting_ ABSL_GUARDED_BY(mu_) = false;   // Next gave Nothing, ready is owed
  bool fetching_ ABSL_GUARDED_BY(mu_) = false;  // fetch was called, Deliver is owed
  std::optional<Failure> end_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
