#include "edge/showtime/source.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "tests/testing/source_fakes.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeHome;
using ::seatlock::testing::FakeSourceListener;
using ::seatlock::testing::SayChanges;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

class SourceTest : public ::testing::Test {
 protected:
  SourceTest() { source_->Start(); }

  void Snapshot(uint64_t revision, std::vector<Seat> seats = {}, const std::string& epoch = "e") {
    service().OnSnapshot({{epoch, revision}, std::move(seats), false});
  }
  // Live at revision 3, with changes up to `head` after it, and one who listens.
  void LiveAt(uint64_t head) {
    Snapshot(3);
    SayChanges(service(), 3, head);
    source_->Add(&thread_);
    thread_.Take();
  }
  WatchSink& service() { return home_.upstream.sink("1"); }
  const Refusal kRefusal{"too many", 5000};

  int restarts() { return home_.upstream.of("1").restarts; }
  void PassMs(int64_t ms) { home_.timers.AdvanceMs(ms); }

  FakeHome home_;
  BackfillTurns turns_;
  FakeSourceListener thread_;
  FakeSourceListener other_;
  int refusals_ = 0;
  std::shared_ptr<Source> source_ =
      std::make_shared<Source>(home_.env(), turns_, "1", [this](const Refusal&) { ++refusals_; });
};

// ---- Listeners ---------------------------------------------------------------------------------

TEST_F(SourceTest, WhoListensHearsWhatIsKnownAndThenEachChange) {
  LiveAt(4);
  source_->Add(&other_);
  SayChanges(service(), 4, 6);
  EXPECT_THAT(other_.Take(), ElementsAre("image e/4 live", "entry e/5", "entry e/6"));
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/5", "entry e/6"));
}

TEST_F(SourceTest, BeforeTheFirstWordNothingIsKnown) {
  source_->Add(&thread_);
  EXPECT_THAT(thread_.Take(), ElementsAre("image unknown connecting"));
  Snapshot(3);
  EXPECT_THAT(thread_.Take(), ElementsAre("image e/3 live"));
}

TEST_F(SourceTest, AChangeIsEncodedOnceForAllThreads) {
  LiveAt(4);
  source_->Add(&other_);
  service().OnChange(ChangeAt(5));
  EXPECT_EQ(std::get<FeedEntry>(thread_.events.back()).entry,
            std::get<FeedEntry>(other_.events.back()).entry);
}

TEST_F(SourceTest, AnImageIsMadeOnceForAllThreads) {
  source_->Add(&thread_);
  source_->Add(&other_);
  Snapshot(3);
  const auto& first = std::get<FeedImage>(thread_.events.back());
  EXPECT_EQ(first.image, std::get<FeedImage>(other_.events.back()).image);
  EXPECT_EQ(first.snapshots, std::get<FeedImage>(other_.events.back()).snapshots);
  FakeSourceListener late;
  source_->Add(&late);
  EXPECT_EQ(first.image, std::get<FeedImage>(late.events.back()).image);
  service().OnChange(ChangeAt(4));
  FakeSourceListener later;
  source_->Add(&later);
  EXPECT_THAT(later.Take(), ElementsAre("image e/4 live"));
}

TEST_F(SourceTest, WhoLeftHearsNothing) {
  LiveAt(4);
  source_->Remove(&thread_);
  service().OnChange(ChangeAt(5));
  EXPECT_THAT(thread_.Take(), IsEmpty());
}

TEST_F(SourceTest, IsFullAsSoonAsOneListenerIs) {
  LiveAt(4);
  source_->Add(&other_);
  EXPECT_FALSE(service().Full());
  other_.full = true;
  EXPECT_TRUE(service().Full());
  source_->Remove(&other_);
  EXPECT_FALSE(service().Full());
}

// ---- Becoming live -----------------------------------------------------------------------------

TEST_F(SourceTest, ASnapshotInPartsCountsOnceItIsWhole) {
  source_->Add(&thread_);
  service().OnSnapshot({{"e", 3}, {{"A01", SeatStatus::kLocked, "s", 1}}, true});
  EXPECT_THAT(thread_.Take(), ElementsAre("image unknown connecting"));
  service().OnSnapshot({{"e", 3}, {{"A02", SeatStatus::kLocked, "s", 1}}, false});
  ASSERT_EQ(thread_.events.size(), 1u);
  EXPECT_EQ(std::get<FeedImage>(thread_.events.back()).image->seats.size(), 2u);
}

TEST_F(SourceTest, ASnapshotCutShortIsForgotten) {
  service().OnSnapshot({{"e", 3}, {{"A01", SeatStatus::kLocked, "s", 1}}, true});
  service().OnLost();
  Snapshot(3, {{"A02", SeatStatus::kLocked, "s", 1}});
  source_->Add(&thread_);
  const auto& image = *std::get<FeedImage>(thread_.events.back()).image;
  ASSERT_EQ(image.seats.size(), 1u);
  EXPECT_EQ(image.seats[0].seat_id, "A02");
}

TEST_F(SourceTest, ANewShowtimeIsLiveWithItsFirstProgress) {
  source_->Add(&thread_);
  service().OnProgress({"", 0});
  service().OnChange(ChangeAt(1));
  EXPECT_THAT(thread_.Take(),
              ElementsAre("image unknown connecting", "image /0 live", "entry e/1"));
  EXPECT_EQ(restarts(), 0);
}

TEST_F(SourceTest, IsCountedAsAwayUntilItIsLiveOrGone) {
  LiveAt(4);
  EXPECT_EQ(home_.stats.sources_away, 0);
  service().OnLost();
  service().OnLost();
  EXPECT_EQ(home_.stats.sources_away, 1);
  service().OnChange(ChangeAt(5));
  EXPECT_EQ(home_.stats.sources_away, 1) << "what was missed is still coming";
  service().OnProgress({"e", 5});
  EXPECT_EQ(home_.stats.sources_away, 0);
  service().OnLost();
  source_->Remove(&thread_);
  source_.reset();
  EXPECT_EQ(home_.stats.sources_away, 0);
}

TEST_F(SourceTest, AStreamThatSaysNothingCountsAsAway) {
  source_->Add(&thread_);
  PassMs(kLiveMsMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("image unknown connecting", "away"));
}

// ---- The service goes away ---------------------------------------------------------------------

TEST_F(SourceTest, ALostStreamIsToldOnceAndItsReturnBringsWhatWasMissed) {
  LiveAt(4);
  service().OnLost();
  service().OnLost();
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 4}));
  SayChanges(service(), 4, 6);
  service().OnProgress({"e", 6});
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/5", "entry e/6", "live"));
}

TEST_F(SourceTest, HoweverLongAPageOfHistoryTakesItIsNotLiveBeforeTheServiceHasCaughtUp) {
  LiveAt(4);
  service().OnLost();
  SayChanges(service(), 4, 6);
  PassMs(5 * kSecondMs);
  EXPECT_THAT(thread_.Take(), ElementsAre("away", "entry e/5", "entry e/6"));
  SayChanges(service(), 6, 7);
  service().OnProgress({"e", 7});
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/7", "live"));
}

TEST_F(SourceTest, AReturnWithNothingMissedIsLiveAtOnce) {
  LiveAt(4);
  service().OnLost();
  service().OnProgress({"e", 4});
  EXPECT_THAT(thread_.Take(), ElementsAre("away", "live"));
}

TEST_F(SourceTest, AReturnWithASnapshotReplacesEverything) {
  LiveAt(4);
  service().OnLost();
  Snapshot(2, {}, "e2");
  EXPECT_THAT(thread_.Take(), ElementsAre("away", "image e2/2 live"));
}

TEST_F(SourceTest, ABusyShowtimeIsLiveAsSoonAsTheServiceSaysSo) {
  LiveAt(4);
  service().OnLost();
  SayChanges(service(), 4, 6);
  service().OnProgress({"e", 6});
  SayChanges(service(), 6, 8);
  EXPECT_THAT(thread_.Take(),
              ElementsAre("away", "entry e/5", "entry e/6", "live", "entry e/7", "entry e/8"));
}

TEST_F(SourceTest, AServiceThatNeverSaysThatItHasCaughtUpIsAskedForASnapshot) {
  LiveAt(4);
  service().OnLost();
  thread_.Take();
  for (uint64_t revision = 5; revision < 25; ++revision) {
    EXPECT_EQ(restarts(), 0);
    service().OnChange(ChangeAt(revision));
    PassMs(kCatchUpMsMax / 20);
  }
  EXPECT_EQ(restarts(), 1);
  EXPECT_EQ(service().ResumeFrom(), std::nullopt);
  EXPECT_THAT(thread_.Take(), Not(Contains("live")));
  Snapshot(30);
  EXPECT_THAT(thread_.Take(), ElementsAre("image e/30 live"));
}

TEST_F(SourceTest, ATimerOfAStreamThatCaughtUpDoesNothingLater) {
  LiveAt(4);
  service().OnLost();
  SayChanges(service(), 4, 5);
  PassMs(kCatchUpMsMax - 1);
  service().OnProgress({"e", 5});
  service().OnLost();
  SayChanges(service(), 5, 6);
  PassMs(kCatchUpMsMax - 1);
  EXPECT_EQ(restarts(), 0);
}

TEST_F(SourceTest, AStreamResumedAtRevision0FollowsOnWithTheFirstChange) {
  service().OnProgress({"", 0});
  service().OnLost();
  EXPECT_EQ(service().ResumeFrom(), (Position{"", 0}));
  SayChanges(service(), 0, 2);
  service().OnProgress({"e", 2});
  EXPECT_EQ(restarts(), 0);
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 2}));
}

// ---- The service refuses the showtime ----------------------------------------------------------

TEST_F(SourceTest, AShowtimeThatWasNeverServedIsRefusedAtOnce) {
  source_->Add(&thread_);
  service().OnRefused({"too many", 7000});
  ASSERT_EQ(thread_.events.size(), 2u);
  const auto refused = std::get<FeedRefused>(thread_.events.back());
  EXPECT_EQ(refused.message, "too many");
  EXPECT_EQ(refused.retry_after_ms, 7000);
  EXPECT_EQ(refusals_, 1);
  EXPECT_EQ(home_.stats.upstream_refused_total, 1);
  EXPECT_EQ(home_.stats.upstream_lost_total, 0);
}

TEST_F(SourceTest, AShowtimeThatWasServedIsNotLostForAMomentOfOverload) {
  LiveAt(4);
  for (int i = 0; i < 3; ++i) {
    service().OnRefused(kRefusal);
    PassMs(kRefusedMsMax / 4);
  }
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  EXPECT_EQ(service().ResumeFrom(), (Position{"e", 4}));
  service().OnProgress({"e", 4});
  PassMs(kRefusedMsMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("live"));
  EXPECT_EQ(refusals_, 0);
}

TEST_F(SourceTest, AShowtimeThatWasServedAndIsRefusedAgainAndAgainIsGivenUp) {
  LiveAt(4);
  for (int i = 0; i < 4; ++i) {
    service().OnRefused(kRefusal);
    PassMs(kRefusedMsMax / 4);
  }
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  service().OnRefused(kRefusal);
  EXPECT_THAT(thread_.Take(), ElementsAre("refused"));
  EXPECT_EQ(refusals_, 1);
}

TEST_F(SourceTest, AServiceThatRefusedOnceAndThenHangsIsWaitedForAsEver) {
  LiveAt(4);
  service().OnRefused(kRefusal);
  PassMs(10 * kRefusedMsMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  EXPECT_EQ(refusals_, 0);
}

TEST_F(SourceTest, AServiceThatGoesAwayAfterItRefusedIsWaitedForAsEver) {
  LiveAt(4);
  service().OnRefused(kRefusal);
  service().OnLost();
  PassMs(10 * kRefusedMsMax);
  service().OnRefused(kRefusal);
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  EXPECT_EQ(refusals_, 0);
}

TEST_F(SourceTest, AShowtimeThatIsServedAgainIsNotGivenUpHoweverLongItTakesToCatchUp) {
  LiveAt(4);
  service().OnRefused(kRefusal);
  PassMs(kRefusedMsMax / 2);
  SayChanges(service(), 4, 6);
  PassMs(kRefusedMsMax);
  SayChanges(service(), 6, 7);
  service().OnRefused(kRefusal);
  EXPECT_THAT(thread_.Take(), ElementsAre("away", "entry e/5", "entry e/6", "entry e/7"));
  EXPECT_EQ(refusals_, 0);
}

TEST_F(SourceTest, APartOfASnapshotIsServiceToo) {
  LiveAt(4);
  service().OnRefused(kRefusal);
  PassMs(kRefusedMsMax);
  service().OnSnapshot({{"e", 9}, {}, true});
  service().OnRefused(kRefusal);
  EXPECT_EQ(refusals_, 0);
}

TEST_F(SourceTest, EachTimeThatItIsRefusedHasItsOwnBound) {
  LiveAt(4);
  service().OnRefused(kRefusal);
  PassMs(kRefusedMsMax - 1);
  service().OnProgress({"e", 4});
  service().OnRefused(kRefusal);
  PassMs(kRefusedMsMax - 1);
  service().OnRefused(kRefusal);
  EXPECT_EQ(refusals_, 0);
  PassMs(1);
  service().OnRefused(kRefusal);
  EXPECT_EQ(refusals_, 1);
}

// ---- History -----------------------------------------------------------------------------------

TEST_F(SourceTest, ListenersKeepTheSameHistoryAsItsSource) {
  LiveAt(3 + kHistoryChangesMax);
  service().OnChange(ChangeAt(4 + kHistoryChangesMax));
  EXPECT_EQ(std::get<FeedEntry>(thread_.events.back()).base, 4u);
}

// ---- A stream that does not follow on ----------------------------------------------------------

TEST_F(SourceTest, AGapIsNotPassedOnAndIsHealedBySnapshot) {
  LiveAt(4);
  service().OnChange(ChangeAt(6));
  EXPECT_EQ(restarts(), 1);
  EXPECT_EQ(service().ResumeFrom(), std::nullopt);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting"));
  Snapshot(6);
  service().OnChange(ChangeAt(7));
  EXPECT_THAT(thread_.Take(), ElementsAre("image e/6 live", "entry e/7"));
  EXPECT_EQ(home_.stats.upstream_gaps_total, 1);
}

TEST_F(SourceTest, AGapThatIsNotHealedInTimeIsAway) {
  LiveAt(4);
  service().OnChange(ChangeAt(6));
  PassMs(kLiveMsMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "away"));
}

TEST_F(SourceTest, AGapWhileAwayStaysAway) {
  LiveAt(4);
  service().OnLost();
  service().OnChange(ChangeAt(6));
  EXPECT_THAT(thread_.Take(), ElementsAre("away"));
  EXPECT_EQ(restarts(), 1);
}

TEST_F(SourceTest, AnotherEpochWithNoSnapshotIsAGap) {
  LiveAt(4);
  service().OnChange(ChangeAt(5, "e2"));
  EXPECT_EQ(restarts(), 1);
}

TEST_F(SourceTest, ARepeatedRevisionIsAGap) {
  LiveAt(4);
  service().OnChange(ChangeAt(4));
  EXPECT_EQ(restarts(), 1);
}

TEST_F(SourceTest, ProgressPastWhatIsKnownIsAGap) {
  LiveAt(4);
  service().OnProgress({"e", 5});
  EXPECT_EQ(restarts(), 1);
}

TEST_F(SourceTest, AChangeBetweenThePartsOfASnapshotIsAGap) {
  LiveAt(4);
  service().OnSnapshot({{"e", 9}, {}, true});
  service().OnChange(ChangeAt(5));
  EXPECT_EQ(restarts(), 1);
}

}  // namespace
}  // namespace seatlock::edge
