// Watching, through a whole engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Fault = testing::FaultyLog::Fault;

class WatchTest : public EngineTest {
 protected:
  // Makes `count` changes.
  void Change(int count) {
    for (int i = 0; i < count; ++i) Do(Lock("alice", {absl::StrCat("S", ++seats_)}));
  }
  Position At(uint64_t revision, const std::string& epoch = "epoch1") const {
    return {epoch.empty() ? domain::Epoch()
                          : domain::Epoch(absl::StrCat(epoch, "-", memory_.Generation())),
            domain::Revision(revision)};
  }

  int seats_ = 0;
};

TEST_F(WatchTest, StartsWithTheSnapshotThenEveryChangeInOrderOnceEach) {
  Change(2);
  auto reader = Watch();
  Change(2);
  EXPECT_THAT(reader->words, ElementsAre("snapshot 2", "change 3", "change 4"));
}

TEST_F(WatchTest, AShowtimeWithoutChangesSaysSoThenItsFirstChangeFollows) {
  auto reader = Watch();
  Change(1);
  EXPECT_THAT(reader->words, ElementsAre("progress 0", "change 1"));
}

TEST_F(WatchTest, AChangeIsNotShownBeforeItIsDurable) {
  Change(1);
  auto reader = Watch();
  log_.Hold();
  Submit(Lock("bob", {"B1"}));
  Settle();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1"));
  auto late = Watch();
  EXPECT_THAT(late->words, IsEmpty()) << "a watch that starts now waits for the commit";
  log_.Release();
  Settle();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2"));
  EXPECT_THAT(late->words, ElementsAre("snapshot 2"));
}

TEST_F(WatchTest, ResumingAtTheHeadSaysHowFarItIs) {
  Change(2);
  auto reader = Watch(At(2));
  Change(1);
  EXPECT_THAT(reader->words, ElementsAre("progress 2", "change 3"));
}

TEST_F(WatchTest, ResumingBehindGetsWhatWasMissedAndNoSnapshot) {
  Change(4);
  auto reader = Watch(At(2));
  Change(1);
  EXPECT_THAT(reader->words, ElementsAre("change 3", "change 4", "progress 4", "change 5"))
      << "progress says at once that no more was missed";
}

TEST_F(WatchTest, ResumingFarBehindTakesPageAfterPage) {
  Change(static_cast<int>(log::kPageRecordsMax) / 10);  // 100 seats is a session's most
  for (int i = 0; i < static_cast<int>(log::kPageRecordsMax); ++i) {
    Do(i % 2 == 0 ? Unlock("alice", "S1") : Lock("alice", {"S1"}));
  }
  auto reader = Watch(At(0));
  ASSERT_EQ(reader->words.size(), 1101u);
  for (size_t i = 0; i < 1100; ++i) EXPECT_EQ(reader->words[i], absl::StrCat("change ", i + 1));
  EXPECT_EQ(reader->words.back(), "progress 1100") << "after the last page, and no other";
}

TEST_F(WatchTest, APositionOfAnotherEpochIsReplaced) {
  Change(2);
  EXPECT_THAT(Watch(At(2, "other"))->words, ElementsAre("replacing 2"));
}

TEST_F(WatchTest, APositionOfAnotherGenerationOfTheStoreIsReplaced) {
  Change(2);
  const Position other{domain::Epoch("epoch1-another"), domain::Revision(2)};
  EXPECT_THAT(Watch(other)->words, ElementsAre("replacing 2"));
  EXPECT_EQ(encoder_.last_epoch.value(), absl::StrCat("epoch1-", memory_.Generation()));
  EXPECT_THAT(Watch(At(2))->words, ElementsAre("progress 2")) << "control";
}

TEST_F(WatchTest, APositionAheadOfTheHeadIsReplaced) {
  Change(2);
  EXPECT_THAT(Watch(At(3))->words, ElementsAre("replacing 2"));
}

TEST_F(WatchTest, APositionInAShowtimeWithoutChangesIsReplaced) {
  EXPECT_THAT(Watch(At(3))->words, ElementsAre("replacing 0"));
}

TEST_F(WatchTest, APositionThatIsNoLongerKeptIsReplaced) {
  for (uint64_t i = 0; i < 2 * kSnapshotTailMin + 10; ++i) {
    Do(i % 2 == 0 ? Lock("alice", {"S1"}) : Unlock("alice", "S1"));
  }
  memory_.Trim(showtime_, clock_.NowMs() + 1, 10, [](absl::Status) {});
  auto reader = Watch(At(1));
  EXPECT_THAT(reader->words, ElementsAre(absl::StrCat("replacing ", 2 * kSnapshotTailMin + 10)));
}

TEST_F(WatchTest, AChangeIsEncodedOnceForAllWhoWatch) {
  Change(1);
  std::vector<std::shared_ptr<Reader>> readers;
  for (int i = 0; i < 100; ++i) readers.push_back(Watch());
  EXPECT_EQ(encoder_.heads, 1);
  Change(1);
  EXPECT_EQ(encoder_.changes, 1);
  for (const auto& reader : readers) {
    EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2"));
  }
}

TEST_F(WatchTest, AReaderThatFallsBehindGetsAFreshSnapshotAndHoldsNobodyUp) {
  encoder_.padding = kWatcherBytesMax / 4;
  Change(1);
  auto slow = Watch();
  auto quick = Watch();
  slow->paused = true;
  Change(20);
  EXPECT_EQ(quick->words.size(), 21u);
  slow->paused = false;
  slow->Take();
  Settle();
  // What was queued before the bound, then one snapshot in place of the rest.
  EXPECT_THAT(slow->words,
              ElementsAre("snapshot 1", "change 2", "change 3", "change 4", "replacing 21"));
  Change(1);
  EXPECT_EQ(slow->words.back(), "change 22");
}

TEST_F(WatchTest, AQuietStreamSaysThatItIsAlive) {
  Change(1);
  auto reader = Watch();
  for (int second = 0; second < 15; ++second) {
    clock_.AdvanceMs(1000);
    Tick();
  }
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "progress 1"));
}

TEST_F(WatchTest, AfterAnUnknownOutcomeNothingIsMissedAndNothingRepeated) {
  Change(1);
  auto reader = Watch();
  log_.Hold();
  Submit(Lock("bob", {"B1"}));
  log_.ReleaseOne(Fault::kUnknownLanded);
  Settle();
  log_.Release();
  clock_.AdvanceMs(kUnknownRetryMs);
  Change(1);
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2", "progress 2", "change 3"));
}

TEST_F(WatchTest, AfterAnOutageWithAnUnknownOutcomeNobodyHasToAskForTheChangeToBeShown) {
  Change(1);
  auto reader = Watch();
  log_.Hold();
  Submit(Lock("bob", {"B1"}));
  log_.SetDown(true);
  log_.ReleaseOne(Fault::kUnknownLanded);
  Settle();
  log_.Release();
  clock_.AdvanceMs(20'000);
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1")) << "no progress while the head is unknown";
  log_.SetDown(false);
  clock_.AdvanceMs(kRetryMs);
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2", "progress 2"));
}

TEST_F(WatchTest, WhoSawAShowtimeWithoutChangesMissesNoneOfThem) {
  Change(2);
  EXPECT_THAT(Watch(At(0, ""))->words, ElementsAre("change 1", "change 2", "progress 2"));
}

TEST_F(WatchTest, ChangesThatComeWhileAPageIsReadAreMissedOnesToo) {
  Change(2);
  log_.HoldReads();
  auto reader = Watch(At(1));
  Settle();
  EXPECT_THAT(reader->words, IsEmpty());
  Change(2);
  log_.ReleaseReads();
  Settle();
  EXPECT_THAT(reader->words, ElementsAre("change 2", "change 3", "change 4", "progress 4"));
}

TEST_F(WatchTest, ManyWhoResumeAtOnceAreAllServed) {
  Change(2);
  std::vector<std::shared_ptr<Reader>> readers;
  for (int i = 0; i < 10 * kHistoryPagesMax; ++i) readers.push_back(Watch(At(1)));
  for (const auto& reader : readers) {
    EXPECT_THAT(reader->words, ElementsAre("change 2", "progress 2"));
  }
}

TEST_F(WatchTest, AWatchDuringAnOutageEndsWithStoreUnavailable) {
  log_.SetDown(true);
  auto reader = Watch();
  ASSERT_TRUE(reader->end.has_value());
  EXPECT_EQ(reader->end->kind, Failure::Kind::kStoreUnavailable);
}

TEST_F(WatchTest, AResumeOverADamagedRecordIsReplacedByTheStateBehindIt) {
  Change(4);
  log_.DamageRecord(domain::Revision(3));
  EXPECT_THAT(Watch(At(3))->words, ElementsAre("change 4", "progress 4")) << "control: not over it";
  const int errors = observer_.store_errors;
  auto reader = Watch(At(1));
  EXPECT_EQ(observer_.store_errors, errors + 1) << "the log says what is wrong";
  Change(1);
  EXPECT_THAT(reader->words, ElementsAre("replacing 4", "change 5"));
  EXPECT_FALSE(reader->end.has_value());
}

TEST_F(WatchTest, AResumeWhoseHistoryCannotBeReadForNowEndsWithStoreUnavailable) {
  Change(4);
  log_.SetDown(true);
  auto reader = Watch(At(1));
  ASSERT_TRUE(reader->end.has_value());
  EXPECT_EQ(reader->end->kind, Failure::Kind::kStoreUnavailable);
}

TEST_F(WatchTest, AWatchOfADamagedHistoryIsToldSo) {
  Change(2);
  log_.Damage(showtime_);
  Restart();
  auto reader = Watch();
  ASSERT_TRUE(reader->end.has_value());
  EXPECT_EQ(reader->end->kind, Failure::Kind::kDamaged);
}

TEST_F(WatchTest, AReaderThatHasGoneIsForgotten) {
  Change(1);
  auto reader = Watch();
  EXPECT_EQ(engine_->watchers(), 1u);
  reader->watcher->Close();
  ASSERT_TRUE(reader->end.has_value());
  EXPECT_EQ(reader->end->kind, Failure::Kind::kCancelled);
  EXPECT_EQ(engine_->watchers(), 0u) << "counted no more, at once";
}

}  // namespace
}  // namespace seatlock::engine
