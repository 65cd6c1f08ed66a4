// The states of an actor and what leads from one to another. Pure.
//
// Only Next() below says which state follows; Actor::Transition is the only place that changes it.
//
//   state       | holds                  | event → next state
//   ------------+------------------------+---------------------------------------------------------
//   kUnloaded   | nothing                | kWanted → kLoading, kDelete → kDeleting
//   kLoading    | nothing                | kLoaded → kReady, kReadFailed → kFailed,
//               |                        | kDamaged → kDamaged
//   kReady      | the state at its head  | kAppend → kAppending, kYield → kYielding,
//               |                        | kDelete → kDeleting
//   kYielding   | as kReady              | kWanted → kReady, kDelete → kDeleting
//   kAppending  | a state ahead of its   | kCommitted → kReady, kTakenBack → kReady,
//               | head, and the batch    | kConflict → kUnloaded, kTurnedAway → kQueueFull,
//               |                        | kNotAppended → kFailed, kDamaged → kDamaged,
//               |                        | kUnknown → kRecovering (the store is exclusive),
//               |                        | kMayLand → kResending (it is shared)
//   kQueueFull  | as kAppending          | kWanted → kAppending (the same batch again)
//   kResending  | as kAppending          | kWanted → kAppending (the same batch again)
//   kRecovering | the batch, if one is   | kRecovered → kSettling, kRecoveryFailed → kUnsettled
//               | not settled            |
//   kSettling   | as kRecovering         | kLoaded → kReady, kReadFailed → kFailed,
//               |                        | kDamaged → kDamaged
//   kDeleting   | nothing                | kDeleted → kUnloaded, kNotDeleted → kFailed
//   kFailed     | nothing                | kWanted → kLoading, kDelete → kDeleting
//   kUnsettled  | nothing                | kWanted → kRecovering
//   kDamaged    | nothing                | kWanted → kLoading, kDelete → kDeleting
//
// A batch without changes is a question: on a shared store it confirms that the state is the one at
// the store's head, and is answered like any other (kAppending). A shared store's batch that may
// have landed is sent again until the store tells, for kSettleMs at most; then its callers hear
// that the outcome is unknown, and kNotAppended follows. What lands after that moves the head,
// which the next confirmation notices.
//
// kYielding is other servers' turn. They hear of an append at the same moment as the one that made
// it, and that one is the fastest to send the next: it would win again and again, each time with
// the few commands that came meanwhile, and the others' full batches would be too late. So who has
// won a showtime after others had been first waits with its next batch until it is as large as the
// last one was, until another's change is heard of, or until the next Tick (100 ms at most).
// Whatever else is wanted ends it at once: a read, a lapsed lock, progress.
//
// A deletion reads nothing, so it needs no state and a damaged showtime can be deleted too. It
// never overtakes an append that is under way or may still land. What comes while the store deletes
// waits, and is then decided on a showtime that never was.
//
// Retries: in kQueueFull, kResending, kFailed, kUnsettled and kDamaged, kWanted is taken only after
// PauseMs, or (but in kDamaged) once the store says that it is back (ShowtimeLog::Returns). What
// follows is one load and one append at most, so a showtime asks a failing store twice a second;
// StoreTries bounds the whole process. Who needs the showtime during a pause is refused at once,
// but in kQueueFull and kResending, where callers wait. After an unknown outcome the next kAppend
// waits for the pause; what needs no append is answered as soon as the state was read.
#pragma once

#include <cstdint>
#include <optional>

namespace seatlock::engine {

enum class Phase {
  kUnloaded,    // nobody has needed the showtime yet, or another server changed it
  kLoading,     // the log is being read
  kReady,       // nothing is under way
  kYielding,    // others may go first
  kAppending,   // a batch is on its way to the store
  kQueueFull,   // the store had no room for the batch
  kResending,   // the batch may have landed, or may land yet, in a shared store
  kRecovering,  // the batch may have landed: the log makes sure that it cannot land later
  kSettling,    // the log is being read for what became of the batch
  kDeleting,    // the store is deleting the showtime
  kFailed,      // the store could not be read, or did not take the batch
  kUnsettled,   // recovering failed: it comes before anything else
  kDamaged,     // what is stored is no valid history
};

enum class Event {
  kWanted,          // somebody needs the state, or a batch waits to be sent again
  kLoaded,          // the state was read
  kReadFailed,      // it could not be read now
  kDamaged,         // what was read is no valid history
  kAppend,          // a batch was decided
  kYield,           // others were first before this server was
  kCommitted,       // it is durable
  kConflict,        // another server was first, and the state cannot be had but from the log
  kTakenBack,       // the batch did not go in, and the state is that of a head again
  kTurnedAway,      // the store's queue is full, nothing was done
  kNotAppended,     // nothing was done
  kUnknown,         // it may have been done, in an exclusive store
  kMayLand,         // the same, in a shared one
  kRecovered,       // what has not landed by now never will
  kRecoveryFailed,  // that could not be made sure of
  kDelete,          // somebody wants the showtime deleted
  kDeleted,         // it is
  kNotDeleted,      // it may be or not
};

// None: the event cannot happen in this state.
std::optional<Phase> Next(Phase phase, Event event);

// How long after entering `phase` the store is asked again, in milliseconds; 0: it has not failed.
int64_t PauseMs(Phase phase);

// Whether there is a state in memory (which may be ahead of what is durable).
bool HasState(Phase phase);

// Whether nothing is under way, so that the state is that at the head.
bool IsAtHead(Phase phase);

// Whether a batch waits to be sent again.
bool HoldsBatch(Phase phase);

const char* Name(Phase phase);
const char* Name(Event event);

}  // namespace seatlock::engine
