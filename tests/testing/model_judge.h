// The judge of tests with real servers: follows a showtime's whole history with a model of the
// rules that was written apart (naive_model.h), and asks that model for every answer that callers
// got. Pure.
//
// It objects if
// - the changes have a hole, or one differs from what the model makes of the command that asked for
//   it (two holders, another expiry, an EXPIRED too early);
// - a change was asked for by nobody, or only by callers who were told that it was not done; a call
//   whose retry was told so may have an earlier attempt, never answered, that landed after that;
// - an acknowledged change is not at its revision, once, as its caller was told (fence, expiry,
//   seats), after all that was known when it was asked for;
// - an answer that changed nothing (a refusal with its reason and its conflicts, a no-op, a
// repeated
//   request, a read) is the model's in no state between its question and its answer; such a state
//   holds all that anybody was told or shown before the question;
// - such a state had a lock that had lapsed a second before the question;
// - LOCK_EXPIRED came for a lock that had not ended.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "seatlock/v1/seats.pb.h"
#include "tests/testing/call.h"

namespace seatlock::testing {

// How much of each kind was judged: a test that judges nothing must not pass.
struct Judged {
  int changes = 0;
  int refusals = 0;
  int no_ops = 0;
  int repeated = 0;  // requests that got their first answer again
  int reads = 0;

  bool HasAll() const {
    return changes > 0 && refusals > 0 && no_ops > 0 && repeated > 0 && reads > 0;
  }
  void Add(const Judged& more);
};

std::string Describe(const Judged& judged);

// FAILED_PRECONDITION with the first objection. `changes`: all of `showtime`, from revision 1, as a
// watcher is shown them. `calls`: of all callers, in any order, also those of other showtimes;
// those of one session must have been made one after the other.
absl::StatusOr<Judged> JudgeByModel(const std::string& showtime,
                                    const std::vector<v1::Change>& changes,
                                    const std::vector<Call>& calls);

}  // namespace seatlock::testing
