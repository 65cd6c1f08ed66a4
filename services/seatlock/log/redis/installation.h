// The marker of an installation in Redis (keys.h), as tools read and write it:
//
//   | in the marker      | what it says                                  | a server |
//   |--------------------|-----------------------------------------------|----------|
//   | nothing            | no store, or one that has lost its beginning   | waits    |
//   | id, layout, counter| initialised                                    | serves   |
//   | restoring          | a restore is under way or was cut short        | waits    |
//
// Functions that block; errors as sync_client.h.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/log/redis/sync_client.h"

namespace seatlock::log {

struct Installation {
  std::string id;  // empty: not initialised
  int layout = 0;
  bool restoring = false;
};

absl::StatusOr<Installation> ReadInstallation(SyncClient& client, const std::string& prefix);

// FAILED_PRECONDITION if the store is of a newer layout than this program knows.
absl::Status CheckLayout(const Installation& installation);

// What there is under the prefix beside the marker.
struct PrefixContent {
  uint64_t showtimes = 0;
  std::string foreign;  // a key that is none of ours; empty: there is none
};
// Looks at all keys of the database, a thousand at a time.
absl::StatusOr<PrefixContent> LookUnder(SyncClient& client, const std::string& prefix);

struct InitReport {
  std::string id;
  bool accepted = false;  // what was there goes on under a new generation
  uint64_t showtimes = 0;
};

// Writes the marker. With `accept` also if there is one, or if there are showtimes without one: an
// operator says that what is there counts. FAILED_PRECONDITION: there is a marker, or there are
// showtimes, and not `accept`; a restore was cut short; keys that are none of ours; a newer layout.
// Nothing was changed then.
absl::StatusOr<InitReport> InitStore(SyncClient& client, const std::string& prefix, bool accept);

// From now on no server serves the store, and it is empty: what a restore that was cut short
// brought is removed. FAILED_PRECONDITION: it holds showtimes, or keys that are none of ours;
// nothing was changed then.
absl::Status BeginRestore(SyncClient& client, const std::string& prefix);
// What was restored counts from now on, under a new generation.
absl::Status EndRestore(SyncClient& client, const std::string& prefix);

}  // namespace seatlock::log
