// Checks that every store makes: of what it is asked to append, and of what it read.
//
// Pure functions.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "services/seatlock/log/chain.h"
#include "services/seatlock/log/showtime_log.h"

namespace seatlock::log {

// INVALID_ARGUMENT where a request would make a history that does not verify: a wrong epoch, or
// revisions or chains that do not follow `expected`. That is a bug of the caller's, and
// noticed here it spoils nothing that is stored.
absl::Status VerifyAppend(const AppendRequest& request);

// DATA_LOSS, naming showtime and revision, unless `records` have the revisions `first`, `first` + 1
// ... and chains that follow `before`, the chain of the revision before `first`.
absl::Status VerifyRecords(const domain::ShowtimeId& showtime, const Chain& before,
                           domain::Revision first, const std::vector<StoredRecord>& records);

// DATA_LOSS: "showtime S, revision R: `what`".
absl::Status DataLoss(const domain::ShowtimeId& showtime, domain::Revision revision,
                      const char* what);

}  // namespace seatlock::log
