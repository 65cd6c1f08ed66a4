#include "edge/showtime/sources.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeHome;
using ::seatlock::testing::FakeSourceListener;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SourcesTest : public ::testing::Test {
 protected:
  std::shared_ptr<FakeSourceListener> Open(const std::string& showtime_id) {
    auto listener = std::make_shared<FakeSourceListener>();
    sources_->Open(showtime_id, listener);
    return listener;
  }
  bool Follows(const std::string& showtime_id) { return home_.upstream.Follows(showtime_id); }

  FakeHome home_;
  std::optional<Sources> sources_{home_.env()};
};

TEST_F(SourcesTest, AShowtimeIsFollowedOnceForAllWhoListen) {
  const auto one = Open("1");
  const auto two = Open("1");
  EXPECT_EQ(home_.upstream.followed, 1);
  EXPECT_EQ(home_.stats.sources, 1);
  home_.upstream.sink("1").OnSnapshot({{"e", 3}, {}, false});
  home_.upstream.sink("1").OnChange(ChangeAt(4));
  for (const auto& listener : {one, two}) {
    EXPECT_THAT(listener->Take(),
                ElementsAre("image unknown connecting", "image e/3 live", "entry e/4"));
  }
}

TEST_F(SourcesTest, WhoClosedHearsNothingMore) {
  const auto one = Open("1");
  const auto two = Open("1");
  home_.upstream.sink("1").OnSnapshot({{"e", 3}, {}, false});
  one->Take();
  sources_->Close(one.get());
  home_.upstream.sink("1").OnChange(ChangeAt(4));
  sources_->Resume(one.get(), {"e", 4});
  EXPECT_THAT(one->Take(), IsEmpty());
}

TEST_F(SourcesTest, AResumeIsAnsweredToWhoAsked) {
  const auto one = Open("1");
  const auto two = Open("1");
  home_.upstream.sink("1").OnSnapshot({{"e", 3}, {}, false});
  one->Take();
  two->Take();
  sources_->Resume(one.get(), {"e", 3});
  EXPECT_THAT(one->Take(), ElementsAre("missed after e/3:"));
  EXPECT_THAT(two->Take(), IsEmpty());
}

TEST_F(SourcesTest, ASourceLingersAfterItsLastListener) {
  const auto one = Open("1");
  sources_->Close(one.get());
  home_.timers.AdvanceMs(kRoomLingerMs - 1);
  EXPECT_TRUE(Follows("1"));
  home_.timers.AdvanceMs(1);
  EXPECT_FALSE(Follows("1"));
  EXPECT_EQ(home_.stats.sources, 0);
}

TEST_F(SourcesTest, WhoComesWhileItLingersKeepsIt) {
  const auto one = Open("1");
  sources_->Close(one.get());
  home_.timers.AdvanceMs(kRoomLingerMs / 2);
  const auto two = Open("1");
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_TRUE(Follows("1"));
  sources_->Close(two.get());
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(Follows("1"));
}

TEST_F(SourcesTest, BeyondTheBoundALingeringOneMakesPlaceOrTheNewcomerIsRefused) {
  std::vector<std::shared_ptr<FakeSourceListener>> listeners;
  for (size_t i = 0; i < kRoomsMax; ++i) listeners.push_back(Open(std::to_string(i)));
  const auto refused = Open("new");
  EXPECT_THAT(refused->Take(), ElementsAre("refused"));
  sources_->Close(refused.get());
  sources_->Close(listeners[6].get());
  const auto again = Open("6");
  EXPECT_THAT(Open("new")->Take(), ElementsAre("refused")) << "none lingers any more";
  sources_->Close(listeners[7].get());
  const auto taken = Open("new");
  EXPECT_THAT(taken->Take(), ElementsAre("image unknown connecting"));
  EXPECT_FALSE(Follows("7"));
  EXPECT_EQ(home_.stats.sources, static_cast<int64_t>(kRoomsMax));
}

TEST_F(SourcesTest, TimersThatOutliveTheSourcesDoNothing) {
  const auto one = Open("1");
  sources_->Close(one.get());
  sources_.reset();
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(Follows("1"));
}

}  // namespace
}  // namespace seatlock::edge
