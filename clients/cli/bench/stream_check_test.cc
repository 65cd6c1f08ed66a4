#include "clients/cli/bench/stream_check.h"

#include <gtest/gtest.h>

namespace seatlock::cli::bench {
namespace {

TEST(StreamCheckTest, ChangesInOrderAreRight) {
  StreamCheck check;
  check.Snapshot(4, true);
  EXPECT_TRUE(check.Change(5, false));
  EXPECT_TRUE(check.Change(6, false));
  check.At(6);
  EXPECT_EQ(check.revision(), 6U);
  EXPECT_EQ(check.changes(), 2U);
  EXPECT_EQ(check.missing() + check.out_of_order() + check.snapshots_again(), 0U);
}

TEST(StreamCheckTest, AShowtimeWithoutAChangeBeginsWithItsFirst) {
  StreamCheck check;
  EXPECT_FALSE(check.heard());
  EXPECT_TRUE(check.Change(1, false));
  EXPECT_TRUE(check.heard());
  EXPECT_EQ(check.missing(), 0U);
}

TEST(StreamCheckTest, SeatsOfOneChangeAreOneChange) {
  StreamCheck check;
  EXPECT_TRUE(check.Change(1, true));
  EXPECT_FALSE(check.Change(1, true));
  EXPECT_FALSE(check.Change(1, false));
  EXPECT_TRUE(check.Change(2, false));
  EXPECT_EQ(check.changes(), 2U);
  EXPECT_EQ(check.out_of_order(), 0U);
}

TEST(StreamCheckTest, EachRevisionThatIsLeftOutIsAGap) {
  StreamCheck check;
  check.Snapshot(4, true);
  EXPECT_TRUE(check.Change(8, false));
  EXPECT_EQ(check.missing(), 3U);
  EXPECT_TRUE(check.Change(9, false));
  EXPECT_EQ(check.missing(), 3U);
}

TEST(StreamCheckTest, AStreamThatClaimsToHaveSentMoreHasAGap) {
  StreamCheck check;
  EXPECT_TRUE(check.Change(1, false));
  check.At(3);
  EXPECT_EQ(check.missing(), 2U);
}

TEST(StreamCheckTest, WhatComesAgainOrLateIsOutOfOrder) {
  StreamCheck check;
  check.Snapshot(4, true);
  EXPECT_FALSE(check.Change(4, false));
  EXPECT_FALSE(check.Change(2, false));
  check.Snapshot(3, false);
  EXPECT_EQ(check.out_of_order(), 3U);
}

TEST(StreamCheckTest, ASnapshotStandsInPlaceOfWhatWasMissedAndIsCounted) {
  StreamCheck check;
  check.Snapshot(4, true);
  check.Snapshot(90, false);
  EXPECT_TRUE(check.Change(91, false));
  check.Snapshot(1, true);  // of another history
  EXPECT_TRUE(check.Change(2, false));
  EXPECT_EQ(check.missing() + check.out_of_order(), 0U);
  EXPECT_EQ(check.snapshots_again(), 2U);
}

}  // namespace
}  // namespace seatlock::cli::bench
