// Whether one server of a list may be asked, as far as one client knows. Time is handed in.
//
//   state    | Ask: may it be asked?                   | Answered | Failed
//   ---------+-----------------------------------------+----------+------------------------------
//   kServing | yes                                     | stays    | kAway until a pause is over
//   kAway    | no, until the pause is over; then yes,  | kServing | stays: calls that fail
//            | and kTried for at most `trial_max`      |          | together count once
//   kTried   | no: one caller asks it already. After   | kServing | kAway until a longer pause is
//            | `trial_max` yes, as a new trial         |          | over
//
// Pauses are random and double up to a bound (backoff.h); Answered makes the next one short again.
// So a server that is away costs one caller an attempt a pause, and callers come back apart from
// each other. Thread-compatible.
#pragma once

#include <chrono>

#include "clients/cpp/backoff.h"

namespace seatlock::client {

class ServerState {
 public:
  using Clock = std::chrono::steady_clock;
  using Ms = std::chrono::milliseconds;
  enum class State { kServing, kAway, kTried };

  ServerState(Backoff backoff, Ms trial_max) : trial_max_(trial_max), backoff_(backoff) {}

  State state() const { return state_; }
  // Whether Ask would say yes.
  bool MayBeAsked(Clock::time_point now) const {
    return state_ == State::kServing || now >= until_;
  }

  // Whether the caller may ask the server now. A yes makes it the one caller of a trial.
  bool Ask(Clock::time_point now) {
    if (!MayBeAsked(now)) return false;
    if (state_ != State::kServing) Become(State::kTried, now + trial_max_);
    return true;
  }
  // The server answered, if only by a refusal.
  void Answered() {
    if (state_ == State::kServing) return;
    backoff_.Reset();
    Become(State::kServing, {});
  }
  // It could not be reached, or said that it cannot serve; for `asked_for` at least, if it said so.
  void Failed(Clock::time_point now, Ms asked_for) {
    if (state_ == State::kAway) return;
    Become(State::kAway, now + backoff_.Next(asked_for));
  }

 private:
  void Become(State state, Clock::time_point until) {
    state_ = state;
    until_ = until;
  }

  const Ms trial_max_;
  Backoff backoff_;
  State state_ = State::kServing;
  Clock::time_point until_;  // kAway: of the pause. kTried: of the trial.
};

}  // namespace seatlock::client
