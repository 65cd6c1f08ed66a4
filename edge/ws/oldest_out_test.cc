#include "edge/ws/oldest_out.h"

#include <gtest/gtest.h>

#include <array>

namespace seatlock::edge {
namespace {

struct Waiting {
  OldestOut<Waiting>::Place place;
};

constexpr bool kFree = true;  // Descriptors are.

AddressKey Address(uint64_t number) {
  return {AddressKey::Kind::kV4, number};
}

TEST(OldestOutTest, TheOldestOfAllIsInTheWayOnceAllPlacesAreTaken) {
  OldestOut<Waiting> places(3, 3);
  std::array<Waiting, 4> all;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(places.InTheWay(Address(i), kHandshakeGraceMs, kFree), nullptr);
    places.Add(all[i], Address(i), 0);
  }
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs, kFree), &all[0]);
  places.Remove(all[0]);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs, kFree), nullptr);
  places.Add(all[3], Address(3), 0);
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs, kFree), &all[1]);
}

TEST(OldestOutTest, TheOldestOfAllHasAMomentBeforeItGoes) {
  OldestOut<Waiting> places(2, 2);
  std::array<Waiting, 3> all;
  EXPECT_TRUE(places.HasPlace(0));
  places.Add(all[0], Address(1), 0);
  EXPECT_TRUE(places.HasPlace(0));
  places.Add(all[1], Address(2), 500);
  EXPECT_FALSE(places.HasPlace(500));
  EXPECT_FALSE(places.HasPlace(kHandshakeGraceMs - 1));
  EXPECT_TRUE(places.HasPlace(kHandshakeGraceMs));
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs - 1, kFree), nullptr);
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs, kFree), &all[0]);
  places.Remove(all[0]);
  EXPECT_TRUE(places.HasPlace(600));
  places.Add(all[2], Address(3), 600);
  EXPECT_FALSE(places.HasPlace(kHandshakeGraceMs));
  EXPECT_TRUE(places.HasPlace(500 + kHandshakeGraceMs));
}

TEST(OldestOutTest, AnAddressThatHasAllThatItMayPushesOutItsOwn) {
  OldestOut<Waiting> places(10, 2);
  std::array<Waiting, 3> all;
  places.Add(all[0], Address(1), 0);
  places.Add(all[1], Address(2), 0);
  places.Add(all[2], Address(2), 0);
  EXPECT_EQ(places.InTheWay(Address(2), kHandshakeGraceMs, kFree), &all[1]);
  EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs, kFree), nullptr);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs, kFree), nullptr);
}

TEST(OldestOutTest, TheOldestOfAnAddressHasAMomentAsLongAsDescriptorsAreFree) {
  OldestOut<Waiting> places(10, 2);
  std::array<Waiting, 3> all;
  for (Waiting& one : all) {
    EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs - 1, kFree), nullptr);
    places.Add(one, Address(1), 0);
  }
  EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs - 1, !kFree), &all[0]);
  EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs, kFree), &all[0]);
  EXPECT_EQ(places.InTheWay(Address(2), kHandshakeGraceMs, kFree), nullptr);
}

TEST(OldestOutTest, WhatACrowdHasBeyondItsBoundTakesNoPlaceOfOthersWhileDescriptorsAreFree) {
  OldestOut<Waiting> places(4, 2);
  Waiting other;
  places.Add(other, Address(2), 0);
  std::array<Waiting, 5> crowd;
  for (Waiting& one : crowd) places.Add(one, Address(1), 0);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs, kFree), nullptr);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs, !kFree), &other);
  EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs, kFree), &crowd[0]);
  for (Waiting& one : crowd) places.Remove(one);
  std::array<Waiting, 3> more;
  for (size_t i = 0; i < more.size(); ++i) places.Add(more[i], Address(3 + i), 0);
  EXPECT_EQ(places.InTheWay(Address(9), kHandshakeGraceMs, kFree), &other);
}

TEST(OldestOutTest, WhoHasNoAddressCountsInAllAlone) {
  OldestOut<Waiting> places(3, 1);
  std::array<Waiting, 3> all;
  for (Waiting& one : all) {
    EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs, kFree), nullptr);
    places.Add(one, {}, 0);
  }
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs, kFree), &all[0]);
  EXPECT_EQ(places.addresses(), 0U);
}

TEST(OldestOutTest, NothingIsKeptOfWhoIsGone) {
  OldestOut<Waiting> places(3, 3);
  Waiting one;
  places.Add(one, Address(1), 0);
  places.Remove(one);
  places.Remove(one);
  EXPECT_EQ(places.size() + places.addresses(), 0U);
}

}  // namespace
}  // namespace seatlock::edge
