// Where seats are kept: a --store value, taken apart. A value.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "services/seatlock/store/redis_address.h"

namespace seatlock {

// sqlite:PATH, memory:, or redis://….
struct StoreConfig {
  enum class Kind { kMemory, kSqlite, kRedis };
  Kind kind = Kind::kSqlite;
  std::string path = "seatlock.db";  // kSqlite alone
  RedisStoreAddress redis = {};      // kRedis alone

  std::string ToString() const;

  static StoreConfig Sqlite(std::string path) { return {Kind::kSqlite, std::move(path)}; }
};

// INVALID_ARGUMENT in words that complete "--store ...".
absl::Status ParseStore(std::string_view text, StoreConfig* store);

}  // namespace seatlock
