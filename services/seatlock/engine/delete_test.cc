// A showtime is deleted: what waits, what comes meanwhile, who watches, and a store that fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Fault = testing::FaultyLog::Fault;

class DeleteTest : public EngineTest {
 protected:
  static domain::Command Book(const std::string& order, const std::string& seat) {
    domain::BookSeats body;
    body.session = domain::SessionId("alice");
    body.order = domain::OrderId(order);
    body.seats.emplace_back(seat);
    return {{}, std::move(body)};
  }
  DeletionTold DeleteNow() {
    DeletionTold told = Delete();
    Settle();
    EXPECT_TRUE(IsDone(told));
    return told;
  }
};

TEST_F(DeleteTest, ASoldShowtimeIsGoneWithItsOrdersAndRequestsAndBeginsAgain) {
  Do(Book("o1", "A1"));
  Do(Lock("alice", {"B1"}, "r1"));
  DeletionTold told = Delete(nullptr, "ops");
  Settle();
  EXPECT_TRUE(IsDone(told));
  EXPECT_THAT(observer_.deleted_by, ElementsAre("ops"));
  EXPECT_EQ(Read()->held, 0u);
  EXPECT_EQ(engine_->live_showtimes(), 0u) << "nothing of it stays in memory";
  EXPECT_EQ(RevisionOf(Do(Book("o1", "A1"))), 1u) << "the order never was";
  EXPECT_EQ(RevisionOf(Do(Lock("alice", {"B2"}, "r1"))), 2u) << "nor the request";
  EXPECT_EQ(epochs_, 2);
}

TEST_F(DeleteTest, WhatNeverWasAndWhatIsGoneCanBeDeleted) {
  DeleteNow();
  DeleteNow();
  EXPECT_EQ(engine_->live_showtimes(), 0u);
}

TEST_F(DeleteTest, WatchersGetAnEmptySnapshotInPlaceOfAllAndThenTheNewHistory) {
  encoder_.name_seats = true;
  Do(Lock("alice", {"A1"}));
  const auto reader = Watch();
  DeleteNow();
  Do(Lock("bob", {"A2"}));
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1 A1", "replacing 0", "change 1"));
  EXPECT_FALSE(reader->end);
}

// The negative control of the replacing snapshot: who was shown nothing needs none.
TEST_F(DeleteTest, AWatcherThatWasShownNothingGetsNoSnapshot) {
  const auto reader = Watch();
  DeleteNow();
  Do(Lock("bob", {"A2"}));
  EXPECT_THAT(reader->words, ElementsAre("progress 0", "change 1"));
}

TEST_F(DeleteTest, AWatcherThatComesBackWithAPositionOfTheOldHistoryIsToldThatItIsVoid) {
  Do(Lock("alice", {"A1"}));
  const domain::Epoch old = [&] {
    const auto reader = Watch();
    return encoder_.last_epoch;
  }();
  DeleteNow();
  EXPECT_THAT(Watch(Position{old, domain::Revision(1)})->words, ElementsAre("replacing 0"));
  Do(Lock("bob", {"A2"}));
  EXPECT_THAT(Watch(Position{old, domain::Revision(1)})->words, ElementsAre("replacing 1"));
}

TEST_F(DeleteTest, WaitsForTheAppendThatIsUnderWay) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  const Told lock = Submit(Lock("bob", {"A2"}));
  const DeletionTold told = Delete();
  const Told late = Submit(Lock("carol", {"A3"}));
  Settle();
  EXPECT_EQ(log_.deletes(), 0);
  log_.Release();
  Settle();
  EXPECT_EQ(RevisionOf(lock->value()), 2u);
  EXPECT_TRUE(IsDone(told));
  EXPECT_EQ(RevisionOf(late->value()), 1u) << "decided on the new history";
}

TEST_F(DeleteTest, WhatComesMeanwhileWaitsAndIsDecidedOnANewHistory) {
  Do(Book("o1", "A1"));
  log_.HoldDeletes();
  const DeletionTold told = Delete();
  const Told book = Submit(Book("o2", "A1"));
  Settle();
  EXPECT_FALSE(told->has_value());
  EXPECT_FALSE(book->has_value());
  log_.ReleaseDeletes();
  Settle();
  EXPECT_TRUE(IsDone(told));
  EXPECT_EQ(RevisionOf(book->value()), 1u);
}

// A caller may go at any moment: the actor goes on as if it had stayed.
TEST_F(DeleteTest, ACallerThatGoesBeforeTheStoreWasAskedDeletesNothing) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("bob", {"A2"}));
  bool gone = false;
  const DeletionTold told = Delete(&gone);
  gone = true;
  log_.Release();
  Settle();
  EXPECT_TRUE(IsFailed(told, Failure::Kind::kCancelled));
  EXPECT_EQ(log_.deletes(), 0);
  EXPECT_EQ(RevisionOf(Do(Lock("carol", {"A3"}))), 3u);
}

TEST_F(DeleteTest, ACallerThatGoesMidwayLeavesTheShowtimeDeletedAndUsable) {
  Do(Lock("alice", {"A1"}));
  log_.HoldDeletes();
  bool gone = false;
  const DeletionTold told = Delete(&gone);
  gone = true;
  log_.ReleaseDeletes();
  Settle();
  EXPECT_TRUE(told->has_value());
  EXPECT_EQ(Read()->held, 0u);
  EXPECT_EQ(RevisionOf(Do(Lock("carol", {"A3"}))), 1u);
  EXPECT_EQ(engine_->pending(), 0u);
}

TEST_F(DeleteTest, IfTheStoreFailsMidwayTheOutcomeIsUnknownAndTheStoreTells) {
  Do(Lock("alice", {"A1"}));
  const auto reader = Watch();
  log_.HoldDeletes();
  const DeletionTold told = Delete();
  const Told lock = Submit(Lock("bob", {"A2"}));
  log_.ReleaseDeletes(/*lost=*/true);
  Settle();
  EXPECT_TRUE(IsFailed(told, Failure::Kind::kOutcomeUnknown));
  EXPECT_TRUE(IsFailed(lock->value(), Failure::Kind::kStoreUnavailable));
  log_.SetDown(true);
  log_.SetDown(false);  // it is back
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A2"}))), 1u) << "it was deleted";
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "replacing 1"));
}

TEST_F(DeleteTest, AStoreThatIsDownDeletesNothingAndIsNotAskedByEverybody) {
  Do(Lock("alice", {"A1"}));
  log_.SetDown(true);
  const DeletionTold first = Delete();
  Settle();
  EXPECT_TRUE(IsFailed(first, Failure::Kind::kOutcomeUnknown));
  const DeletionTold second = Delete();
  Settle();
  EXPECT_TRUE(IsFailed(second, Failure::Kind::kStoreUnavailable)) << "not tried";
  EXPECT_EQ(log_.deletes(), 1);
  log_.SetDown(false);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A2"}))), 2u);
}

TEST_F(DeleteTest, ADamagedShowtimeCanBeDeletedAndUsedAgain) {
  Do(Lock("alice", {"A1"}));
  Restart();
  log_.Damage(showtime_);
  EXPECT_TRUE(IsFailed(Do(Lock("bob", {"A2"})), Failure::Kind::kDamaged));
  const DeletionTold told = Delete();
  Settle();
  EXPECT_TRUE(IsDone(told));
  log_.Repair(showtime_);
  EXPECT_EQ(RevisionOf(Do(Lock("bob", {"A2"}))), 1u);
}

// Somebody's load finds the damage while the deletion waits behind it.
TEST_F(DeleteTest, ADeletionThatWaitsForALoadSurvivesTheDamageThatItFinds) {
  Do(Lock("alice", {"A1"}));
  Restart();
  log_.Damage(showtime_);
  const Told lock = Submit(Lock("bob", {"A2"}));  // loads; its answer is not handled yet
  const DeletionTold told = Delete();
  Settle();
  EXPECT_TRUE(IsFailed(lock->value(), Failure::Kind::kDamaged));
  EXPECT_TRUE(IsDone(told));
}

TEST_F(DeleteTest, AnUnknownAppendIsSettledFirst) {
  Do(Lock("alice", {"A1"}));
  log_.SetFault(Fault::kUnknownLanded);
  const Told lock = Submit(Lock("bob", {"A2"}));
  const DeletionTold told = Delete();
  log_.SetFault(Fault::kNone);
  Settle();
  EXPECT_EQ(RevisionOf(lock->value()), 2u);
  EXPECT_TRUE(IsFailed(told, Failure::Kind::kStoreUnavailable)) << "the store failed just now";
  EXPECT_EQ(log_.deletes(), 0);
  clock_.AdvanceMs(kRetryMs);
  DeleteNow();
  EXPECT_EQ(Read()->held, 0u);
}

TEST_F(DeleteTest, ALockThatWasDeletedNeverExpires) {
  Do(Lock("alice", {"A1"}, "", 1000));
  const auto reader = Watch();
  DeleteNow();
  clock_.AdvanceMs(5000);
  Tick();
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "replacing 0"));
}

TEST_F(DeleteTest, AServerThatGoesAwayTakesNoDeletion) {
  engine_->Drain();
  EXPECT_TRUE(IsFailed(Delete(), Failure::Kind::kDraining));
}

}  // namespace
}  // namespace seatlock::engine
