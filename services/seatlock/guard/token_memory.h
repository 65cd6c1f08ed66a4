// Which tokens were verified a short while ago, and whose they are: checking a signature costs
// 50 to 100 us, looking here one hash. Keeps hashes, never tokens. Thread-safe.
//
// Bounded by two generations: once the young one is full, it becomes the old one, and what was in
// that is forgotten unless it was asked for since. So no more than twice kGenerationMax are kept,
// and a token in use is never the one to go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "services/seatlock/guard/key_file.h"

namespace seatlock::guard {

class TokenMemory {
 public:
  static constexpr size_t kGenerationMax = 5'000;

  struct Known {
    Identity identity;
    int64_t expire_ms;  // Unix time
  };

  // The set of keys that a token was verified with. It is kept, so that no later set can be at the
  // same address and be taken for it; what was verified by another set is forgotten.
  using Keys = std::shared_ptr<const void>;

  std::optional<Known> Find(const Keys& keys, const std::string& digest) {
    base::MutexLock lock(mu_);
    Use(keys);
    if (const auto found = young_.find(digest); found != young_.end()) return found->second;
    const auto found = old_.find(digest);
    if (found == old_.end()) return std::nullopt;
    Known known = found->second;
    Put(digest, known);
    return known;
  }

  void Remember(const Keys& keys, const std::string& digest, Known known) {
    base::MutexLock lock(mu_);
    Use(keys);
    Put(digest, std::move(known));
  }

  size_t size() const {
    base::MutexLock lock(mu_);
    return young_.size() + old_.size();
  }

 private:
  using Generation = absl::flat_hash_map<std::string, Known>;

  void Use(const Keys& keys) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (keys == keys_) return;
    keys_ = keys;
    young_.clear();
    old_.clear();
  }
  void Put(const std::string& digest, Known known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (young_.size() >= kGenerationMax) {
      old_ = std::move(young_);
      young_ = Generation();
    }
    young_.insert_or_assign(digest, std::move(known));
  }

  mutable base::Mutex mu_;
  Keys keys_ ABSL_GUARDED_BY(mu_);
  Generation young_ ABSL_GUARDED_BY(mu_);
  Generation old_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::guard
