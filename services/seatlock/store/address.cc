#include "services/seatlock/store/address.h"

#include <utility>

namespace seatlock {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:";

}  // namespace

absl::Status ParseStore(std::string_view text, StoreConfig* store) {
  if (IsRedisAddress(text)) {
    absl::StatusOr<RedisStoreAddress> redis = ParseRedisAddress(text);
    if (!redis.ok()) return redis.status();
    *store = {StoreConfig::Kind::kRedis, "", *std::move(redis)};
    return absl::OkStatus();
  }
  if (text == "memory:") {
    *store = {StoreConfig::Kind::kMemory, ""};
    return absl::OkStatus();
  }
  if (!text.starts_with(kSqlitePrefix) || text.size() == kSqlitePrefix.size()) {
    return absl::InvalidArgumentError("must be sqlite:PATH, redis://HOST:PORT or memory:");
  }
  const std::string_view path = text.substr(kSqlitePrefix.size());
  // SQLite would take :memory: for a store that is lost, and file: for a URI with options.
  if (path.starts_with(':') || path.starts_with("file:")) {
    return absl::InvalidArgumentError(
        "must be sqlite:PATH with the path of a file, which cannot begin with ':' or 'file:'");
  }
  *store = {StoreConfig::Kind::kSqlite, std::string(path)};
  return absl::OkStatus();
}

std::string StoreConfig::ToString() const {
  switch (kind) {
    case Kind::kMemory:
      return "memory:";
    case Kind::kSqlite:
      return std::string(kSqlitePrefix) + path;
    case Kind::kRedis:
      return redis.ToString();
  }
  return "";
}

}  // namespace seatlock
