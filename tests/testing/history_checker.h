// Judges a showtime's whole history against what its callers were told, for tests that note down no
// more than who asked for which seat; if every question and answer is known, model_judge.h judges
// more. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "seatlock/v1/seats.pb.h"

namespace seatlock::testing {

// What one caller asked for and was told in the end, retries included. Its `session` (lock,
// unlock) or `order` (book, cancel) is used for no other operation of its kind on the seat.
struct Operation {
  enum class Kind { kLock, kUnlock, kBook, kCancel };
  enum class Outcome { kAcknowledged, kRefused, kUnknown };

  // When it was asked: the first time, and the time that was answered; and when that answer came.
  struct Times {
    std::chrono::steady_clock::time_point first_asked = {};
    std::chrono::steady_clock::time_point last_asked = {};
    std::chrono::steady_clock::time_point answered = {};
  };

  Kind kind = Kind::kLock;
  Outcome outcome = Outcome::kUnknown;
  std::string showtime = {};
  std::string seat = {};
  std::string session = {};  // lock, unlock, book
  std::string order = {};    // book, cancel
  uint64_t revision = 0;     // acknowledged ones: what the answer said
  Times times = {};
};

// FAILED_PRECONDITION where `changes`, all of `showtime` from revision 1, break one of these:
// revisions have no holes; no seat has two holders; every change is EXPIRED or was asked for by an
// operation that was not refused, once; every acknowledged operation is there at its revision (an
// unlock may have come after the lock had expired).
absl::Status CheckHistory(const std::string& showtime, const std::vector<v1::Change>& changes,
                          const std::vector<Operation>& operations);

// FAILED_PRECONDITION where a refusal is justified by no state between its question and its answer.
// The first such state holds all that anybody was acknowledged before the question; the last one
// holds no change that was asked for after the answer. `changes` must have passed CheckHistory.
absl::Status CheckRefusals(const std::string& showtime, const std::vector<v1::Change>& changes,
                           const std::vector<Operation>& operations);

}  // namespace seatlock::testing
