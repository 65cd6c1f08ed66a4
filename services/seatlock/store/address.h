// Where seats are kept: a --store value, taken apart. A value.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace seatlock {

// sqlite:PATH, or memory:.
struct StoreConfig {
  enum class Kind { kMemory, kSqlite };
  Kind kind = Kind::kSqlite;
  std::string path = "seatlock.db";  // kSqlite alone

  std::string ToString() const;
};

// INVALID_ARGUMENT in words that complete "--store ...".
absl::Status ParseStore(std::string_view text, StoreConfig* store);

}  // namespace seatlock
