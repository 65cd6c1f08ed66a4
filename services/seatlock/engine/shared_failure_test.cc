// What becomes of changes on a store that other servers write too: conflicts, outcomes that are
// unknown, a store without room, and servers that stand still at the worst moment.
#include <gmock/gmock.h>

#include "services/seatlock/engine/shared_fixture.h"
#include "services/seatlock/log/codec/record_codec.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;

class SharedFailureTest : public SharedStoreTest {
 protected:
  // The change at `revision` in the store.
  domain::Change Stored(uint64_t revision) {
    return *log::DecodeChange(store_.Durable(showtime_).at(revision - 1).bytes);
  }
  uint64_t Head() { return store_.head(showtime_).revision.value(); }
  // As long as it may take to settle an outcome, and then some.
  void GiveTime() { GoOn(kResendMs + 200); }

  Server& a_ = Add();
  Server& b_ = Add();
};

TEST_F(SharedFailureTest, WhoWasSecondIsDecidedAgain) {
  HeldOn(a_);
  HeldOn(b_);
  a_.log.HoldAnswers();
  b_.log.HoldAnswers();
  auto first = Ask(a_, Lock("alice", {"A1"}));
  auto second = Ask(b_, Lock("bob", {"A1"}));
  auto other = Ask(b_, Lock("bob", {"A2"}));
  a_.log.ReleaseAnswers();
  b_.log.ReleaseAnswers();
  Settle();

  EXPECT_EQ(RevisionOf(**first), 1U);
  EXPECT_TRUE(IsRefused(**second, domain::Reason::kSeatTaken));
  EXPECT_EQ(RevisionOf(**other), 2U);
}

TEST_F(SharedFailureTest, ServersThatChangeOneShowtimeAtOnceAllGetThrough) {
  std::vector<Told> told;
  for (int i = 0; i < 50; ++i) {
    told.push_back(Ask(a_, Lock(absl::StrCat("a", i), {absl::StrCat("A", i)})));
    told.push_back(Ask(b_, Lock(absl::StrCat("b", i), {absl::StrCat("B", i)})));
  }
  Settle();
  for (const Told& each : told) ASSERT_GT(RevisionOf(each->value_or(Failure{})), 0U);
  EXPECT_EQ(Head(), 100U);
}

// The four ends of an append whose answer was lost.

TEST_F(SharedFailureTest, AnUnknownAppendThatHadLandedIsAcknowledgedAtItsRevision) {
  auto watch = WatchOn(b_);
  b_.log.FaultNext(Fault::kUnknownLanded);
  auto told = Ask(b_, Lock("bob", {"A1"}));
  GiveTime();

  EXPECT_EQ(RevisionOf(**told), 1U);
  EXPECT_EQ(Head(), 1U);
  EXPECT_EQ(Count(*watch, "change 1"), 1);
}

TEST_F(SharedFailureTest, AnUnknownAppendThatHadNotLandedIsMadeOnce) {
  auto watch = WatchOn(b_);
  b_.log.FaultNext(Fault::kUnknownLost);
  auto told = Ask(b_, Lock("bob", {"A1"}));
  GiveTime();

  EXPECT_EQ(RevisionOf(**told), 1U);
  EXPECT_EQ(Head(), 1U);
  EXPECT_EQ(Count(*watch, "change 1"), 1);
}

TEST_F(SharedFailureTest, AnUnknownAppendThatHadLandedAndWasFollowedIsAcknowledgedAtItsRevision) {
  auto watch = WatchOn(b_);
  b_.log.FaultNext(Fault::kUnknownLanded);
  auto told = Ask(b_, Lock("bob", {"A1"}));
  Settle();
  DoOn(a_, Lock("alice", {"A2"}));
  GiveTime();

  EXPECT_EQ(RevisionOf(**told), 1U);
  EXPECT_THAT(watch->words, ElementsAre("progress 0", "change 1", "change 2"));
}

TEST_F(SharedFailureTest, AnUnknownAppendThatOthersWereBeforeIsDecidedAgain) {
  auto watch = WatchOn(b_);
  b_.log.FaultNext(Fault::kUnknownLost);
  auto told = Ask(b_, Lock("bob", {"A1"}));
  Settle();
  DoOn(a_, Lock("alice", {"A1"}));
  GiveTime();

  EXPECT_TRUE(IsRefused(**told, domain::Reason::kSeatTaken));
  EXPECT_EQ(Head(), 1U);
  EXPECT_EQ(Count(*watch, "change 1"), 1);
}

// Two servers free the same locks in the same millisecond: the same bytes, the same chain.
TEST_F(SharedFailureTest, TheSameExpiryByAnotherServerIsNotTakenForTheWholeAppend) {
  HeldOn(b_);
  DoOn(a_, Lock("alice", {"A1"}, "", 1'000));
  HeldOn(b_);
  clock_.AdvanceMs(1'000);
  b_.log.FaultNext(Fault::kUnknownLost);
  auto told = Ask(b_, Lock("bob", {"A2"}));  // EXPIRED and LOCK, and both are lost
  Settle();
  a_.engine->Tick();  // EXPIRED alone
  Settle();
  ASSERT_EQ(Head(), 2U);
  DoOn(a_, Lock("carol", {"A2"}));
  GiveTime();

  EXPECT_TRUE(IsRefused(**told, domain::Reason::kSeatTaken)) << "two would have the seat";
  EXPECT_EQ(Stored(3).seats[0].session.value(), "carol");
}

TEST_F(SharedFailureTest, WhatLandsAfterItWasToldToBeUnknownIsSeenAndARetrySettlesIt) {
  auto on_a = WatchOn(a_);
  auto on_b = WatchOn(b_);
  b_.log.SetFault(Fault::kUnknownLate);
  auto told = Ask(b_, Lock("bob", {"A1"}, "r1"));
  GoOn(kSettleMs + 500);
  ASSERT_TRUE(IsFailed(**told, Failure::Kind::kOutcomeUnknown));
  b_.log.SetFault(Fault::kNone);
  GoOn(kRetryMs + 200);
  ASSERT_EQ(HeldOn(b_), 0U);

  EXPECT_EQ(store_.LandLate(), 1);  // the others of the same bytes no longer fit
  GoOn(1'200);
  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("bob", {"A1"}, "r1"))), 1U);
  EXPECT_EQ(Head(), 1U);
  EXPECT_EQ(Count(*on_a, "change 1"), 1);
  EXPECT_EQ(Count(*on_b, "change 1"), 1);
}

TEST_F(SharedFailureTest, AnUnknownAppendWhoseHistoryWasRewrittenIsSaidToBeUnknown) {
  DoOn(b_, Lock("bob", {"A1"}));
  b_.log.FaultNext(Fault::kUnknownLost);
  auto told = Ask(b_, Lock("bob", {"A2"}, "r2"));
  Settle();
  store_.Rewind({{showtime_, domain::Revision(0)}});
  DoOn(a_, Lock("alice", {"A1"}));
  GiveTime();

  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kOutcomeUnknown));
  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("bob", {"A2"}, "r2"))), 2U);
}

TEST_F(SharedFailureTest, AQuestionWhoseAnswerIsLostDidNothing) {
  DoOn(b_, Lock("bob", {"A1"}));
  b_.log.SetDown(true);
  auto refused = Ask(b_, Lock("carol", {"A1"}));
  auto read = AskHeld(b_);
  Settle();

  EXPECT_TRUE(IsFailed(**refused, Failure::Kind::kStoreUnavailable));
  ASSERT_TRUE(read->failure.has_value());
  EXPECT_EQ(read->failure->kind, Failure::Kind::kStoreUnavailable);
  b_.log.SetDown(false);
  GoOn(kRetryMs);
  EXPECT_EQ(HeldOn(b_), 0U);
}

TEST_F(SharedFailureTest, AStoreShortOfRoomRefusesLocksAndTakesBookings) {
  DoOn(b_, Lock("bob", {"A1"}));
  DoOn(b_, Lock("bob", {"A4"}, "r4"));
  store_.SetShortOfRoom(true);
  b_.log.HoldAnswers();
  auto question = AskHeld(b_);  // so that the rest goes into one batch
  auto lock = Ask(b_, Lock("carol", {"A2"}));
  auto book = Ask(b_, Book("bob", "A1", "o1"));
  auto again = Ask(b_, Lock("bob", {"A4"}, "r4"));
  auto unlock = Ask(b_, Unlock("bob", "A4"));
  b_.log.ReleaseAnswers();
  Settle();

  EXPECT_TRUE(IsFailed(**lock, Failure::Kind::kOverloaded));
  EXPECT_EQ(RevisionOf(**again), 2U) << "it had been made before";
  EXPECT_EQ(RevisionOf(**book), 3U);
  EXPECT_EQ(RevisionOf(**unlock), 4U);
  store_.SetShortOfRoom(false);
  EXPECT_EQ(RevisionOf(DoOn(b_, Lock("carol", {"A2"}))), 5U);
}

// A server that stands still in each state while another goes on. `Enter` brings server b there.
struct StandStill {
  const char* name;
  void (*enter)(testing::SharedLog&);
  bool loaded;  // whether b has a state before
};

void PrintTo(const StandStill& state, std::ostream* out) {
  *out << state.name;
}

class PausedServerTest : public SharedFailureTest,
                         public ::testing::WithParamInterface<StandStill> {
 protected:
  // Whether what was said of `session`'s lock of `seat` is what the store has.
  void CheckHonest(const std::string& session, const std::string& request, const Result& said) {
    std::optional<uint64_t> made;
    for (const log::StoredRecord& record : store_.Durable(showtime_)) {
      const domain::Change change = *log::DecodeChange(record.bytes);
      if (change.request && change.request->id.value() == request) {
        EXPECT_EQ(change.seats[0].session.value(), session);
        EXPECT_FALSE(made.has_value()) << "made twice";
        made = change.revision.value();
      }
    }
    if (auto* answer = std::get_if<domain::Answer>(&said)) {
      EXPECT_EQ(made, answer->revision.value());
    } else {
      EXPECT_FALSE(made.has_value()) << "it was made, and said not to be";
    }
  }
};

// b is asked for A1 and A3, and stands still while alice gets A1 from a, carol gets A2, and a lock
// of bob's goes. What b says when it goes on is true then.
TEST_P(PausedServerTest, SaysNothingWrongWhenItGoesOn) {
  DoOn(a_, Lock("bob", {"A9"}));
  auto watch = WatchOn(b_);
  if (!GetParam().loaded) {
    watch->watcher->Close();
    Settle();
    clock_.AdvanceMs(kIdleMs + 1'000);
    b_.engine->Tick();
    Settle();
  }
  GetParam().enter(b_.log);
  auto taken = Ask(b_, Lock("bob", {"A1"}, "r1"));
  auto free = Ask(b_, Lock("bob", {"A3"}, "r3"));
  Settle();
  b_.log.Pause();
  DoOn(a_, Lock("alice", {"A1"}));
  DoOn(a_, Lock("carol", {"A2"}));
  DoOn(a_, Unlock("bob", "A9"));
  clock_.AdvanceMs(10'000);
  a_.engine->Tick();
  Settle();

  b_.log.SetFault(Fault::kNone);
  b_.log.SetDown(false);
  b_.log.Continue();
  GoOn(kRetryMs + 500);
  for (const Told& told : {taken, free}) ASSERT_TRUE(told->has_value());
  CheckHonest("bob", "r1", **taken);
  CheckHonest("bob", "r3", **free);
  EXPECT_TRUE(IsRefused(DoOn(b_, Lock("dora", {"A2"})), domain::Reason::kSeatTaken));
  auto now = WatchOn(b_);
  EXPECT_THAT(now->words, ElementsAre(absl::StrCat("snapshot ", Head())));
  // Every change that it was sent came once and in order.
  uint64_t upto = 1;
  for (const std::string& word : watch->words) {
    if (word.starts_with("change ")) {
      EXPECT_EQ(word, absl::StrCat("change ", ++upto));
    }
  }
  if (GetParam().loaded) {
    EXPECT_EQ(upto, Head());
  }
}

// The states that a shared store leads to: an exclusive one alone is recovered and settled.
const StandStill kStates[] = {
    {"Unloaded", [](testing::SharedLog& log) { log.SetDown(false); }, false},
    {"Loading", [](testing::SharedLog& log) { log.HoldAnswers(); }, false},
    {"Ready", [](testing::SharedLog&) {}, true},
    {"Appending", [](testing::SharedLog& log) { log.HoldAnswers(); }, true},
    {"QueueFull",
     [](testing::SharedLog& log) { log.SetFault(testing::SharedLog::Fault::kQueueFull); }, true},
    {"ResendingLanded",
     [](testing::SharedLog& log) { log.FaultNext(testing::SharedLog::Fault::kUnknownLanded); },
     true},
    {"ResendingLost",
     [](testing::SharedLog& log) { log.FaultNext(testing::SharedLog::Fault::kUnknownLost); }, true},
    {"Failed",
     [](testing::SharedLog& log) { log.FaultNext(testing::SharedLog::Fault::kNotAppended); }, true},
    {"FailedToLoad", [](testing::SharedLog& log) { log.SetDown(true); }, false},
};

INSTANTIATE_TEST_SUITE_P(EachState, PausedServerTest, ::testing::ValuesIn(kStates),
                         [](const auto& state) { return std::string(state.param.name); });

// A page that shows what a server cannot ask about must not look like the present.
TEST_F(SharedFailureTest, AServerThatIsCutOffFromTheStoreEndsItsWatches) {
  auto watch = WatchOn(b_);
  b_.log.SetDown(true);
  GoOn(kCutOffMs / 2);
  EXPECT_FALSE(watch->end);
  GoOn(kCutOffMs);
  ASSERT_TRUE(watch->end);
  EXPECT_EQ(watch->end->kind, Failure::Kind::kStoreUnavailable);

  auto early = WatchOn(b_);
  GoOn(200);
  ASSERT_TRUE(early->end);
  b_.log.SetDown(false);
  GoOn(200);
  auto back = WatchOn(b_);
  GoOn(2 * kCutOffMs);
  EXPECT_FALSE(back->end);
}

}  // namespace
}  // namespace seatlock::engine
