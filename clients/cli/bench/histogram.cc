#include "clients/cli/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace seatlock::cli::bench {

// The first 128 buckets are one value each. After that each doubling has 64 buckets.
size_t Histogram::BucketOf(uint64_t us) {
  if (us < (2U << kSubBits)) return us;
  const int shift = std::bit_width(us) - 1 - kSubBits;
  return (static_cast<size_t>(shift) << kSubBits) + (us >> shift);
}

uint64_t Histogram::TopOf(size_t bucket) {
  if (bucket < (2U << kSubBits)) return bucket;
  const size_t shift = (bucket >> kSubBits) - 1;
  const uint64_t first = bucket - (shift << kSubBits);
  return ((first + 1) << shift) - 1;
}

void Histogram::Add(int64_t us) {
  us = std::clamp<int64_t>(us, 0, (int64_t{1} << kExponentMax) - 1);
  ++buckets_[BucketOf(static_cast<uint64_t>(us))];
  ++count_;
  max_us_ = std::max(max_us_, us);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_us_ = std::max(max_us_, other.max_us_);
}

int64_t Histogram::QuantileUs(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > 0 && seen >= wanted) return std::min(static_cast<int64_t>(TopOf(i)), max_us_);
  }
  return 0;
}

}  // namespace seatlock::cli::bench
