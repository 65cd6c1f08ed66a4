// Whether a pipeline's answers count: judged by what Redis said at its end.
//
//   | at the end of the pipeline                        | kStrict         | kRelaxed        |
//   |---------------------------------------------------|-----------------|-----------------|
//   | INFO replication was refused                      | kNotReady       | kNotReady       |
//   | the server is no primary (any more)               | kGone           | kGone           |
//   | our functions are gone                            | kGone           | kGone           |
//   | the last write was refused                        | kNotReady       | kNotReady       |
//   | no marker, one of a newer layout, or a restore is | kNotReady       | kNotReady       |
//   | under way                                         |                 |                 |
//   | fewer acknowledgements than replicas are wanted,  | kNotReady       | not asked       |
//   | or than are connected                             |                 |                 |
//   | fewer connected that may be promoted              | kNotReady       | not asked       |
//   | the marker's counter is not above a confirmed one | kLost           | kOtherHistory   |
//   | (below it, if the pipeline has not raised it), or |                 |                 |
//   | was not before, under this replication id         |                 |                 |
//   | another replication id, or another installation   | kOtherHistory   | kOtherHistory   |
//   | none of these                                     | kCounts         | kCounts         |
//
// The first line that fits counts. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/redis_options.h"
#include "services/seatlock/log/redis/setup_check.h"

namespace seatlock::log {

// The counter that a server met below one that it had confirmed, and under which replication id. It
// stays a loss however far other servers, which had not confirmed as much, raise the counter.
struct Loss {
  std::string replication_id;
  uint64_t counter = 0;
};

// Which history a server takes for the store's.
struct StoreView {
  std::string replication_id;  // empty: none was judged yet
  std::string installation;
  uint64_t counter = 0;  // the highest that was confirmed
  std::optional<Loss> loss = {};

  std::string Generation() const;
};

// What the commands at a pipeline's end have answered.
struct PipelineEnd {
  // The barrier's.
  absl::Status barrier;  // not OK: it was refused, with Redis's words
  RedisTime time;
  std::string installation;  // empty: no marker
  bool restoring = false;    // no marker, because a restore has begun
  int64_t layout = 0;
  uint64_t counter = 0;
  // WAIT's; -1: not asked or an error.
  int64_t acknowledged = -1;
  // INFO replication's.
  absl::Status replication = {};  // not OK: it was refused, with Redis's words
  std::string role;
  std::string replication_id;
  int64_t connected_replicas = 0;
  std::vector<ReplicaLine> replicas = {};
};

struct Verdict {
  enum class Kind {
    kCounts,
    kOtherHistory,  // nothing counts; ask again with the view of this end
    kNotReady,      // nothing counts until `why` is no more
    kLost,          // the same; the view is to keep `loss`
    kGone,          // nothing counts; begin anew with the primary
  };
  Kind kind = Kind::kNotReady;
  absl::Status why;  // OK only if it counts
  std::optional<Loss> loss = {};
};

struct JudgedFor {
  RedisProfile profile = RedisProfile::kStrict;
  int replicas = 0;
  // How many of those that are connected may be promoted: WAIT counts the others too.
  int promotable = 0;
  // Whether the pipeline must have raised the marker's counter.
  bool raises = true;
};

// `view` is the one at the time when the pipeline was sent.
Verdict Judge(const PipelineEnd& end, const StoreView& view, const JudgedFor& wanted);

// The view after a pipeline that ended so.
StoreView ViewOf(const PipelineEnd& end);

// The fields of an answer of INFO.
std::map<std::string, std::string> ParseInfo(absl::string_view text);

// Fills in what INFO replication says.
void ReadReplication(absl::string_view info, PipelineEnd& end);

// What an error of Redis says about a command that may have written.
enum class ErrorMeaning {
  kNothingDone,
  kNoRoom,  // nothing done, because memory is short
  kUnknown,
};
ErrorMeaning MeaningOf(absl::string_view error);

// Whether a function of ours has failed in its midst: what it has written stays. So may the next
// one, until somebody has looked at the rights again.
bool IsHalfway(absl::string_view error);

}  // namespace seatlock::log
