// Whether a Redis server is set up so that the profile's promises hold, judged by what it says of
// itself. Reads texts alone: whoever holds the connections asks, at connect and each second.
//
// Each fault is one line that names the server, the setting, its value and what it must be.
// FAILED_PRECONDITION: somebody has to change the setting. UNAVAILABLE: it passes by itself, such
// as loading.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

// What a profile wants of a server.
struct SetupWanted {
  RedisProfile profile = RedisProfile::kStrict;
  int replicas = 0;  // that must acknowledge; kStrict alone
};

// The replicas that a primary's INFO names.
struct ReplicaLine {
  RedisAddress address;
  bool online = false;
};
std::vector<ReplicaLine> ReplicasOf(const RedisFacts& primary);

// Whether Sentinel may make it the primary: one with replica-priority 0 it never does, so its
// acknowledgement makes nothing safer.
bool MayBePromoted(const RedisFacts& replica);

// OK if as many replicas that may be promoted are connected as are wanted.
absl::Status CheckPromotable(int promotable, const SetupWanted& wanted);

// OK: changes that the primary acknowledges are as safe as the profile promises, as far as its
// settings say. No setting at all in `server`: its user may not ask for them.
absl::Status CheckPrimary(const RedisFacts& server, const SetupWanted& wanted);

// The same of a replica that may be promoted.
absl::Status CheckReplica(const RedisFacts& server, const SetupWanted& wanted);

// Waits out the AOF rewrite that follows turning AOF on or a full synchronisation: until it ends
// the file on the disk does not hold what was written, and a server that crashes meanwhile comes
// back empty. Later rewrites are harmless, and INFO tells neither from the other. So a server
// counts only once it was seen outside of a rewrite, and counts no more when it was started anew,
// had AOF off, or was synchronised.
//
//   | seen                                  | settled before      | not settled       |
//   |---------------------------------------|---------------------|-------------------|
//   | another run or synchronisation        | not settled; go on  | go on             |
//   | AOF off, loading or synchronising     | not settled         | UNAVAILABLE       |
//   | rewriting, about to, or the last fails| OK                  | UNAVAILABLE       |
//   | none of these                         | OK                  | settled, OK       |
//
// One a server. Thread-compatible.
class RewriteWatch {
 public:
  // `syncs` changes whenever the server may have been synchronised anew: of a replica SyncsOf its
  // primary, of a primary nothing.
  absl::Status Look(const RedisFacts& server, absl::string_view syncs = "");

 private:
  std::string settled_;  // the run and synchronisation that was seen outside of a rewrite
};

// What changes when a primary begins to synchronise a replica in full.
std::string SyncsOf(const RedisFacts& primary);

}  // namespace seatlock::log
