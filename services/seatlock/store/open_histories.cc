#include "services/seatlock/store/open_histories.h"

#include "services/seatlock/log/sqlite/inspect.h"

namespace seatlock::store {

absl::StatusOr<std::unique_ptr<log::Histories>> OpenHistories(const StoreConfig& config) {
  if (config.kind != StoreConfig::Kind::kSqlite) {
    return absl::InvalidArgumentError(config.ToString() + " keeps nothing that could be read");
  }
  return log::Inspection::Open(config.path);
}

}  // namespace seatlock::store
