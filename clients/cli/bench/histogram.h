// Times in microseconds, counted by size in a fixed amount of memory: exact below 128 us, above it
// within 1/64 (1.6 %). Thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace seatlock::cli::bench {

class Histogram {
 public:
  // A time below 0 counts as 0, one above 2^40 us (12 days) as that.
  void Add(int64_t us);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // 0 if there is none.
  int64_t max_us() const { return max_us_; }
  // The time that `share` (0 to 1) of all did not exceed: never less than that, at most 1/64 more,
  // and never above the maximum. 0 if there is none.
  int64_t QuantileUs(double share) const;

 private:
  static constexpr int kSubBits = 6;
  static constexpr int kExponentMax = 40;
  static constexpr size_t kBuckets = (kExponentMax - kSubBits + 2) << kSubBits;

  static size_t BucketOf(uint64_t us);
  static uint64_t TopOf(size_t bucket);

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t count_ = 0;
  int64_t max_us_ = 0;
};

}  // namespace seatlock::cli::bench
