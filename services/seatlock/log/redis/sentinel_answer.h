// What Sentinels answer, as the log (primary_finder.h) and the tools (sentinel.h) read it: of the
// primaries that they name the one of the newest failover counts.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/seatlock/log/redis/redis_options.h"

namespace seatlock::log {

struct NamedPrimary {
  RedisAddress address;
  uint64_t epoch = 0;  // of the failover that made it one (config-epoch)
};

// From the answers to SENTINEL GET-MASTER-ADDR-BY-NAME `name` (host and port), and to SENTINEL
// MASTER (names and values in turn; none: the epoch is 0). FAILED_PRECONDITION: it knows no such
// primary.
absl::StatusOr<NamedPrimary> ReadNamed(const std::vector<std::string>& address,
                                       const std::vector<std::string>& master,
                                       absl::string_view name);

// Why a Sentinel answers with this error, in words for operators.
absl::Status SentinelError(absl::string_view error);

// Of those with the highest epoch the first. `named` is not empty.
const NamedPrimary& NewestOf(const std::vector<NamedPrimary>& named);

// Keeps `status` if it says more than what is kept: an error that somebody has to mend says more
// than one that passes.
void KeepTelling(absl::Status& kept, const absl::Status& status);

}  // namespace seatlock::log
