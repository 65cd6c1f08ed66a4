#include "edge/fanout/wheel.h"

#include <gmock/gmock.h>

#include <random>

namespace seatlock::edge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Item {
  int id = 0;
  WheelPlace wheel_place;
};

class WheelTest : public ::testing::Test {
 protected:
  // Who is looked at on the way to this tick.
  std::vector<int> To(int64_t tick) {
    std::vector<int> seen;
    wheel_.Advance(tick * kTickMs, [&seen](Item& item) { seen.push_back(item.id); });
    return seen;
  }

  Wheel<Item> wheel_{0};
  Item a_{1, {}};
  Item b_{2, {}};
  Item c_{3, {}};
};

TEST_F(WheelTest, AnItemIsLookedAtInTheFirstTickAtOrAfterItsTime) {
  wheel_.Put(a_, 3 * kTickMs);
  wheel_.Put(b_, 3 * kTickMs + 1);
  EXPECT_THAT(To(2), IsEmpty());
  EXPECT_THAT(To(3), ElementsAre(1));
  EXPECT_THAT(To(4), ElementsAre(2));
  EXPECT_THAT(To(200), IsEmpty());
}

TEST_F(WheelTest, WhatIsDueAlreadyComesWithTheNextTick) {
  To(10);
  wheel_.Put(a_, 0);
  EXPECT_THAT(To(10), IsEmpty());
  EXPECT_THAT(To(11), ElementsAre(1));
}

TEST_F(WheelTest, WhatIsDueAfterATurnIsLookedAtWithinIt) {
  wheel_.Put(a_, 1'000 * kTickMs);
  EXPECT_THAT(To(64), ElementsAre(1));
}

TEST_F(WheelTest, AnItemThatIsPutAgainMoves) {
  wheel_.Put(a_, 3 * kTickMs);
  wheel_.Put(b_, 3 * kTickMs);
  wheel_.Put(c_, 3 * kTickMs);
  wheel_.Put(a_, 5 * kTickMs);
  EXPECT_THAT(To(3), UnorderedElementsAre(2, 3));
  EXPECT_THAT(To(5), ElementsAre(1));
}

TEST_F(WheelTest, ARemovedItemIsNotLookedAt) {
  wheel_.Put(a_, kTickMs);
  wheel_.Put(b_, kTickMs);
  wheel_.Put(c_, kTickMs);
  wheel_.Remove(b_);
  wheel_.Remove(b_);
  wheel_.Remove(c_);
  EXPECT_THAT(To(5), ElementsAre(1));
  wheel_.Remove(a_);
}

TEST_F(WheelTest, WhoIsLookedAtMayPutItselfAgainAndRemoveOthers) {
  wheel_.Put(a_, kTickMs);
  wheel_.Put(b_, kTickMs);
  int looks = 0;
  const auto look = [&](Item& item) {
    ++looks;
    wheel_.Remove(item.id == 1 ? b_ : a_);
    wheel_.Put(item, 0);
  };
  wheel_.Advance(kTickMs, look);
  EXPECT_EQ(looks, 1);
  wheel_.Advance(2 * kTickMs, look);
  EXPECT_EQ(looks, 2);
}

TEST_F(WheelTest, ALongStallLooksAtAllThatFellDue) {
  std::vector<Item> items(1000);
  for (int i = 0; i < 1000; ++i) {
    items[i].id = i;
    wheel_.Put(items[i], (i % 60) * kTickMs);
  }
  EXPECT_EQ(To(100'000).size(), 1000u);
  wheel_.Put(items[0], 100'002 * kTickMs);
  EXPECT_THAT(To(100'001), IsEmpty());
  EXPECT_THAT(To(100'002), ElementsAre(0));
}

TEST_F(WheelTest, NobodyIsForgottenNorLookedAtEarly) {
  std::mt19937_64 random(20'241'124);
  std::vector<Item> items(50);
  std::vector<int64_t> due_ms(items.size(), -1);
  for (size_t i = 0; i < items.size(); ++i) items[i].id = static_cast<int>(i);
  for (int64_t tick = 1; tick < 2'000; ++tick) {
    for (int n = 0; n < 5; ++n) {
      const size_t i = random() % items.size();
      if (random() % 4 == 0) {
        wheel_.Remove(items[i]);
        due_ms[i] = -1;
      } else {
        due_ms[i] = (tick - 1) * kTickMs + static_cast<int64_t>(random() % (60 * kTickMs));
        wheel_.Put(items[i], due_ms[i]);
      }
    }
    wheel_.Advance(tick * kTickMs, [&](Item& item) {
      ASSERT_NE(due_ms[item.id], -1);
      EXPECT_LE(due_ms[item.id], tick * kTickMs);
      due_ms[item.id] = -1;
    });
    for (const int64_t due : due_ms) EXPECT_TRUE(due == -1 || due > tick * kTickMs);
  }
}

}  // namespace
}  // namespace seatlock::edge
