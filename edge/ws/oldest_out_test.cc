#include "edge/ws/oldest_out.h"

#include <gtest/gtest.h>

#include <array>

namespace seatlock::edge {
namespace {

struct Waiting {
  OldestOut<Waiting>::Place place;
};

AddressKey Address(uint64_t number) {
  return {AddressKey::Kind::kV4, number};
}

TEST(OldestOutTest, TheOldestOfAllIsInTheWayOnceAllPlacesAreTaken) {
  OldestOut<Waiting> places(3, 3);
  std::array<Waiting, 4> all;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(places.InTheWay(Address(i), kHandshakeGraceMs), nullptr);
    places.Add(all[i], Address(i), 0);
  }
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs), &all[0]);
  places.Remove(all[0]);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs), nullptr);
  places.Add(all[3], Address(3), 0);
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs), &all[1]);
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
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs - 1), nullptr);
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs), &all[0]);
  EXPECT_EQ(places.Oldest(), &all[0]);
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
  EXPECT_EQ(places.InTheWay(Address(2), kHandshakeGraceMs), &all[1]);
  EXPECT_EQ(places.InTheWay(Address(1), kHandshakeGraceMs), nullptr);
  EXPECT_EQ(places.InTheWay(Address(3), kHandshakeGraceMs), nullptr);
}

TEST(OldestOutTest, WhoHasNoAddressCountsInAllAlone) {
  OldestOut<Waiting> places(3, 1);
  std::array<Waiting, 3> all;
  for (Waiting& one : all) {
    EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs), nullptr);
    places.Add(one, {}, 0);
  }
  EXPECT_EQ(places.InTheWay({}, kHandshakeGraceMs), &all[0]);
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
