// Whoever was handed encoded bytes and holds on to them until the network has taken them: watchers,
// and callers of GetShowtime. When recipients that do not read hold too much, the engine ends them.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/mutex.h"
#include "services/seatlock/engine/outcome.h"

namespace seatlock::engine {

class Recipient {
 public:
  virtual ~Recipient() = default;

  // Since when it has been busy with what it was handed, by the monotonic clock; none if it holds
  // nothing, or has been told its end.
  virtual std::optional<int64_t> busy_since_ms() const = 0;
  // The bytes that it was handed last, and may still hold.
  virtual int64_t handed_bytes() const = 0;
  // Drops what was not handed over yet, and tells it the end.
  virtual void Shed(Failure failure) = 0;
  // Takes back what it was handed, by ending its call whether it reads or not.
  virtual void Cut() = 0;
};

// Recipients that no actor keeps.
class Recipients {
 public:
  void Add(const std::shared_ptr<Recipient>& recipient) {
    base::MutexLock lock(mu_);
    all_[recipient.get()] = recipient;
  }
  void Remove(const Recipient* recipient) {
    base::MutexLock lock(mu_);
    all_.erase(recipient);
  }
  std::vector<std::shared_ptr<Recipient>> All() const {
    std::vector<std::shared_ptr<Recipient>> alive;
    base::MutexLock lock(mu_);
    for (const auto& [key, weak] : all_) {
      if (auto recipient = weak.lock()) alive.push_back(std::move(recipient));
    }
    return alive;
  }

 private:
  mutable base::Mutex mu_;
  absl::flat_hash_map<const Recipient*, std::weak_ptr<Recipient>> all_ ABSL_GUARDED_BY(mu_);
};

}  // namespace seatlock::engine
