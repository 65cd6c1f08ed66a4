#include "services/seatlock/store/open_histories.h"

#include "services/seatlock/log/redis/inspection.h"
#include "services/seatlock/log/sqlite/inspect.h"

namespace seatlock::store {

absl::StatusOr<std::unique_ptr<log::Histories>> OpenHistories(const StoreConfig& config) {
  switch (config.kind) {
    case StoreConfig::Kind::kMemory:
      return absl::InvalidArgumentError("memory: keeps nothing that could be read");
    case StoreConfig::Kind::kSqlite:
      return log::Inspection::Open(config.path);
    case StoreConfig::Kind::kRedis: {
      const absl::StatusOr<RedisCredentials> credentials = ReadRedisCredentials();
      if (!credentials.ok()) return credentials.status();
      return log::RedisInspection::Open(OptionsOf(config.redis, *credentials));
    }
  }
  return absl::InternalError("no such kind of store");
}

}  // namespace seatlock::store
