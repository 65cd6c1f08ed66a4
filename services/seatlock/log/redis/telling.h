// What operators are told of a store that is not served, and how often.
//
//   state      | Failed(why)                 | Served     | Tick
//   -----------+-----------------------------+------------+---------------------------------------
//   well       | unserved; told              | well       | well
//   unserved   | told if it is a new reason  | returning  | unserved
//   returning  | as unserved; now unserved   | returning  | well after kRedisSteadyMs: return told
//
// A store that comes and goes is so one outage, with one line at its begin and one at its end. At
// first it is unserved, and nobody has been told anything.
//
// Thread-compatible. Reads no clock.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seatlock::log {

class Outage {
 public:
  // The store is not served because of `why`. True: tell it.
  bool Failed(const absl::Status& why);
  void Served(int64_t now_ms);
  // True: tell that the store is served. Only if something else was told before.
  bool Tick(int64_t now_ms);

 private:
  enum class State { kWell, kUnserved, kReturning };

  State state_ = State::kUnserved;
  int64_t since_ms_ = 0;        // kReturning: since when it is served
  std::set<std::string> told_;  // of this outage; bounded
};

// What is said of a peer that answers, but not as a Redis does.
inline constexpr char kNoRedis[] =
    "does not speak Redis's protocol: the address is another server's";

inline constexpr char kClosesAtOnce[] = "closes connections without an answer (is it a Redis?)";

// An UNAVAILABLE of a connection to `peer` that could not be made or was lost. However its words
// differ from one try to the next, it is one reason.
absl::Status Unreachable(absl::string_view peer, absl::string_view why);
// The same status with other words.
absl::Status Reworded(const absl::Status& status, absl::string_view message);

// `text` as one line of at most kRedisReasonBytesMax, with "***" where `secret` stood and without
// the arguments that Redis repeats in an error.
std::string ForOperators(absl::string_view text, absl::string_view secret);
absl::Status ForOperators(const absl::Status& status, absl::string_view secret);

}  // namespace seatlock::log
