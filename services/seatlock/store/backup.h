// Copies of whole stores: taken while a server writes, and put back.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/seatlock/store/progress.h"

namespace seatlock::store {

// Copies the store at `from`, as it is at one moment, to `to`, which comes to be at the end, whole
// and synced. FAILED_PRECONDITION: `to` is there already, or `from` is no store.
absl::Status BackupStore(const std::string& from, const std::string& to, Progress& progress);

struct RestoreReport {
  uint64_t showtimes = 0;
  uint64_t changes = 0;
  std::string kept_as;  // what the former file is called now; empty: there was none
  std::string notice;   // what else an operator should hear; empty for nothing
};

// Makes the store at `to` what the copy at `from` is, under another generation. Files of a store
// that was there are kept beside it. FAILED_PRECONDITION: a server has `to` in use, `from` is no
// sound store, or `to` is something that is no store; nothing was changed then.
//
// Before the first file is moved the mark says that a restore is under way, and after the last one
// that it has ended: a server does not start in between, whenever this is cut short. Run it again
// then.
absl::StatusOr<RestoreReport> RestoreStore(const std::string& from, const std::string& to,
                                           Progress& progress);

}  // namespace seatlock::store
