#include "services/seatlock/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Fault = testing::FaultyLog::Fault;

TEST_F(EngineTest, AnswersAfterTheAppendIsDurableAndNotBefore) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A1"}));
  Settle();
  EXPECT_FALSE(told->has_value());
  log_.Release();
  Settle();
  ASSERT_TRUE(told->has_value());
  EXPECT_EQ(RevisionOf(**told), 2u);
}

TEST_F(EngineTest, DecidesWhatCameMeanwhileTogetherAsTheNextAppend) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  std::vector<Told> told;
  for (int i = 0; i < 10; ++i) told.push_back(Submit(Lock("alice", {absl::StrCat("A", i)})));
  Settle();
  EXPECT_THAT(log_.held(), ElementsAre(1));
  log_.ReleaseOne();
  Settle();
  EXPECT_THAT(log_.held(), ElementsAre(9));
  log_.Release();
  Settle();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(RevisionOf(**told[i]), 2u + i);
}

TEST_F(EngineTest, ARefusalThatTheCommittedStateDecidesTouchesNoStore) {
  Do(Lock("alice", {"A1"}));
  const int appends = log_.appends();
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
  EXPECT_EQ(log_.appends(), appends);
}

TEST_F(EngineTest, ARefusalThatRestsOnABatchMateWaitsForItsCommit) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Submit(Lock("warm", {"Z2"}));
  Told winner = Submit(Lock("alice", {"A1"}));
  Told loser = Submit(Lock("bob", {"A1"}));
  Settle();
  log_.ReleaseOne();
  Settle();
  EXPECT_FALSE(loser->has_value()) << "told of a lock that is not durable yet";
  log_.ReleaseOne();
  Settle();
  EXPECT_EQ(RevisionOf(**winner), 3u);
  EXPECT_TRUE(IsRefused(**loser, domain::Reason::kSeatTaken));
}

TEST_F(EngineTest, ARefusalThatRestedOnALostBatchMateIsNotGivenOut) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Submit(Lock("warm", {"Z2"}));
  Told winner = Submit(Lock("alice", {"A1"}));
  Told loser = Submit(Lock("bob", {"A1"}));
  log_.ReleaseOne();
  Settle();
  log_.ReleaseOne(Fault::kNotAppended);
  Settle();
  EXPECT_TRUE(IsFailed(**winner, Failure::Kind::kStoreUnavailable));
  EXPECT_TRUE(IsFailed(**loser, Failure::Kind::kStoreUnavailable));
  log_.Release();
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A1"}))), 3u);
}

TEST_F(EngineTest, WhatTheStoreDidNotTakeDidNotHappen) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A2"}));
  log_.ReleaseOne(Fault::kNotAppended);
  Settle();
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kStoreUnavailable));
  log_.Release();
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A2"}))), 2u);
}

TEST_F(EngineTest, AnUnknownOutcomeThatHadLandedIsAcknowledged) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A2"}));
  log_.ReleaseOne(Fault::kUnknownLanded);
  Settle();
  EXPECT_EQ(log_.recoveries(), 1);
  ASSERT_TRUE(told->has_value());
  EXPECT_EQ(RevisionOf(**told), 2u);
  log_.Release();
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"A2"})), domain::Reason::kSeatTaken));
}

TEST_F(EngineTest, AnUnknownOutcomeThatHadNotLandedDidNothing) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A2"}));
  log_.ReleaseOne(Fault::kUnknownLost);
  Settle();
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kStoreUnavailable));
  log_.Release();
  clock_.AdvanceMs(kUnknownRetryMs);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A2"}))), 2u);
}

TEST_F(EngineTest, AnOutcomeThatCannotBeSettledIsSaidToBeUnknownAndARetrySettlesIt) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A2"}, "request"));
  log_.SetDown(true);
  log_.ReleaseOne(Fault::kUnknownLanded);
  Settle();
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kOutcomeUnknown));
  EXPECT_TRUE(IsFailed(Do(Lock("bob", {"A3"})), Failure::Kind::kStoreUnavailable));
  log_.SetDown(false);
  log_.Release();
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(RevisionOf(Do(Lock("alice", {"A2"}, "request"))), 2u);
}

TEST_F(EngineTest, TwoServersOnOneLogNeverGiveASeatTwice) {
  Engine other(OptionsOver(memory_));
  for (int seat = 0; seat < 50; ++seat) {
    Told one = Submit(Lock("alice", {absl::StrCat("A", seat)}));
    Told two = SubmitTo(other, Lock("bob", {absl::StrCat("A", seat)}));
    Settle();
    const bool first = RevisionOf(**one) > 0;
    const bool second = RevisionOf(**two) > 0;
    EXPECT_NE(first, second) << "seat " << seat;
    EXPECT_TRUE(IsRefused(first ? **two : **one, domain::Reason::kSeatTaken));
  }
}

TEST_F(EngineTest, ACallerThatHasGoneChangesNothing) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Submit(Lock("warm", {"Z2"}));
  bool gone = false;
  Told told = Submit(Lock("alice", {"A1"}), &gone);
  gone = true;
  log_.Release();
  Settle();
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kCancelled));
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A1"}))), 3u);
}

TEST_F(EngineTest, ARepeatedRequestGetsItsFirstAnswerAlsoAfterARestart) {
  const Result first = Do(Lock("alice", {"A1"}, "request"));
  Do(Unlock("alice", "A1"));
  const Result again = Do(Lock("alice", {"A1"}, "request"));
  Restart();
  const Result later = Do(Lock("alice", {"A1"}, "request"));
  const auto& answer = std::get<domain::Answer>(first);
  EXPECT_EQ(std::get<domain::Answer>(again).locks, answer.locks);
  EXPECT_EQ(std::get<domain::Answer>(later).locks, answer.locks);
  EXPECT_EQ(RevisionOf(later), 1u);
}

TEST_F(EngineTest, ARequestRepeatedWhileItIsUnderWayGetsTheSameAnswer) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Submit(Lock("warm", {"Z2"}));
  Told first = Submit(Lock("alice", {"A1"}, "request"));
  Told again = Submit(Lock("alice", {"A1"}, "request"));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**first), 3u);
  EXPECT_EQ(RevisionOf(**again), 3u);
}

TEST_F(EngineTest, ARepeatedRequestWhoseAnswerCannotBeReadIsNotCalledUndone) {
  Do(Lock("alice", {"A1"}, "request"));
  log_.SetDown(true);
  EXPECT_TRUE(IsFailed(Do(Lock("alice", {"A1"}, "request")), Failure::Kind::kOutcomeUnknown));
  log_.SetDown(false);
  EXPECT_EQ(RevisionOf(Do(Lock("alice", {"A1"}, "request"))), 1u);
}

TEST_F(EngineTest, MoreLapsedLocksThanOneAppendTakesAreFreedInSeveralBeforeTheTakeover) {
  const std::string name(120, 's');
  for (int session = 0; session < 100; ++session) {
    std::vector<std::string> seats;
    for (int seat = 0; seat < 100; ++seat) seats.push_back(absl::StrCat("S", session, "-", seat));
    Do(Lock(absl::StrCat(name, session), seats, "", 1000));
  }
  clock_.AdvanceMs(1000);
  const int before = log_.appends();
  const Result result = Do(Lock("bob", {"S0-0"}));
  EXPECT_EQ(RevisionOf(result), 100u + 10u + 1u);
  EXPECT_EQ(log_.appends() - before, 2) << "the lock goes with the rest of what has lapsed";
}

TEST_F(EngineTest, FreesALapsedLockWithoutAnybodyAsking) {
  Do(Lock("alice", {"A1"}, "", 1000));
  auto reader = Watch();
  clock_.AdvanceMs(999);
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1"));
  clock_.AdvanceMs(1);
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2"));
}

TEST_F(EngineTest, FreesALapsedLockOfAShowtimeThatIsNotInMemory) {
  Do(Lock("alice", {"A1"}, "", 1000));
  Restart();
  EXPECT_EQ(engine_->live_showtimes(), 0u);
  clock_.AdvanceMs(1000);
  Tick();
  EXPECT_THAT(Watch()->words, ElementsAre("snapshot 2"));
}

TEST_F(EngineTest, ALapsedLockExpiresAsAChangeOfItsOwnBeforeTheTakeover) {
  Do(Lock("alice", {"A1"}, "", 1000));
  auto reader = Watch();
  clock_.AdvanceMs(1000);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A1"}))), 3u);
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2", "change 3"));
}

TEST_F(EngineTest, TimeNeverRunsBackwardsInAShowtime) {
  Do(Lock("alice", {"A1"}, "", 60'000));
  const int64_t start = clock_.NowMs();
  clock_.SetMs(start - 3'600'000);
  const Result result = Do(Lock("bob", {"A2"}, "", 60'000));
  EXPECT_EQ(std::get<domain::Answer>(result).locks[0].expire_ms, start + 60'000);
}

TEST_F(EngineTest, AReadSeesWhatWasAcknowledgedAndNoLapsedLock) {
  Do(Lock("alice", {"A1"}, "", 1000));
  clock_.AdvanceMs(1000);
  size_t held = 99;
  Query query;
  query.read = [&](const View& view) -> base::Task {
    held = view.state.HeldCount(domain::SessionId("alice"));
    return [] {};
  };
  query.fail = [](Failure) {};
  engine_->Read(showtime_, std::move(query));
  Settle();
  EXPECT_EQ(held, 0u);
}

TEST_F(EngineTest, AnIdleShowtimeLeavesMemoryAndComesBackAsItWas) {
  Do(Lock("alice", {"A1"}, "", 7'200'000));
  EXPECT_EQ(engine_->live_showtimes(), 1u);
  clock_.AdvanceMs(kIdleMs);
  Tick();
  EXPECT_EQ(engine_->live_showtimes(), 0u);
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
}

TEST_F(EngineTest, AWatchedShowtimeStaysInMemory) {
  auto reader = Watch();
  clock_.AdvanceMs(kIdleMs);
  Tick();
  EXPECT_EQ(engine_->live_showtimes(), 1u);
}

TEST_F(EngineTest, KeepsASnapshotOnceTheTailIsLongAndGoesOnFromIt) {
  for (uint64_t i = 0; i <= kSnapshotTailMin; ++i) {
    Do(i % 2 == 0 ? Lock("alice", {"A1"}) : Unlock("alice", "A1"));
  }
  Do(Lock("alice", {"A2"}));
  Restart();
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"A2"})), domain::Reason::kSeatTaken));
  bool loaded = false;
  memory_.Load(showtime_, [&](absl::StatusOr<log::LoadResult> result) {
    ASSERT_TRUE(result.ok());
    ASSERT_TRUE(result->snapshot.has_value());
    EXPECT_EQ(result->snapshot->head.revision.value(), kSnapshotTailMin);
    loaded = true;
  });
  EXPECT_TRUE(loaded);
}

TEST_F(EngineTest, TellsACallerThatTheQueueIsFull) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Submit(Lock("warm", {"Z2"}));
  std::vector<Told> told;
  for (size_t i = 0; i <= kPendingPerShowtimeMax; ++i) told.push_back(Submit(Lock("a", {"A1"})));
  ASSERT_TRUE(told.back()->has_value());
  EXPECT_TRUE(IsFailed(**told.back(), Failure::Kind::kOverloaded));
  EXPECT_FALSE(told.front()->has_value());
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**told.front()), 3u);
}

TEST_F(EngineTest, DrainingRefusesWhatIsNewAndFinishesWhatIsUnderWay) {
  Do(Lock("warm", {"Z1"}));
  auto reader = Watch();
  log_.Hold();
  Told told = Submit(Lock("alice", {"A1"}));
  engine_->Drain();
  EXPECT_TRUE(IsFailed(Do(Lock("bob", {"A2"})), Failure::Kind::kDraining));
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(**told), 2u);
  ASSERT_TRUE(reader->end.has_value());
  EXPECT_EQ(reader->end->kind, Failure::Kind::kDraining);
}

TEST_F(EngineTest, ReadingAndWatchingCreateNothing) {
  auto reader = Watch();
  EXPECT_THAT(reader->words, ElementsAre("progress 0"));
  EXPECT_EQ(log_.appends(), 0);
  EXPECT_EQ(epochs_, 0);
}

}  // namespace
}  // namespace seatlock::engine
