// What a server may say while other servers write the same showtimes, and how it hears of what they
// did.
#include <gmock/gmock.h>

#include "services/seatlock/engine/shared_fixture.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// Two servers, a and b. b hears no hints, so that all it knows it must have asked for.
class SharedQuestionTest : public SharedStoreTest {
 protected:
  SharedQuestionTest() { b_.log.SetHints(Hints::kLost); }

  Server& a_ = Add();
  Server& b_ = Add();
};

TEST_F(SharedQuestionTest, ARefusalRestsOnWhatIsTrueWhenItIsAskedFor) {
  DoOn(a_, Lock("alice", {"A1"}));
  ASSERT_TRUE(IsRefused(DoOn(b_, Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
  DoOn(a_, Unlock("alice", "A1"));

  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("bob", {"A1"}))), 3U);
}

TEST_F(SharedQuestionTest, ANoOpRestsOnWhatIsTrueWhenItIsAskedFor) {
  DoOn(b_, Lock("bob", {"A1"}));
  DoOn(a_, Unlock("bob", "A1"));
  DoOn(a_, Lock("carol", {"A1"}));

  EXPECT_TRUE(IsRefused(DoOn(b_, Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
}

TEST_F(SharedQuestionTest, ARepeatedRequestIsAnsweredAsTheOtherServerDid) {
  HeldOn(b_);
  const Result first = DoOn(a_, Lock("alice", {"A1"}, "r1"));
  DoOn(a_, Lock("carol", {"A2"}));

  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("alice", {"A1"}, "r1"))), RevisionOf(first));
  EXPECT_EQ(store_.head(showtime_).revision.value(), 2U);
}

TEST_F(SharedQuestionTest, ARepeatedRequestIsMadeAnewIfItsHistoryWasLost) {
  DoOn(b_, Lock("alice", {"A1"}, "r1"));
  store_.Rewind({{showtime_, domain::Revision(0)}});

  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("alice", {"A1"}, "r1"))), 1U);
  EXPECT_EQ(store_.head(showtime_).revision.value(), 1U);
}

TEST_F(SharedQuestionTest, AReadShowsWhatIsTrueWhenItIsAskedFor) {
  DoOn(b_, Lock("alice", {"A1"}));
  DoOn(a_, Lock("alice", {"A2"}));

  EXPECT_EQ(HeldOn(b_), 2U);
}

TEST_F(SharedQuestionTest, AWatchBeginsAtTheHead) {
  DoOn(b_, Lock("alice", {"A1"}));
  DoOn(a_, Lock("alice", {"A2"}));

  EXPECT_THAT(WatchOn(b_)->words, ElementsAre("snapshot 2"));
}

TEST_F(SharedQuestionTest, AWatchResumesAtAPositionThatAnotherServerGave) {
  HeldOn(b_);
  auto watch = WatchOn(a_);
  DoOn(a_, Lock("alice", {"A1"}));
  DoOn(a_, Lock("alice", {"A2"}));
  const Position seen = At(*watch);
  ASSERT_EQ(seen.revision.value(), 2U);

  EXPECT_THAT(WatchOn(b_, seen)->words, ElementsAre("progress 2"));
  DoOn(a_, Lock("alice", {"A3"}));
  EXPECT_THAT(WatchOn(b_, seen)->words, ElementsAre("change 3", "progress 3"));
}

TEST_F(SharedQuestionTest, ProgressTellsOfAHeadThatWasConfirmed) {
  DoOn(b_, Lock("alice", {"A1"}));
  auto watch = WatchOn(b_);
  clock_.AdvanceMs(kProgressMs);
  b_.log.HoldAnswers();  // nothing is said before the store has answered
  b_.engine->Tick();
  Settle();
  ASSERT_THAT(watch->words, ElementsAre("snapshot 1"));
  DoOn(a_, Lock("alice", {"A2"}));
  b_.log.ReleaseAnswers();
  GoOn(2'000);

  EXPECT_THAT(watch->words, Contains("change 2"));
  EXPECT_TRUE(Count(*watch, "progress 1") == 0 || watch->words[1] == "progress 1");
}

TEST_F(SharedQuestionTest, OneConfirmationServesACrowd) {
  DoOn(b_, Lock("alice", {"A1"}));
  const int before = b_.log.confirmations();

  std::vector<std::shared_ptr<ReadResult>> reads;
  for (int i = 0; i < 1000; ++i) reads.push_back(AskHeld(b_));
  Settle();

  for (const auto& read : reads) ASSERT_EQ(read->held, 1U);
  EXPECT_LE(b_.log.confirmations() - before, 2);
}

TEST_F(SharedQuestionTest, AQuestionDoesNotJoinAConfirmationThatWasSentBefore) {
  DoOn(b_, Lock("alice", {"A1"}));
  b_.log.HoldAnswers();
  auto first = AskHeld(b_);  // the store has answered it: one seat
  Settle();
  DoOn(a_, Lock("alice", {"A2"}));
  auto second = AskHeld(b_);

  b_.log.ReleaseOne();
  Settle();
  EXPECT_EQ(first->held, 1U);
  EXPECT_FALSE(second->held.has_value());
  b_.log.ReleaseAnswers();
  Settle();
  EXPECT_EQ(second->held, 2U);
}

TEST_F(SharedQuestionTest, ARefusalIsAnsweredThoughOthersChangeTheShowtimeAllTheTime) {
  DoOn(a_, Lock("alice", {"A1"}));
  HeldOn(b_);
  b_.log.HoldAnswers();
  DoOn(a_, Lock("carol", {"B0"}));
  auto told = Ask(b_, Lock("bob", {"A1"}));
  auto made = Ask(b_, Lock("bob", {"A2"}));
  for (int i = 1; i <= 20 && !told->has_value(); ++i) {
    // Each answer comes in after the next change.
    DoOn(a_, Lock("carol", {absl::StrCat("B", i)}));
    b_.log.ReleaseOne();
    Settle();
  }

  ASSERT_TRUE(told->has_value());
  EXPECT_TRUE(IsRefused(**told, domain::Reason::kSeatTaken));
  b_.log.ReleaseAnswers();
  Settle();
  EXPECT_EQ(RevisionOf(**made), store_.head(showtime_).revision.value());
}

TEST_F(SharedQuestionTest, AReadAfterAConflictShowsNoLockThatHadLapsed) {
  encoder_.name_seats = true;
  DoOn(b_, Lock("bob", {"B1"}));
  auto earlier = WatchOn(b_);  // the seat map is there from now on
  a_.log.SetHints(Hints::kLost);
  DoOn(a_, Lock("alice", {"A2"}, "", 2'000));
  clock_.AdvanceMs(5'000);  // nobody has freed it

  auto watch = WatchOn(b_);
  EXPECT_THAT(watch->words, Not(Contains(::testing::HasSubstr("A2"))));
}

// Servers a and b, and a watcher of each.
class SharedHintTest : public SharedStoreTest {
 protected:
  Server& a_ = Add();
  Server& b_ = Add();
  std::shared_ptr<Reader> on_b_ = WatchOn(b_);
};

TEST_F(SharedHintTest, AnotherServersChangesReachWatchersThroughHints) {
  DoOn(a_, Lock("alice", {"A1"}));
  DoOn(a_, Lock("alice", {"A2"}));

  EXPECT_THAT(on_b_->words, ElementsAre("progress 0", "change 1", "change 2"));
}

TEST_F(SharedHintTest, AnotherServersChangesReachWatchersWithinASecondWithoutHints) {
  GoOn(kChangesEveryMs);  // the first answer is no more than a mark
  b_.log.SetHints(Hints::kLost);
  DoOn(a_, Lock("alice", {"A1"}));
  ASSERT_THAT(on_b_->words, Not(Contains("change 1")));

  GoOn(kChangesEveryMs);
  EXPECT_THAT(on_b_->words, Contains("change 1"));
}

TEST_F(SharedHintTest, DoubledAndLateHintsShowNothingTwice) {
  b_.log.SetHints(Hints::kDoubled);
  DoOn(a_, Lock("alice", {"A1"}));
  b_.log.SetHints(Hints::kHeld);
  DoOn(a_, Lock("alice", {"A2"}));
  DoOn(a_, Lock("alice", {"A3"}));
  HeldOn(b_);  // asks, and so hears of both
  const int before = b_.log.confirmations();
  b_.log.ReleaseHints();
  Settle();

  EXPECT_THAT(on_b_->words, ElementsAre("progress 0", "change 1", "change 2", "change 3"));
  EXPECT_EQ(b_.log.confirmations(), before) << "it knew all that the hints told of";
}

TEST_F(SharedHintTest, TheEchoOfAnOwnChangeCostsNoConfirmation) {
  auto watch = WatchOn(a_);
  const int before = a_.log.confirmations();
  for (int i = 0; i < 10; ++i) DoOn(a_, Lock("alice", {absl::StrCat("A", i)}));
  a_.log.SetHints(Hints::kHeld);
  DoOn(a_, Lock("alice", {"B1"}));
  a_.log.ReleaseHints();
  Settle();

  EXPECT_THAT(watch->words, Contains("change 11"));
  EXPECT_EQ(a_.log.confirmations(), before);
}

TEST_F(SharedHintTest, AShowtimeThatNobodyWatchesIsNotAskedForByHints) {
  on_b_->watcher->Close();
  Settle();
  const int before = b_.log.confirmations() + b_.log.loads();
  DoOn(a_, Lock("alice", {"A1"}));
  GoOn(3'000);

  EXPECT_EQ(b_.log.confirmations() + b_.log.loads(), before);
}

TEST_F(SharedHintTest, AHintThatCameWhileTheStoreFailedIsNotForgotten) {
  DoOn(b_, Lock("bob", {"B1"}));
  GoOn(2 * kChangesEveryMs);
  b_.log.SetHints(Hints::kLost);
  DoOn(a_, Lock("alice", {"A1"}));
  clock_.AdvanceMs(kChangesEveryMs);
  b_.log.FaultNext(Fault::kNotAppended);  // of another showtime: for a moment nothing is asked
  SubmitTo(*b_.engine, Lock("bob", {"B1"}), nullptr, "another");
  b_.executor.RunAll();
  b_.engine->Tick();  // hears that the showtime has changed
  Settle();
  ASSERT_THAT(on_b_->words, Not(Contains("change 2")));

  GoOn(kWatcherSweepMs + 100);
  EXPECT_THAT(on_b_->words, Contains("change 2"));
}

TEST_F(SharedHintTest, WhatChangedInAnotherGenerationIsHeardOfThoughItsCountersWentBack) {
  DoOn(a_, Lock("alice", {"A1", "A2"}));
  for (int i = 0; i < 20; ++i) DoOn(a_, Lock("alice", {absl::StrCat("B", i)}));
  GoOn(2'000);
  // The question for what changed is answered, and before the answer comes in the store goes back.
  b_.log.SetHints(Hints::kLost);
  b_.log.HoldAnswers();
  clock_.AdvanceMs(kChangesEveryMs);
  b_.engine->Tick();
  Settle();
  ASSERT_GE(b_.log.held(), 1U);
  store_.Rewind({{showtime_, domain::Revision(1)}});
  b_.log.ReleaseAnswers();
  HeldOn(b_);  // hears of the generation
  Settle();
  DoOn(a_, Lock("carol", {"C1"}));  // under a counter that b was told of in the old generation

  GoOn(kChangesEveryMs + 100);
  EXPECT_EQ(on_b_->words.back(), "change 2");
}

// Locks that lapse while several servers could free them.
class SharedExpiryTest : public SharedStoreTest {
 protected:
  // Changes of cause EXPIRED in the store.
  int Expired() {
    int expired = 0;
    for (const log::StoredRecord& record : store_.Durable(showtime_)) {
      expired += log::DecodeChange(record.bytes)->cause == domain::Cause::kExpired ? 1 : 0;
    }
    return expired;
  }

  Server& a_ = Add();
  Server& b_ = Add();
};

TEST_F(SharedExpiryTest, OneChangeFreesALockWhoeverProposesIt) {
  auto on_a = WatchOn(a_);
  auto on_b = WatchOn(b_);
  DoOn(a_, Lock("alice", {"A1"}, "", 1'000));
  clock_.AdvanceMs(1'000);
  a_.engine->Tick();  // both, before either has an answer
  b_.engine->Tick();
  Settle();
  GoOn(3'000);

  EXPECT_EQ(Expired(), 1);
  EXPECT_EQ(Count(*on_a, "change 2"), 1);
  EXPECT_EQ(Count(*on_b, "change 2"), 1);
}

TEST_F(SharedExpiryTest, ALockOfAServerThatDiedIsFreedInASecond) {
  DoOn(a_, Lock("alice", {"A1"}, "", 1'000));
  a_.log.Pause();
  clock_.AdvanceMs(1'000);
  for (int64_t gone_ms = 0; gone_ms < 950 && Expired() == 0; gone_ms += 50) {
    clock_.AdvanceMs(50);
    b_.engine->Tick();
    Settle();
  }

  EXPECT_EQ(Expired(), 1);
}

TEST_F(SharedExpiryTest, AClaimerThatDiesCostsNoMoreThanItsLease) {
  DoOn(a_, Lock("alice", {"A1"}, "", 1'000));
  auto& c = Add();
  a_.log.Pause();
  c.log.Pause();
  clock_.AdvanceMs(1'000 + kClaimOverdueMs);
  c.engine->Tick();  // it claims, and never hears that it did
  Settle();
  ASSERT_EQ(c.log.claims(), 1);
  for (int64_t gone_ms = 0; gone_ms < kClaimLeaseMs + kClaimEveryMs; gone_ms += 50) {
    clock_.AdvanceMs(50);
    b_.engine->Tick();
    Settle();
  }

  EXPECT_EQ(Expired(), 1);
}

TEST_F(SharedExpiryTest, AClaimedLockIsFreedThoughTheServersMemoryKnewNothingOfIt) {
  b_.log.SetHints(Hints::kLost);
  DoOn(b_, Lock("bob", {"B1"}));
  DoOn(a_, Lock("alice", {"A1"}, "", 1'000));
  a_.log.Pause();
  clock_.AdvanceMs(1'000 + kClaimOverdueMs);
  b_.engine->Tick();
  Settle();

  EXPECT_EQ(Expired(), 1);
}

TEST_F(SharedExpiryTest, AShowtimeThatLeftMemoryAndCameBackStillFreesItsLocks) {
  DoOn(a_, Lock("alice", {"A1"}, "r1", 100'000));
  a_.log.HoldAnswers();
  auto replay = Ask(a_, Lock("alice", {"A1"}, "r1", 100'000));
  Settle();
  a_.log.ReleaseOne();  // confirmed: now it reads the answer from the log
  Settle();
  ASSERT_EQ(a_.log.held(), 1U);
  clock_.AdvanceMs(kIdleMs + 1'000);
  a_.engine->Tick();  // the showtime leaves; the reading keeps its actor alive
  Settle();
  auto held = AskHeld(a_);  // it comes back
  for (int i = 0; i < 2; ++i) {
    a_.log.ReleaseNewest();
    Settle();
  }
  ASSERT_EQ(held->held, 1U);
  a_.log.ReleaseAnswers();  // and the first actor goes
  Settle();
  ASSERT_TRUE(replay->has_value());

  b_.log.Pause();
  clock_.AdvanceMs(100'000 - kIdleMs - 1'000);
  a_.engine->Tick();
  Settle();
  EXPECT_EQ(Expired(), 1) << "by its own memory, before anybody could claim it";
}

}  // namespace
}  // namespace seatlock::engine
