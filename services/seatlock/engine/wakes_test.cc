#include "services/seatlock/engine/wakes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace seatlock::engine {
namespace {

domain::ShowtimeId Id(int number) {
  return domain::ShowtimeId("s" + std::to_string(1000 + number));
}

std::vector<domain::ShowtimeId> Ids(std::initializer_list<int> numbers) {
  std::vector<domain::ShowtimeId> ids;
  for (const int number : numbers) ids.push_back(Id(number));
  return ids;
}

TEST(WakesTest, NamesWhatIsDueEarliestFirst) {
  Wakes wakes;
  wakes.Move(Id(1), std::nullopt, 30);
  wakes.Move(Id(2), std::nullopt, 10);
  wakes.Move(Id(3), std::nullopt, 50);
  EXPECT_EQ(wakes.NextDue(40, 10), Ids({2, 1}));
  wakes.Move(Id(2), 10, std::nullopt);
  EXPECT_EQ(wakes.NextDue(40, 10), Ids({1}));
  EXPECT_TRUE(wakes.NextDue(29, 10).empty());
}

// Those that cannot be freed stay due.
TEST(WakesTest, ThoseThatStayDoNotKeepOthersFromBeingSeen) {
  Wakes wakes;
  constexpr int kCount = 1001;
  constexpr size_t kPage = 100;
  for (int i = 0; i < kCount; ++i) wakes.Move(Id(i), std::nullopt, i / 500);
  std::set<domain::ShowtimeId> seen;
  for (size_t page = 0; page * kPage < kCount; ++page) {
    const auto due = wakes.NextDue(10, kPage);
    EXPECT_LE(due.size(), kPage);
    seen.insert(due.begin(), due.end());
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kCount));
  // And then from the start again, where somebody may be who came meanwhile.
  wakes.Move(Id(kCount), std::nullopt, -1);
  EXPECT_EQ(wakes.NextDue(10, 2), Ids({kCount, 0}));
}

TEST(WakesTest, WhereTheLastOneOfAPageHasGoneThePageAfterItIsNamed) {
  Wakes wakes;
  for (int i = 0; i < 5; ++i) wakes.Move(Id(i), std::nullopt, i);
  EXPECT_EQ(wakes.NextDue(10, 2), Ids({0, 1}));
  wakes.Move(Id(1), 1, std::nullopt);
  EXPECT_EQ(wakes.NextDue(10, 2), Ids({2, 3}));
  EXPECT_EQ(wakes.NextDue(10, 2), Ids({4}));
  EXPECT_EQ(wakes.NextDue(10, 2), Ids({0, 2}));
}

}  // namespace
}  // namespace seatlock::engine
