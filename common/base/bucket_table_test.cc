#include "common/base/bucket_table.h"

#include <gtest/gtest.h>

namespace seatlock::base {
namespace {

constexpr TokenRate kRate{.burst = 10, .per_second = 1};
constexpr int64_t kStartMs = 1'000'000;

TEST(BucketTableTest, EachKeyHasItsOwnBucket) {
  BucketTable<int> table(10);
  EXPECT_EQ(table.Find(1, kStartMs).Take(kRate, kStartMs, 10), 0);
  EXPECT_GT(table.Find(1, kStartMs).Take(kRate, kStartMs), 0);
  EXPECT_EQ(table.Find(2, kStartMs).Take(kRate, kStartMs), 0);
}

TEST(BucketTableTest, OldFullBucketsGoWhenOthersCome) {
  BucketTable<int> table(10);
  for (int key = 0; key < 5; ++key) table.Find(key, kStartMs).Take(kRate, kStartMs);
  EXPECT_EQ(table.size(), 5u);
  const int64_t later_ms = kStartMs + 1'000;
  for (int key = 5; key < 8; ++key) table.Find(key, later_ms).Take(kRate, later_ms);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.Peek(0), nullptr);
}

TEST(BucketTableTest, OnesThatAreOwedStayWhileThereIsRoom) {
  BucketTable<int> table(3);
  for (int key = 0; key < 3; ++key) table.Find(key, kStartMs).Charge(kRate, kStartMs, 20);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_GT(table.Find(0, kStartMs).Take(kRate, kStartMs), 0);
}

TEST(BucketTableTest, BeyondTheBoundTheOneAskedForLongestAgoIsForgotten) {
  BucketTable<int> table(3);
  for (int key = 0; key < 3; ++key) table.Find(key, kStartMs).Charge(kRate, kStartMs, 20);
  table.Find(0, kStartMs);
  table.Find(3, kStartMs).Charge(kRate, kStartMs, 20);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.Peek(1), nullptr);
  EXPECT_NE(table.Peek(0), nullptr);
}

}  // namespace
}  // namespace seatlock::base
