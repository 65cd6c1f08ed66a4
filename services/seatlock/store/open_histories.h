// Opens a store to read its histories, whatever it is kept in.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "services/seatlock/log/histories.h"
#include "services/seatlock/store/address.h"

namespace seatlock::store {

// Errors: as of who opens it (log/sqlite/inspect.h, log/redis/inspection.h). Not of memory:.
absl::StatusOr<std::unique_ptr<log::Histories>> OpenHistories(const StoreConfig& config);

}  // namespace seatlock::store
