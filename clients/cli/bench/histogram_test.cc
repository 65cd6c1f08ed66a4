#include "clients/cli/bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/testing/seed.h"

namespace seatlock::cli::bench {
namespace {

TEST(HistogramTest, OfNothingIsZero) {
  const Histogram times;
  EXPECT_EQ(times.count(), 0U);
  EXPECT_EQ(times.max_us(), 0);
  EXPECT_EQ(times.QuantileUs(0.99), 0);
}

TEST(HistogramTest, SmallTimesAreExact) {
  Histogram times;
  for (int us = 1; us <= 100; ++us) times.Add(us);
  EXPECT_EQ(times.QuantileUs(0.5), 50);
  EXPECT_EQ(times.QuantileUs(0.99), 99);
  EXPECT_EQ(times.QuantileUs(1), 100);
}

TEST(HistogramTest, AnyQuantileIsNeverLessThanTheTruthAndAtMostASixtyFourthMore) {
  std::mt19937_64 random(testing::TestSeed());
  std::vector<int64_t> all;
  Histogram times;
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(static_cast<int64_t>(random() >> (24 + random() % 40)));
    times.Add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const int64_t truth =
        all[static_cast<size_t>(std::ceil(share * static_cast<double>(all.size()))) - 1];
    EXPECT_GE(times.QuantileUs(share), truth) << share;
    EXPECT_LE(times.QuantileUs(share), truth + truth / 64) << share;
  }
}

TEST(HistogramTest, TheLargestAndTheImpossibleAreKeptInBounds) {
  Histogram times;
  times.Add(-5);
  times.Add(INT64_MAX);
  EXPECT_EQ(times.count(), 2U);
  EXPECT_EQ(times.QuantileUs(0.5), 0);
  EXPECT_EQ(times.QuantileUs(1), (int64_t{1} << 40) - 1);
}

TEST(HistogramTest, MergedIsAsIfAllHadBeenAddedToOne) {
  Histogram one;
  Histogram two;
  Histogram both;
  for (int us = 0; us < 5'000; us += 7) {
    (us % 2 == 0 ? one : two).Add(us);
    both.Add(us);
  }
  one.Merge(two);
  EXPECT_EQ(one.count(), both.count());
  EXPECT_EQ(one.max_us(), both.max_us());
  EXPECT_EQ(one.QuantileUs(0.9), both.QuantileUs(0.9));
}

}  // namespace
}  // namespace seatlock::cli::bench
