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
  // The same, of a showtime where something was sold: it is at revision 3.
  std::shared_ptr<FakeSourceListener> Listen(const std::string& showtime_id) {
    auto listener = Open(showtime_id);
    home_.upstream.sink(showtime_id).OnSnapshot({{"e", 3}, {}, false});
    listener->Take();
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
  const auto one = Listen("1");
  sources_->Close(one.get());
  home_.timers.AdvanceMs(kRoomLingerMs - 1);
  EXPECT_TRUE(Follows("1"));
  home_.timers.AdvanceMs(1);
  EXPECT_FALSE(Follows("1"));
  EXPECT_EQ(home_.stats.sources, 0);
}

TEST_F(SourcesTest, WhoComesWhileItLingersKeepsIt) {
  const auto one = Listen("1");
  sources_->Close(one.get());
  home_.timers.AdvanceMs(kRoomLingerMs / 2);
  const auto two = Open("1");
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_TRUE(Follows("1"));
  sources_->Close(two.get());
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(Follows("1"));
}

TEST_F(SourcesTest, AShowtimeWithoutAChangeGoesWithItsLastListener) {
  const auto unseen = Open("unseen");
  const auto unsold = Open("unsold");
  home_.upstream.sink("unsold").OnProgress({"", 0});
  const auto sold = Open("sold");
  home_.upstream.sink("sold").OnProgress({"", 0});
  home_.upstream.sink("sold").OnChange(ChangeAt(1));
  for (const auto& one : {unseen, unsold, sold}) sources_->Close(one.get());
  EXPECT_FALSE(Follows("unseen"));
  EXPECT_FALSE(Follows("unsold"));
  EXPECT_TRUE(Follows("sold")) << "a page that is reloaded finds it";
  EXPECT_EQ(home_.stats.sources, 1);
}

TEST_F(SourcesTest, MadeUpShowtimesThatNobodyListensToTakeNoPlace) {
  const auto kept = Listen("1");
  sources_->Close(kept.get());
  for (size_t i = 0; i < 2 * kRoomsMax; ++i) {
    const auto passing = Open("made up " + std::to_string(i));
    sources_->Close(passing.get());
  }
  EXPECT_TRUE(Follows("1")) << "it lingers";
  EXPECT_EQ(home_.stats.sources, 1);
}

TEST_F(SourcesTest, WhichShowtimesAreFollowedIsKnownAtEachStep) {
  const std::shared_ptr<const Followed> followed = sources_->followed();
  const auto unsold = Open("1");
  EXPECT_TRUE(followed->Contains("1"));
  sources_->Close(unsold.get());
  EXPECT_FALSE(followed->Contains("1"));
  const auto sold = Listen("1");
  sources_->Close(sold.get());
  EXPECT_TRUE(followed->Contains("1")) << "it lingers";
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(followed->Contains("1"));
  const auto refused = Open("1");
  home_.upstream.sink("1").OnRefused({"too many", 5000});
  EXPECT_FALSE(followed->Contains("1"));
}

// ---- Refused by the service --------------------------------------------------------------------

TEST_F(SourcesTest, ARefusedShowtimeTellsAllWhoListenAndIsFollowedNoMore) {
  const auto one = Open("1");
  const auto two = Open("1");
  home_.upstream.sink("1").OnRefused({"too many", 5000});
  for (const auto& listener : {one, two}) {
    EXPECT_THAT(listener->Take(), ElementsAre("image unknown connecting", "refused"));
  }
  EXPECT_FALSE(Follows("1"));
  sources_->Resume(one.get(), {"e", 3});
  sources_->Close(one.get());
  EXPECT_THAT(one->Take(), IsEmpty());
  EXPECT_EQ(home_.stats.sources, 0);
}

TEST_F(SourcesTest, ACrowdThatWantsARefusedShowtimeIsOneStreamUntilItIsTimeToAskAgain) {
  const auto first = Open("1");
  home_.upstream.sink("1").OnRefused({"too many", 5000});
  home_.timers.AdvanceMs(2000);
  for (int i = 0; i < 1000; ++i) {
    const auto listener = Open("1");
    ASSERT_EQ(listener->events.size(), 1u);
    const auto& refused = std::get<FeedRefused>(listener->events.front());
    EXPECT_EQ(refused.message, "too many");
    EXPECT_EQ(refused.retry_after_ms, 3000);
  }
  EXPECT_EQ(home_.upstream.followed, 1);
  home_.timers.AdvanceMs(3000);
  const auto later = Open("1");
  EXPECT_EQ(home_.upstream.followed, 2);
  home_.upstream.sink("1").OnSnapshot({{"e", 3}, {}, false});
  EXPECT_THAT(later->Take(), ElementsAre("image unknown connecting", "image e/3 live"));
}

TEST_F(SourcesTest, AServiceThatRefusesEveryShowtimeIsAskedForABoundedNumberOfThem) {
  for (size_t i = 0; i < 4 * kRefusalsMax; ++i) {
    const std::string showtime_id = std::to_string(i);
    const auto listener = Open(showtime_id);
    if (Follows(showtime_id)) home_.upstream.sink(showtime_id).OnRefused({"too many", 5000});
    EXPECT_EQ(listener->Take().back(), "refused");
  }
  EXPECT_EQ(home_.upstream.followed, static_cast<int>(kRefusalsMax));
  home_.timers.AdvanceMs(5000);
  const auto later = Open("later");
  EXPECT_TRUE(Follows("later"));
}

TEST_F(SourcesTest, WhoseShowtimeIsGivenUpAfterItWasServedMayComeBack) {
  const auto one = Listen("1");
  home_.upstream.sink("1").OnRefused({"too many", 5000});
  home_.timers.AdvanceMs(kRefusedMsMax);
  home_.upstream.sink("1").OnRefused({"too many", 5000});
  EXPECT_THAT(one->Take(), ElementsAre("away", "refused"));
  EXPECT_FALSE(Follows("1"));
  home_.timers.AdvanceMs(5000);
  const auto again = Listen("1");
  EXPECT_TRUE(Follows("1"));
}

// ---- Bounds ------------------------------------------------------------------------------------

TEST_F(SourcesTest, BeyondTheBoundALingeringOneMakesPlaceOrTheNewcomerIsRefused) {
  std::vector<std::shared_ptr<FakeSourceListener>> listeners;
  for (size_t i = 0; i < kRoomsMax; ++i) listeners.push_back(Listen(std::to_string(i)));
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

TEST_F(SourcesTest, ATimerOfAShowtimeThatMadePlaceDropsNobodyWhoCameSince) {
  std::vector<std::shared_ptr<FakeSourceListener>> listeners;
  for (size_t i = 0; i < kRoomsMax; ++i) listeners.push_back(Listen(std::to_string(i)));
  sources_->Close(listeners[7].get());
  const auto taker = Open("new");  // 7 makes place, its timer stays.
  sources_->Close(listeners[8].get());
  const auto one = Listen("7");
  const auto two = Open("7");
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_TRUE(Follows("7"));
  home_.upstream.sink("7").OnChange(ChangeAt(4));
  EXPECT_THAT(two->Take(), ElementsAre("image e/3 live", "entry e/4"));
  sources_->Resume(two.get(), {"e", 3});
  EXPECT_THAT(two->Take(), ElementsAre("missed after e/3: 4"));
  sources_->Close(one.get());
  sources_->Close(two.get());
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(Follows("7"));
}

TEST_F(SourcesTest, TimersThatOutliveTheSourcesDoNothing) {
  const auto one = Listen("1");
  sources_->Close(one.get());
  sources_.reset();
  home_.timers.AdvanceMs(kRoomLingerMs);
  EXPECT_FALSE(Follows("1"));
}

}  // namespace
}  // namespace seatlock::edge
