// Through a source: what a thread that asks to resume is answered, whatever the service does.
#include "edge/showtime/resumes.h"

#include <gmock/gmock.h>

#include "edge/limits.h"
#include "edge/showtime/resumes_fixture.h"

namespace seatlock::edge {
namespace {

using ::seatlock::testing::ChangeAt;
using ::seatlock::testing::FakeSourceListener;
using ::seatlock::testing::SayChanges;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// ---- Covered -----------------------------------------------------------------------------------

TEST_F(ResumesTest, WhatTheHistoryCoversIsAnsweredFromIt) {
  LiveAt(3, 6);
  Ask(4);
  Ask(6);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after e/4: 5 6", "missed after e/6:"));
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, Revision0IsOnePlaceWhateverTheEpoch) {
  service().OnProgress({"", 0});
  SayChanges(service(), 0, 2);
  thread_.Take();
  Ask(0, "");
  Ask(0, "other");
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after /0: 1 2", "missed after other/0: 1 2"));
}

// ---- Behind ------------------------------------------------------------------------------------

TEST_F(ResumesTest, APositionFromBeforeThisEdgeRanIsRecoveredByABackfill) {
  LiveAt(30, 30);
  Ask(27);
  ASSERT_TRUE(backfilling());
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 27}));
  SayChanges(backfill(), 27, 29);
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(backfill(), 29, 30);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after e/27: 28 29 30"));
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, OneBackfillServesAThousandAsks) {
  LiveAt(2000, 2000);
  source_->Add(&other_);
  other_.Take();
  Ask(1000);
  for (uint64_t revision = 1001; revision < 2000; ++revision) {
    source_->Resume(revision % 2 == 0 ? &thread_ : &other_, {"e", revision});
  }
  SayChanges(backfill(), 1000, 2000);
  EXPECT_THAT(thread_.Take(), AllOf(SizeIs(500), Each(StartsWith("missed after e/1"))));
  EXPECT_THAT(other_.Take(), AllOf(SizeIs(500), Each(StartsWith("missed after e/1"))));
  EXPECT_EQ(backfills(), 1);
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, WhoAsksOfOnePositionSharesItsChanges) {
  LiveAt(30, 30);
  source_->Add(&other_);
  Ask(28);
  source_->Resume(&other_, {"e", 28});
  SayChanges(backfill(), 28, 30);
  EXPECT_EQ(std::get<FeedResume>(thread_.events.back()).missed,
            std::get<FeedResume>(other_.events.back()).missed);
}

TEST_F(ResumesTest, AnswersToAThousandPositionsShareOneRangeOfChanges) {
  LiveAt(5000, 5000);
  for (uint64_t revision = 1000; revision < 2000; ++revision) Ask(revision);
  SayChanges(backfill(), 1000, 5000);
  ASSERT_THAT(thread_.events, SizeIs(1000));
  const auto& first = std::get<FeedResume>(thread_.events.front()).missed;
  for (const FeedEvent& event : thread_.events) {
    EXPECT_EQ(std::get<FeedResume>(event).missed, first);
  }
}

TEST_F(ResumesTest, AnswersFromTheHistoryShareOneRangeOfChangesToo) {
  LiveAt(3, 6);
  for (const uint64_t revision : {3, 4, 5}) Ask(revision);
  ASSERT_THAT(thread_.events, SizeIs(3));
  const auto& first = std::get<FeedResume>(thread_.events.front()).missed;
  for (const FeedEvent& event : thread_.events) {
    EXPECT_EQ(std::get<FeedResume>(event).missed, first);
  }
  SayChanges(service(), 6, 7);
  Ask(4);
  EXPECT_THAT(thread_.Take().back(), "missed after e/4: 5 6 7");
}

TEST_F(ResumesTest, WhoAsksOfAnOlderPositionMeanwhileIsServedByTheNextRound) {
  LiveAt(30, 30);
  Ask(28);
  Ask(26);
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 28}));
  SayChanges(backfill(), 28, 30);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after e/28: 29 30"));
  ASSERT_TRUE(backfilling());
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 26}));
  SayChanges(backfill(), 26, 30);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after e/26: 27 28 29 30"));
}

TEST_F(ResumesTest, WhatABackfillBroughtServesACrowdForAWhile) {
  LiveAt(30, 30);
  Ask(26);
  SayChanges(backfill(), 26, 30);
  thread_.Take();
  SayChanges(service(), 30, 31);
  Ask(27);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/31", "missed after e/27: 28 29 30"));
  PassMs(kBackfillKeepMs);
  Ask(27);
  EXPECT_TRUE(backfilling());
  EXPECT_EQ(backfills(), 2);
}

TEST_F(ResumesTest, WhatWasKeptIsOfNoUseOnceTheHistoryHasMovedPastIt) {
  LiveAt(30, 30);
  Ask(26);
  SayChanges(backfill(), 26, 30);
  SayChanges(service(), 30, 30 + kHistoryChangesMax + 1);
  thread_.Take();
  Ask(27);
  EXPECT_THAT(thread_.Take(), IsEmpty());
  EXPECT_TRUE(backfilling());
}

TEST_F(ResumesTest, ABackfillGoesAsFarAsTheHistoryHasMovedMeanwhile) {
  LiveAt(30, 30);
  Ask(28);
  SayChanges(service(), 30, 30 + kHistoryChangesMax + 1);
  thread_.Take();
  SayChanges(backfill(), 28, 30);
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(backfill(), 30, 31);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after e/28: 29 30 31"));
}

TEST_F(ResumesTest, FromTheVeryStartIsABackfillToo) {
  LiveAt(3, 3);
  Ask(0, "");
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"", 0}));
  SayChanges(backfill(), 0, 3);
  EXPECT_THAT(thread_.Take(), ElementsAre("missed after /0: 1 2 3"));
}

TEST_F(ResumesTest, FromTheStartOfAnotherHistoryNothingIsPassedOn) {
  LiveAt(3, 3);
  Ask(0, "");
  SayChanges(backfill(), 0, 3, "e2");
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after /0"));
}

TEST_F(ResumesTest, AHoleInABackfillIsNotPassedOn) {
  LiveAt(30, 30);
  Ask(26);
  SayChanges(backfill(), 26, 28);
  backfill().OnChange(ChangeAt(30));
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/26"));
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, WhatTheServiceKeepsNoLongerIsASnapshotForTheOlderHalfAndAsksAgainForTheRest) {
  LiveAt(30, 30);
  Ask(20);
  backfill().OnSnapshot({{"e", 30}, {}, true});
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/20"));
  // Four that wait together.
  Ask(28);
  for (const uint64_t revision : {21, 22, 23, 24}) Ask(revision);
  SayChanges(backfill(), 28, 30);
  thread_.Take();
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 21}));
  backfill().OnSnapshot({{"e", 30}, {}, false});
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/21", "snapshot after e/22"));
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 23}));
  SayChanges(backfill(), 23, 30);
  EXPECT_THAT(thread_.Take(), SizeIs(2));
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, WhatIsTooLongAgoIsASnapshotAtOnce) {
  LiveAt(kBackfillChangesMax + 2, kBackfillChangesMax + 2);
  Ask(1);
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/1"));
  EXPECT_FALSE(backfilling());
  Ask(2);
  EXPECT_TRUE(backfilling());
}

TEST_F(ResumesTest, MoreThanMayBeHeldIsASnapshot) {
  LiveAt(300, 300);
  Ask(1);
  Change large = ChangeAt(2);
  large.seats.front().session_id.assign(kBackfillBytesMax, 's');
  backfill().OnChange(std::move(large));
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/1"));
}

TEST_F(ResumesTest, MoreChangesThanAreAllowedAreASnapshot) {
  const uint64_t head = kBackfillChangesMax + 1;
  LiveAt(head, head);
  Ask(1);
  SayChanges(service(), head, head + kHistoryChangesMax + 100);
  thread_.Take();
  SayChanges(backfill(), 1, 1 + kBackfillChangesMax);
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(backfill(), 1 + kBackfillChangesMax, 2 + kBackfillChangesMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/1"));
}

TEST_F(ResumesTest, ABackfillThatTakesTooLongIsASnapshot) {
  LiveAt(30, 30);
  Ask(26);
  SayChanges(backfill(), 26, 28);
  PassMs(kBackfillMsMax);
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/26"));
  EXPECT_FALSE(backfilling());
  EXPECT_EQ(restarts(), 0);
}

TEST_F(ResumesTest, ABackfillThatIsLostIsASnapshot) {
  LiveAt(30, 30);
  Ask(26);
  backfill().OnLost();
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/26"));
}

// ---- Ahead -------------------------------------------------------------------------------------

TEST_F(ResumesTest, APositionAheadWaitsForTheConfirmedHeadAndThenFollowsOn) {
  LiveAt(3, 5);
  Ask(8);
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 8}));
  backfill().OnProgress({"e", 8});
  EXPECT_FALSE(backfilling());
  SayChanges(service(), 5, 7);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/6", "entry e/7"));
  SayChanges(service(), 7, 9);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/8", "missed after e/8:", "entry e/9"));
}

TEST_F(ResumesTest, AChangeConfirmsThePositionBeforeIt) {
  LiveAt(3, 5);
  Ask(8);
  Ask(7);
  backfill().OnChange(ChangeAt(9));
  SayChanges(service(), 5, 9);
  EXPECT_THAT(thread_.Take(),
              UnorderedElementsAre("entry e/6", "entry e/7", "entry e/8", "entry e/9",
                                   "missed after e/7:", "missed after e/8:"));
}

TEST_F(ResumesTest, WhatTheSourceReachesByItselfNeedsNoConfirmation) {
  LiveAt(3, 5);
  Ask(6);
  SayChanges(service(), 5, 6);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/6", "missed after e/6:"));
  backfill().OnProgress({"e", 6});
  EXPECT_FALSE(backfilling());
  EXPECT_THAT(thread_.Take(), IsEmpty());
}

TEST_F(ResumesTest, APositionAheadOfTheConfirmedHeadIsASnapshotOnceTheSourceIsThere) {
  LiveAt(3, 5);
  Ask(500);
  Ask(7);
  backfill().OnSnapshot({{"e", 8}, {}, false});
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(service(), 5, 8);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/6", "entry e/7", "missed after e/7:",
                                          "entry e/8", "snapshot after e/500"));
}

TEST_F(ResumesTest, APositionOfAnotherHistoryIsASnapshotOnceTheSourceIsAtTheConfirmedHead) {
  LiveAt(3, 5);
  Ask(4, "old");
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"old", 4}));
  backfill().OnSnapshot({{"e", 6}, {}, false});
  EXPECT_THAT(thread_.Take(), IsEmpty());
  SayChanges(service(), 5, 6);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/6", "snapshot after old/4"));
  EXPECT_EQ(restarts(), 0);
}

TEST_F(ResumesTest, OneProbeSettlesPositionsOfAnyNumberOfHistories) {
  LiveAt(3, 5);
  Ask(500);
  for (int i = 0; i < 100; ++i) Ask(4, "old" + std::to_string(i));
  backfill().OnSnapshot({{"e", 5}, {}, false});
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/500"));
  EXPECT_EQ(backfills(), 2);
  backfill().OnSnapshot({{"e", 5}, {}, false});
  EXPECT_THAT(thread_.Take(), AllOf(SizeIs(100), Each(HasSubstr("snapshot after old"))));
  EXPECT_EQ(backfills(), 2);
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, ASourceOfAnOldHistoryBeginsAnewBeforeAnybodyIsAnswered) {
  LiveAt(3, 5);
  Ask(4, "new");
  Ask(9);
  backfill().OnSnapshot({{"new", 6}, {}, false});
  EXPECT_EQ(restarts(), 1);
  EXPECT_EQ(service().ResumeFrom(), std::nullopt);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting"));
  Snapshot(6, "new");
  EXPECT_THAT(thread_.Take(), ::testing::Contains("image new/6 live"));
}

TEST_F(ResumesTest, AStreamThatStaysBehindTheConfirmedHeadIsBegunAnew) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnProgress({"e", 8});
  PassMs(kBackfillMsMax);
  EXPECT_EQ(restarts(), 1);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting"));
  Snapshot(8);
  EXPECT_THAT(thread_.Take(), ElementsAre("image e/8 live", "missed after e/8:"));
}

TEST_F(ResumesTest, ASnapshotOlderThanTheConfirmedHeadIsGivenToNobodyWhoIsPastIt) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnProgress({"e", 8});
  PassMs(kBackfillMsMax);
  Snapshot(6);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "image e/6 live"));
  SayChanges(service(), 6, 8);
  EXPECT_THAT(thread_.Take(), ElementsAre("entry e/7", "entry e/8", "missed after e/8:"));
}

TEST_F(ResumesTest, AConfirmedHeadThatASnapshotJumpedOverIsBackfilled) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnProgress({"e", 8});
  Snapshot(10);
  ASSERT_TRUE(backfilling());
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 8}));
  SayChanges(backfill(), 8, 10);
  EXPECT_THAT(thread_.Take(), ElementsAre("image e/10 live", "missed after e/8: 9 10"));
}

TEST_F(ResumesTest, AProbeThatSaysNothingMeansAFreshSnapshotForAll) {
  LiveAt(3, 5);
  Ask(8);
  Ask(4, "old");
  PassMs(kBackfillMsMax);
  EXPECT_EQ(restarts(), 1);
  EXPECT_FALSE(backfilling());
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting"));
  Snapshot(7);
  EXPECT_THAT(thread_.Take(),
              UnorderedElementsAre("image e/7 live", "snapshot after e/8", "snapshot after old/4"));
}

TEST_F(ResumesTest, AProbeThatIsLostMeansAFreshSnapshot) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnLost();
  Snapshot(8);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "image e/8 live", "missed after e/8:"));
}

TEST_F(ResumesTest, WhereTheServiceKnowsNothingAnyMoreTheSourceBeginsAnewFirst) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnProgress({"", 0});
  EXPECT_EQ(restarts(), 1);
  service().OnProgress({"", 0});
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "image /0 live", "snapshot after e/8"));
}

TEST_F(ResumesTest, WhateverComesAfterTheServiceKnewNothingIsGoodEnough) {
  LiveAt(3, 5);
  Ask(8);
  backfill().OnProgress({"", 0});
  Snapshot(2, "new");
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "image new/2 live", "snapshot after e/8"));
  EXPECT_FALSE(backfilling());
}

TEST_F(ResumesTest, WhatAnotherHistoryDeniedIsAskedAnewOfAThird) {
  LiveAt(3, 5);
  Ask(4, "third");
  backfill().OnSnapshot({{"second", 6}, {}, false});
  Snapshot(4, "third");
  EXPECT_THAT(thread_.Take(),
              ElementsAre("connecting", "image third/4 live", "missed after third/4:"));
}

TEST_F(ResumesTest, ADenialIsForgottenWithTheHistoryThatItCameFrom) {
  LiveAt(3, 5);
  Ask(8, "third");
  backfill().OnSnapshot({{"second", 6}, {}, false});
  Snapshot(4, "third");
  ASSERT_TRUE(backfilling());
  backfill().OnProgress({"third", 8});
  SayChanges(service(), 4, 8, "third");
  EXPECT_THAT(thread_.Take(), ::testing::Contains("missed after third/8:"));
}

TEST_F(ResumesTest, OnAnEmptyShowtimeAPositionIsASnapshot) {
  service().OnProgress({"", 0});
  thread_.Take();
  Ask(8);
  backfill().OnProgress({"", 0});
  EXPECT_EQ(restarts(), 0);
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/8"));
}

TEST_F(ResumesTest, ThoseBehindAndThoseAheadTakeTurns) {
  LiveAt(30, 30);
  Ask(28);
  Ask(40);
  Ask(26);
  SayChanges(backfill(), 28, 30);
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 40}));
  backfill().OnProgress({"e", 40});
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 26}));
}

TEST_F(ResumesTest, ThoseAheadDoNotKeepThoseBehindWaiting) {
  LiveAt(30, 30);
  Ask(40);
  Ask(26);
  Ask(41);
  backfill().OnSnapshot({{"e", 30}, {}, false});
  EXPECT_THAT(thread_.Take(), ElementsAre("snapshot after e/40"));
  EXPECT_EQ(backfill().ResumeFrom(), (Position{"e", 26}));
}

// ---- The source meanwhile ----------------------------------------------------------------------

TEST_F(ResumesTest, ALostStreamDropsWhatWasAsked) {
  LiveAt(30, 30);
  Ask(26);
  service().OnLost();
  EXPECT_FALSE(backfilling());
  Ask(26);
  service().OnProgress({"e", 30});
  EXPECT_FALSE(backfilling());
  EXPECT_THAT(thread_.Take(), ElementsAre("away", "live"));
}

TEST_F(ResumesTest, AGapOfTheSourceStartsTheRoundOverOnceItIsHealed) {
  LiveAt(30, 30);
  Ask(26);
  service().OnChange(ChangeAt(33));
  EXPECT_FALSE(backfilling());
  Snapshot(33);
  ASSERT_TRUE(backfilling());
  SayChanges(backfill(), 26, 33);
  EXPECT_THAT(thread_.Take(), ElementsAre("connecting", "image e/33 live",
                                          "missed after e/26: 27 28 29 30 31 32 33"));
}

TEST_F(ResumesTest, WhoLeftIsAnsweredNothingAndItsRoundEnds) {
  LiveAt(30, 30);
  Ask(26);
  source_->Remove(&thread_);
  EXPECT_FALSE(backfilling());
  EXPECT_THAT(thread_.Take(), IsEmpty());
}

TEST_F(ResumesTest, ASourceThatGoesTakesItsBackfillWithIt) {
  LiveAt(30, 30);
  Ask(26);
  source_.reset();
  EXPECT_EQ(home_.upstream.watches("1"), 0u);
  PassMs(kBackfillMsMax);
}

TEST_F(ResumesTest, NoMoreBackfillsRunAtATimeThanAreAllowed) {
  LiveAt(30, 30);
  std::vector<std::unique_ptr<BackfillTurns::Turn>> taken;
  for (size_t i = 0; i < kBackfillsMax; ++i) taken.push_back(turns_.Take(source_, [] {}));
  Ask(26);
  EXPECT_FALSE(backfilling());
  taken.pop_back();
  EXPECT_TRUE(backfilling());
  source_.reset();
}

}  // namespace
}  // namespace seatlock::edge
