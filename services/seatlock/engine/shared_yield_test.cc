// Who has won a contested showtime lets others go first, and waits for nobody who does not come.
#include <gmock/gmock.h>

#include "services/seatlock/engine/shared_fixture.h"

namespace seatlock::engine {
namespace {

class SharedYieldTest : public SharedStoreTest {
 protected:
  static constexpr size_t kBatch = 3;

  // a was too late with a batch, and has won with it since: b's turn.
  void LetAYield() {
    DoOn(b_, OtherLock());
    HeldOn(a_);
    DoOn(b_, OtherLock());
    std::vector<Told> told;
    for (size_t i = 0; i < kBatch; ++i) told.push_back(Ask(a_, NextLock()));
    Settle();
    for (const Told& each : told) ASSERT_GT(RevisionOf(each->value_or(Failure{})), 0U);
  }
  domain::Command OtherLock() {
    const std::string number = absl::StrCat(++locks_);
    return Lock(absl::StrCat("s", number), {absl::StrCat("B", number)});
  }
  domain::Command NextLock() {
    const std::string number = absl::StrCat(++locks_);
    return Lock(absl::StrCat("s", number), {absl::StrCat("A", number)});
  }
  // A command that waits for b's turn to end.
  Told AskAndWait() {
    Told told = Ask(a_, NextLock());
    Settle();
    EXPECT_FALSE(told->has_value()) << "it did not wait";
    return told;
  }

  Server& a_ = Add();
  Server& b_ = Add();
  int locks_ = 0;
};

TEST_F(SharedYieldTest, AnothersChangeEndsItAndIsTakenInBeforeTheNextAppend) {
  LetAYield();
  const Told told = AskAndWait();
  const int appends = a_.log.appends();
  DoOn(b_, OtherLock());
  EXPECT_GT(RevisionOf(told->value_or(Failure{})), 0U);
  EXPECT_EQ(a_.log.appends(), appends + 1) << "what is decided before is too late";
}

TEST_F(SharedYieldTest, AsManyCommandsAsTheLastBatchHadEndIt) {
  LetAYield();
  std::vector<Told> told;
  for (size_t i = 0; i + 1 < kBatch; ++i) told.push_back(AskAndWait());
  told.push_back(Ask(a_, NextLock()));
  Settle();
  for (const Told& each : told) EXPECT_GT(RevisionOf(each->value_or(Failure{})), 0U);
}

TEST_F(SharedYieldTest, TheNextTickEndsItAndNobodyIsYieldedToThen) {
  LetAYield();
  const Told told = AskAndWait();
  a_.engine->Tick();
  Settle();
  EXPECT_GT(RevisionOf(told->value_or(Failure{})), 0U);
  // Alone again: each is appended as soon as it comes.
  EXPECT_GT(RevisionOf(DoOn(a_, NextLock())), 0U);
}

TEST_F(SharedYieldTest, ReadsAndWatchersDoNotWaitForIt) {
  LetAYield();
  EXPECT_EQ(HeldOn(a_), 0U);
  LetAYield();
  const Told told = AskAndWait();
  auto watch = WatchOn(a_);
  const uint64_t head = store_.head(showtime_).revision.value();
  EXPECT_EQ(watch->words.front(), absl::StrCat("snapshot ", head));
  EXPECT_TRUE(told->has_value()) << "what waited went along";
}

TEST_F(SharedYieldTest, ALockThatLapsesIsFreed) {
  LetAYield();
  AskAndWait();
  const uint64_t before = store_.head(showtime_).revision.value();
  clock_.AdvanceMs(60'000);
  a_.engine->Tick();
  Settle();
  EXPECT_GT(store_.head(showtime_).revision.value(), before);
}

TEST_F(SharedYieldTest, NobodyWaitsWhileNobodyElseChangesTheShowtime) {
  std::vector<Told> told;
  for (size_t i = 0; i < kBatch; ++i) told.push_back(Ask(a_, NextLock()));
  Settle();
  for (int i = 0; i < 10; ++i) EXPECT_GT(RevisionOf(DoOn(a_, NextLock())), 0U);
  // Questions that others were before are no contest.
  DoOn(b_, OtherLock());
  HeldOn(a_);
  EXPECT_GT(RevisionOf(DoOn(a_, NextLock())), 0U);
  EXPECT_GT(RevisionOf(DoOn(a_, NextLock())), 0U);
}

// A control for the bound: however long the contest, a server yields no more than so often after
// the last change of others that it heard of.
TEST_F(SharedYieldTest, ItEndsAfterSoManyAppendsWithoutAConflict) {
  LetAYield();
  for (int i = 1; i <= kYieldsAfterConflict; ++i) {
    std::vector<Told> told;
    for (size_t n = 0; n < kBatch; ++n) told.push_back(Ask(a_, NextLock()));
    Settle();
    for (const Told& each : told) ASSERT_TRUE(each->has_value()) << i;
  }
  EXPECT_GT(RevisionOf(DoOn(a_, NextLock())), 0U);
}

TEST_F(SharedYieldTest, AWatcherThatLeavesMeanwhileTakesNoShowtimeOutOfMemory) {
  a_.log.SetHints(Hints::kLost);
  auto watch = WatchOn(a_);
  LetAYield();
  watch->watcher->Close();
  Settle();
  EXPECT_EQ(a_.engine->live_showtimes(), 1U);
}

TEST_F(SharedYieldTest, AnEngineThatStopsLeavesNobodyWaiting) {
  LetAYield();
  const Told told = AskAndWait();
  a_.engine->Stop();
  Settle();
  EXPECT_TRUE(told->has_value());
}

TEST_F(SharedYieldTest, WhoStopsYieldsToNobody) {
  LetAYield();
  const Told told = AskAndWait();
  a_.engine->Drain();
  a_.engine->Tick();
  Settle();
  EXPECT_TRUE(told->has_value());
}

}  // namespace
}  // namespace seatlock::engine
