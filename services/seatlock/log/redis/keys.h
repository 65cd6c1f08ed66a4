// The names of the store's keys.
//
//   {P:NN}:head:S    hash of a showtime: epoch, rev, chain (its head), oldest (the oldest revision
//                    that is kept, rev + 1 if none is), base (the chain before it), ms (the commit
//                    time of the head's record)
//   {P:NN}:log:S     stream: entry REV-0, fields t (commit time), c (chain, then its seal), b (the
//                    record's bytes as they were hashed)
//   {P:NN}:snap:S    hash: the two newest snapshots, fields a:* and b:*
//   {P:NN}:wake      sorted set: a showtime's id -> its wake time
//   {P:NN}:changed   sorted set: a showtime's id -> the partition's counter at its last change
//   {P:NN}:counter   that counter
//   {P:NN}:ids       sorted set, all scores 0: the ids, in the order of their bytes
//   P:NN             the channel on which hints are published: a showtime's id
//   {P:meta}:installation   hash: layout (kRedisLayout), id (16 hexadecimal digits), counter; while
//                    a restore is under way no id, but restoring
//   {P:meta}:servers hash: with which limits servers were started (server_limits.h)
//
// P is the installation's prefix, NN the partition, 00 to 63, S the showtime's id, encoded. All
// keys of a showtime share a hash tag. Ids in sorted sets and hints are as they are: their order
// counts.
//
// The installation's marker is written by `seatlockd store init` alone (kRelaxed: by the log, if
// the store is empty): HSET {P:meta}:installation layout 1 id <new id> counter 0. A new id says
// that an operator accepts what is there: the generation becomes another one.
//
// Pure functions.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "services/seatlock/domain/types.h"

namespace seatlock::log {

// The layout of the keys. A store of a newer one is refused.
inline constexpr int kRedisLayout = 1;

// The partition of a showtime: 0 to kRedisPartitions - 1.
int PartitionOf(const domain::ShowtimeId& showtime);

// The showtime's id as it stands in keys: what is neither a letter nor a digit nor one of "-_.~" is
// %XX, so that neither a brace nor a NUL reaches the hash tag.
std::string EncodedId(const domain::ShowtimeId& showtime);

// "{P:NN}:`name`".
std::string PartitionKey(absl::string_view prefix, int partition, absl::string_view name);
// "{P:NN}:`name`:S".
std::string ShowtimeKey(absl::string_view prefix, const domain::ShowtimeId& showtime,
                        absl::string_view name);
// "P:NN".
std::string HintChannel(absl::string_view prefix, int partition);
// "{P:meta}:installation".
std::string InstallationKey(absl::string_view prefix);

}  // namespace seatlock::log
