// How many bytes all connections of the edge together hold back for readers that take too little:
// replies that wait, and what was half sent. Frames that others share count in full, so the memory
// is what is counted, or less. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seatlock::edge {

class MemoryBudget {
 public:
  explicit MemoryBudget(size_t bytes_max) : bytes_max_(static_cast<int64_t>(bytes_max)) {}

  void Add(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  int64_t bytes_max() const { return bytes_max_; }
  // Somebody has to go: each thread sheds its slowest.
  bool exceeded() const { return bytes() > bytes_max_; }

 private:
  const int64_t bytes_max_;
  std::atomic<int64_t> bytes_{0};
};

}  // namespace seatlock::edge
