#include "common/base/rendezvous.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace seatlock::base {
namespace {

// The Node client's test has the same.
TEST(Rendezvous, ScoresAreThoseOfEveryClient) {
  EXPECT_EQ(RendezvousScore("127.0.0.1:50051", "123"), 0x24f590436bfb0aa7);
  EXPECT_EQ(RendezvousScore("127.0.0.1:50052", "123"), 0x679a726417f6b67b);
  EXPECT_EQ(RendezvousScore("", ""), 0xb9034ad37056f5fb);
  EXPECT_EQ(RendezvousScore("[::1]:50051", "Vorführung 7"), 0x001728866e490a8c);
  EXPECT_EQ(RendezvousScore("seat-1.example:443", std::string(128, 'x')), 0x1f82a839ae129da2);
}

TEST(Rendezvous, TheOrderOfTheListMakesNoDifference) {
  const std::vector<std::string> one = {"a:1", "b:1", "c:1"};
  const std::vector<std::string> other = {"c:1", "a:1", "b:1"};
  for (int i = 0; i < 100; ++i) {
    const std::string showtime = absl::StrCat("showtime-", i);
    const std::vector<size_t> ranked = RankServers(one, showtime);
    const std::vector<size_t> again = RankServers(other, showtime);
    ASSERT_EQ(ranked.size(), 3u);
    for (size_t place = 0; place < 3; ++place) {
      EXPECT_EQ(one[ranked[place]], other[again[place]]) << showtime;
    }
  }
}

TEST(Rendezvous, ShowtimesSpreadAndOnlyThoseOfALostServerMove) {
  const std::vector<std::string> three = {"10.0.0.1:50051", "10.0.0.2:50051", "10.0.0.3:50051"};
  const std::vector<std::string> two = {three[0], three[1]};
  std::vector<int> preferred(3);
  for (int i = 0; i < 3000; ++i) {
    const std::string showtime = absl::StrCat(i);
    const size_t first = RankServers(three, showtime).front();
    ++preferred[first];
    if (first == 2) continue;
    EXPECT_EQ(RankServers(two, showtime).front(), first) << showtime;
  }
  for (const int showtimes : preferred) {
    EXPECT_GT(showtimes, 850);
    EXPECT_LT(showtimes, 1150);
  }
}

}  // namespace
}  // namespace seatlock::base
