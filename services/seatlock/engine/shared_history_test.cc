// Histories that become others: generations that change, stores that go back, showtimes that are
// deleted, and pages of what turns out not to be durable.
#include <gmock/gmock.h>

#include "services/seatlock/engine/shared_fixture.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SharedHistoryTest : public SharedStoreTest {
 protected:
  // The changes 1 to `count`, by server a.
  void Fill(int count, const std::string& session = "alice") {
    for (int i = 0; i < count; ++i) {
      DoOn(a_, Lock(session, {absl::StrCat(session, i)}));
    }
  }

  Server& a_ = Add();
  Server& b_ = Add();
};

TEST_F(SharedHistoryTest, AnotherGenerationReplacesWhatEveryWatcherHasThoughTheHeadIsEqual) {
  Fill(2);
  auto on_a = WatchOn(a_);
  auto on_b = WatchOn(b_);
  const Position old = At(*on_a);
  store_.ChangeGeneration();
  GoOn(2 * kChangesEveryMs);

  EXPECT_THAT(on_a->words, ElementsAre("snapshot 2", "replacing 2"));
  EXPECT_THAT(on_b->words, ElementsAre("snapshot 2", "replacing 2"));
  EXPECT_NE(At(*on_a).epoch, old.epoch);
  EXPECT_EQ(At(*on_a), At(*on_b));
}

TEST_F(SharedHistoryTest, AnOldPositionIsVoidOnEveryServerAlsoOneThatNeverHeardOfIt) {
  Fill(2);
  const Position old = At(*WatchOn(a_));
  store_.ChangeGeneration();
  Server& c = Add();

  EXPECT_THAT(WatchOn(a_, old)->words, ElementsAre("replacing 2"));
  EXPECT_THAT(WatchOn(b_, old)->words, ElementsAre("replacing 2"));
  EXPECT_THAT(WatchOn(c, old)->words, ElementsAre("replacing 2"));
}

TEST_F(SharedHistoryTest, APositionOfTheNewGenerationIsGoodOnEveryServer) {
  Fill(2);
  auto watch = WatchOn(a_);
  store_.ChangeGeneration();
  GoOn(2 * kChangesEveryMs);

  EXPECT_THAT(WatchOn(b_, At(*watch))->words, ElementsAre("progress 2"));
}

TEST_F(SharedHistoryTest, ARewrittenHistoryIsReadAnewSaidAndReplaces) {
  Fill(3);
  auto watch = WatchOn(b_);
  const int errors = b_.observer.store_errors;
  const int loads = b_.log.loads();
  store_.Rewind({{showtime_, domain::Revision(1)}});
  DoOn(a_, Lock("carol", {"C1"}));
  GoOn(2 * kChangesEveryMs);

  EXPECT_THAT(watch->words, ElementsAre("snapshot 3", "replacing 2"));
  EXPECT_EQ(b_.observer.store_errors, errors + 1);
  EXPECT_GT(b_.log.loads(), loads);
  EXPECT_EQ(HeldOn(b_), 1U);
}

TEST_F(SharedHistoryTest, ADeletionThroughOneServerReachesTheWatchersAndCallersOfAnother) {
  Fill(3);
  auto on_a = WatchOn(a_);
  auto on_b = WatchOn(b_);
  const Position old = At(*on_b);
  const DeletionTold told = DeleteFrom(*a_.engine);
  GoOn(2 * kChangesEveryMs);

  EXPECT_TRUE(IsDone(told));
  EXPECT_THAT(on_a->words, ElementsAre("snapshot 3", "replacing 0"));
  EXPECT_THAT(on_b->words, ElementsAre("snapshot 3", "replacing 0"));
  EXPECT_EQ(HeldOn(b_), 0U);
  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("bob", {"A1"}))), 1U);
  EXPECT_THAT(WatchOn(a_, old)->words, ElementsAre("replacing 1"));
}

TEST_F(SharedHistoryTest, AHistoryThatWentBackToNothingReplacesByNothing) {
  Fill(3);
  auto watch = WatchOn(b_);
  store_.Rewind({{showtime_, domain::Revision(0)}});
  GoOn(2 * kChangesEveryMs);
  ASSERT_THAT(watch->words, ElementsAre("snapshot 3", "replacing 0"));

  DoOn(a_, Lock("carol", {"C1"}));
  EXPECT_EQ(watch->words.back(), "change 1");
}

TEST_F(SharedHistoryTest, AShowtimeThatAnotherServerDeletedIsEmpty) {
  Fill(3);
  auto watch = WatchOn(b_);
  const Position old = At(*watch);
  store_.Delete(showtime_);
  Settle();
  ASSERT_THAT(watch->words, ElementsAre("snapshot 3", "replacing 0"));
  EXPECT_EQ(HeldOn(b_), 0U);

  Fill(1);
  EXPECT_EQ(watch->words.back(), "change 1");
  EXPECT_NE(At(*watch).epoch, old.epoch);
  EXPECT_THAT(WatchOn(b_, old)->words, ElementsAre("replacing 1"));
}

// Watchers that resume at revision 1, and whose page was read before the store went back.
class SharedPagesTest : public SharedHistoryTest {
 protected:
  void SetUp() override {
    auto watch = WatchOn(a_);
    Fill(1);
    first_ = At(*watch);
    ASSERT_EQ(first_.revision.value(), 1U);
    watch->watcher->Close();
    Settle();
  }

  Position first_;
};

TEST_F(SharedPagesTest, WhatIsNotDurableYetIsNotShown) {
  Fill(2, "bob");
  HeldOn(b_);
  b_.log.HoldAnswers();
  auto watch = WatchOn(b_, first_);
  Settle();
  b_.log.ReleaseOne();  // confirmed: revision 3
  store_.HoldDurability();
  auto told = Ask(a_, Lock("carol", {"C1"}));
  Settle();  // the page is read, and has revision 4
  b_.log.ReleaseAnswers();
  Settle();
  EXPECT_TRUE(watch->words.empty());

  a_.log.SetDown(true);  // it must not make its change again
  store_.LoseUndurable();
  GoOn(2'000);
  EXPECT_TRUE(watch->words.empty());
  EXPECT_THAT(WatchOn(b_, first_)->words, ElementsAre("replacing 3"));
}

TEST_F(SharedPagesTest, AStateThatWasReadBeforeItWasDurableIsNotServed) {
  store_.HoldDurability();
  auto told = Ask(a_, Lock("alice", {"C1"}));
  Settle();
  auto held = AskHeld(b_);  // b reads a state with two seats
  Settle();
  ASSERT_EQ(b_.log.loads(), 1);
  EXPECT_FALSE(held->held.has_value());
  store_.LoseUndurable();
  a_.log.SetDown(true);  // it must not make its change again
  Settle();
  GoOn(2'000);
  auto again = AskHeld(b_);
  Settle();

  EXPECT_EQ(again->held, 1U);
}

TEST_F(SharedPagesTest, APageOfAHistoryThatWasRewrittenIsNotShown) {
  encoder_.name_sessions = true;
  Fill(2, "bob");
  HeldOn(b_);
  b_.log.HoldAnswers();
  auto watch = WatchOn(b_, first_);
  b_.log.ReleaseOne();
  Settle();  // the page was read: bob's
  store_.Rewind({{showtime_, domain::Revision(1)}});
  Fill(2, "carol");
  b_.log.ReleaseAnswers();
  GoOn(1'000);

  EXPECT_THAT(watch->words, ElementsAre(HasSubstr("replacing 3")));
}

// As above, and the watcher has seen nothing yet, so it knows no epoch.
TEST_F(SharedHistoryTest, APageOfARewrittenHistoryIsNotShownToOneThatHasSeenNothing) {
  encoder_.name_sessions = true;
  auto watch = WatchOn(b_);
  ASSERT_THAT(watch->words, ElementsAre("progress 0"));
  b_.log.SetHints(Hints::kLost);
  b_.log.FaultNext(Fault::kNotAppended);
  DoOn(b_, Lock("bob", {"B1"}));  // b loses its state
  Fill(1);
  Fill(2, "bob");
  clock_.AdvanceMs(kRetryMs);
  b_.log.HoldAnswers();
  auto held = AskHeld(b_);
  Settle();
  b_.log.ReleaseOne();  // the state: the watcher is behind it
  Settle();
  b_.log.ReleaseOne();  // confirmed
  Settle();
  b_.log.ReleaseOne();  // confirmed after the watcher asked
  Settle();
  store_.Rewind({{showtime_, domain::Revision(1)}});
  Fill(3, "carol");
  b_.log.ReleaseAnswers();
  Settle();
  b_.log.SetHints(Hints::kPrompt);
  GoOn(2'000);

  EXPECT_THAT(watch->words, Not(Contains(HasSubstr("bob"))));
  EXPECT_EQ(At(*watch).revision, store_.head(showtime_).revision);
}

TEST_F(SharedPagesTest, APositionOfAnotherEpochThatComesBetweenPageAndDeliveryReplaces) {
  Fill(2, "bob");
  HeldOn(b_);
  b_.log.HoldAnswers();
  auto watch = WatchOn(b_, first_);
  b_.log.ReleaseOne();
  Settle();
  store_.ChangeGeneration();  // the records are what they were
  b_.log.ReleaseAnswers();
  GoOn(1'000);

  EXPECT_THAT(watch->words, ElementsAre("replacing 3"));
}

// A showtime that is read in two pages, and rewritten between them so that the second page fits the
// state after the first.
TEST_F(SharedHistoryTest, AHistoryThatIsRewrittenBetweenTwoPagesOfALoadIsReadAnew) {
  const auto do_on_a = [this](domain::Command command) {
    Ask(a_, std::move(command));
    a_.executor.RunAll();  // b stands still
  };
  const auto go_on = [&](const std::string& session, uint64_t upto) {
    while (store_.head(showtime_).revision.value() + 1 < upto) {
      do_on_a(Lock(session, {"X"}));
      do_on_a(Unlock(session, "X"));
    }
  };
  go_on("bob", 950);
  const domain::Revision stays = store_.head(showtime_).revision;
  do_on_a(Lock("alice", {"A1"}));
  do_on_a(Lock("alice", {"A2"}));
  go_on("bob", 1'200);
  store_.ChangeGeneration();  // and the snapshots are gone
  b_.log.HoldAnswers();
  auto held = AskHeld(b_);
  b_.log.ReleaseOne();  // the first page, with alice's locks
  store_.Rewind({{showtime_, stays}});
  do_on_a(Lock("dora", {"D1"}));
  do_on_a(Lock("dora", {"D2"}));
  go_on("carol", 1'200);
  b_.log.ReleaseAnswers();
  GoOn(100);

  EXPECT_EQ(held->held, 0U) << (held->failure ? held->failure->message : "");
}

}  // namespace
}  // namespace seatlock::engine
