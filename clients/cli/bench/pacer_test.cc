#include "clients/cli/bench/pacer.h"

#include <gtest/gtest.h>

#include <optional>

namespace seatlock::cli::bench {
namespace {

TEST(PacerTest, EachCallHasItsTimeWhateverTheAnswersDo) {
  Pacer pacer(/*per_second=*/1'000, /*calls=*/3, /*in_flight_max=*/10);
  EXPECT_EQ(pacer.Next(0, 0), 0U);
  EXPECT_EQ(pacer.Next(999, 0), std::nullopt);
  EXPECT_EQ(pacer.Next(1'000, 5), 1U);
  EXPECT_EQ(pacer.Next(2'000, 9), 2U);
  EXPECT_TRUE(pacer.AllSent());
  EXPECT_EQ(pacer.Next(9'000, 0), std::nullopt);
  EXPECT_EQ(pacer.late() + pacer.held_back(), 0U);
}

TEST(PacerTest, TimesDoNotDrift) {
  const Pacer pacer(/*per_second=*/3, /*calls=*/3'000'000, 1);
  EXPECT_EQ(pacer.DueUs(1), 333'333);
  EXPECT_EQ(pacer.DueUs(3), 1'000'000);
  EXPECT_EQ(pacer.DueUs(2'999'997), 999'999'000'000);
}

TEST(PacerTest, ACallThatFindsNoPlaceKeepsItsTimeAndIsHeldBack) {
  Pacer pacer(/*per_second=*/1'000, /*calls=*/2, /*in_flight_max=*/1);
  EXPECT_EQ(pacer.Next(0, 0), 0U);
  EXPECT_EQ(pacer.Next(1'000, 1), std::nullopt);
  EXPECT_EQ(pacer.Next(1'000 + kLateUs, 0), 1U);
  EXPECT_EQ(pacer.DueUs(1), 1'000);
  EXPECT_EQ(pacer.held_back(), 1U);
  EXPECT_EQ(pacer.late(), 0U);
}

TEST(PacerTest, ACallIsHeldBackAlsoIfOnlyTheCallThatEndsSawThatThereWasNoPlace) {
  Pacer pacer(/*per_second=*/1'000, /*calls=*/2, /*in_flight_max=*/1);
  EXPECT_EQ(pacer.Next(0, 0), 0U);
  EXPECT_TRUE(pacer.IsFull(1'000 + kLateUs, 1));
  EXPECT_EQ(pacer.Next(1'000 + kLateUs, 0), 1U);
  EXPECT_EQ(pacer.held_back(), 1U);
  EXPECT_FALSE(pacer.IsFull(2'000, 0));
}

TEST(PacerTest, ACallThatIsLateThoughThereWasAPlaceIsTheGeneratorsFault) {
  Pacer pacer(/*per_second=*/1'000, /*calls=*/2, /*in_flight_max=*/1);
  EXPECT_EQ(pacer.Next(kLateUs - 1, 0), 0U);
  EXPECT_EQ(pacer.late(), 0U);
  EXPECT_EQ(pacer.Next(1'000 + kLateUs, 0), 1U);
  EXPECT_EQ(pacer.late(), 1U);
  EXPECT_EQ(pacer.held_back(), 0U);
}

TEST(PacerTest, WhatWasDueAndNeverSentIsCounted) {
  Pacer pacer(/*per_second=*/1'000, /*calls=*/100, /*in_flight_max=*/1);
  EXPECT_EQ(pacer.Next(0, 0), 0U);
  EXPECT_EQ(pacer.NeverSent(9'999), 9U);
  EXPECT_EQ(pacer.NeverSent(1'000'000), 99U);
}

}  // namespace
}  // namespace seatlock::cli::bench
