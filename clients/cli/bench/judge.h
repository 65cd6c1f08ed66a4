// Whether what sessions were told of the seats of one showtime can be true. Pure.
//
// Two records are compared: what the answers said (Told), and the showtime's stream (History).
// They are gone through together in the order of revisions. For each seat two things are kept: what
// the stream says of it, and which session was last told that it holds it, until when.
//
//   double hold          | a session is told that it holds a seat (or the stream gives it to it)
//                        | while another one holds it: its lock had not lapsed by then, and it was
//                        | not freed, cancelled or booked away by its own doing
//   lost acknowledgement | after the revision that the answer names, the stream says otherwise of
//                        | the seat, or has no such revision
//   unchecked            | the stream does not reach so far, because the history was not to be had
//
// An unlock or a cancellation without an answer may have happened. The stream says whether it did;
// where the stream does not reach, a holder who asked for one is not called a holder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/cli/bench/names.h"
#include "clients/cli/bench/options.h"

namespace seatlock::cli::bench {

// One success, or an unlock or a cancellation that failed. `expire_ms` is the lock's; `server_ms`
// the server's clock when it answered.
struct Told {
  uint64_t revision = 0;
  int64_t expire_ms = 0;
  int64_t server_ms = 0;
  uint32_t seat = 0;
  uint32_t session = 0;
  Kind kind = Kind::kLock;
  bool failed = false;  // it may have happened all the same; the first three say nothing
};

enum class SeatIs : uint8_t { kFree, kLocked, kBooked, kOther };

// One seat of one change. `session` is the holder; for a seat that was freed, the one before.
struct Seen {
  uint64_t revision = 0;
  int64_t commit_ms = 0;
  int64_t expire_ms = 0;
  uint32_t seat = 0;
  uint32_t session = 0;
  SeatIs status = SeatIs::kFree;
  bool lapsed = false;  // freed by the server, as its time had passed
};

struct History {
  std::vector<Seen> seen;      // revisions rising
  uint64_t last_revision = 0;  // as far as `seen` is whole
  std::string missing;         // why it is not whole; empty: it is
};

struct Findings {
  uint64_t double_holds = 0;
  uint64_t lost = 0;
  uint64_t unchecked = 0;
  std::vector<std::string> examples;  // the first few, in words

  void Add(const Findings& more);
};

// `told` in any order.
Findings JudgeShowtime(const std::string& showtime, std::vector<Told> told, const History& history);

}  // namespace seatlock::cli::bench
