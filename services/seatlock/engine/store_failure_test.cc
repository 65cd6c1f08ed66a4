// What callers hear, and how often the store is asked, while it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "services/seatlock/engine/actor_phase.h"
#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using ::testing::ElementsAre;
using Fault = testing::FaultyLog::Fault;

constexpr int64_t kTickMs = 100;

class StoreFailureTest : public EngineTest {
 protected:
  // Lets `seconds` pass, a tick every 100 ms, each after `each`.
  template <typename Each>
  void Pass(int seconds, Each each) {
    for (int tick = 0; tick < seconds * 1000 / kTickMs; ++tick) {
      each();
      clock_.AdvanceMs(kTickMs);
      Tick();
    }
  }
  void Pass(int seconds) {
    Pass(seconds, [] {});
  }
  // The pauses end: the store says that it is back.
  void EndPauses() {
    log_.SetDown(true);
    log_.SetDown(false);
  }
  int Asked() const { return log_.appends() + log_.loads(); }
  void CallAll(int showtimes) {
    for (int i = 0; i < showtimes; ++i) {
      SubmitTo(*engine_, Lock("b", {"B1"}), nullptr, absl::StrCat("s", i));
    }
    Settle();
  }
  // What becomes of a lock whose append takes 1.5 s.
  Result SlowLock(int64_t ttl_ms) {
    Do(Lock("warm", {"Z1"}));
    log_.Hold();
    Told told = Submit(Lock("alice", {"A1"}, "", ttl_ms));
    Settle();
    clock_.AdvanceMs(1500);
    log_.Release();
    Settle();
    return told->value_or(Failure{});
  }
};

TEST(ActorPhaseTest, EveryStateCanBeLeftAndEveryFailureHasAPause) {
  std::set<Phase> reached{Phase::kUnloaded};
  for (int from = 0; from <= static_cast<int>(Phase::kDamaged); ++from) {
    int ways = 0;
    for (int event = 0; event <= static_cast<int>(Event::kNotDeleted); ++event) {
      const auto next = Next(static_cast<Phase>(from), static_cast<Event>(event));
      if (!next) continue;
      reached.insert(*next);
      ++ways;
    }
    EXPECT_GT(ways, 0) << Name(static_cast<Phase>(from));
  }
  EXPECT_EQ(reached.size(), static_cast<size_t>(Phase::kDamaged) + 1);
  for (Phase phase : {Phase::kQueueFull, Phase::kFailed, Phase::kUnsettled, Phase::kDamaged}) {
    EXPECT_GE(PauseMs(phase), kQueueFullRetryMs) << Name(phase);
    EXPECT_TRUE(Next(phase, Event::kWanted)) << Name(phase);
  }
  EXPECT_FALSE(Next(Phase::kReady, Event::kCommitted)) << "control: no append is under way";
}

TEST_F(StoreFailureTest, AReadBehindALapsedLockIsRefusedAtOnceIfTheStoreCannotBeWritten) {
  Do(Lock("alice", {"A1"}, "", 1000));
  log_.SetFault(Fault::kNotAppended);
  clock_.AdvanceMs(1000);
  for (int i = 0; i < 3; ++i) {
    const auto read = Read();
    ASSERT_TRUE(read->failure.has_value()) << "it hangs";
    EXPECT_EQ(read->failure->kind, Failure::Kind::kStoreUnavailable);
  }
  log_.SetFault(Fault::kNone);
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(Read()->held, 0u);
}

TEST_F(StoreFailureTest, AReadThatNeedsNoWriteIsAnsweredWhileTheStoreCannotBeWritten) {
  Do(Lock("alice", {"A1"}));
  log_.SetFault(Fault::kNotAppended);
  EXPECT_TRUE(IsFailed(Do(Lock("bob", {"B1"})), Failure::Kind::kStoreUnavailable));
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(Read()->held, 1u);
  EXPECT_TRUE(IsRefused(Do(Lock("bob", {"A1"})), domain::Reason::kSeatTaken));
}

TEST_F(StoreFailureTest, ALockThatCannotBeEndedIsOverdueUntilItIsEnded) {
  Do(Lock("alice", {"A1"}, "", 1000));
  clock_.AdvanceMs(500);
  Tick();
  EXPECT_EQ(engine_->overdue_ms(), 0) << "control: it has not ended yet";
  log_.SetFault(Fault::kNotAppended);
  Pass(5);
  EXPECT_GE(engine_->overdue_ms(), 4000);
  EXPECT_LE(engine_->overdue_ms(), 5000);
  log_.SetFault(Fault::kNone);
  EndPauses();
  Pass(1);
  EXPECT_EQ(engine_->overdue_ms(), 0);
}

TEST_F(StoreFailureTest, CommandsArePendingUntilTheyAreAnswered) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("alice", {"A2"}));
  Settle();
  EXPECT_EQ(engine_->pending(), 1u);
  for (const char* seat : {"A3", "A4", "A5"}) Submit(Lock("bob", {seat}));
  Settle();
  EXPECT_EQ(engine_->pending(), 4u);
  log_.Release();
  Settle();
  EXPECT_EQ(engine_->pending(), 0u);
}

TEST_F(StoreFailureTest, AShowtimeAsksAFailingStoreAtMostTwiceASecond) {
  Do(Lock("alice", {"A1"}, "", 1000));
  auto reader = Watch();
  clock_.AdvanceMs(1000);
  for (const Fault fault : {Fault::kNotAppended, Fault::kUnknownLost}) {
    log_.SetFault(fault);
    const int before = log_.appends() + log_.loads() + log_.recoveries();
    Pass(20, [this] {
      Read();
      Submit(Lock("bob", {"B1"}));
      Settle();
    });
    const int asked = log_.appends() + log_.loads() + log_.recoveries() - before;
    EXPECT_LE(asked, 2 * 20 + 3);
    EXPECT_GE(asked, 20) << "counter-check: it is asked again";
  }
}

TEST_F(StoreFailureTest, ControlWithoutPausesAShowtimeAsksMoreOften) {
  Do(Lock("alice", {"A1"}, "", 1000));
  clock_.AdvanceMs(1000);
  log_.SetFault(Fault::kNotAppended);
  const int before = Asked();
  Pass(20, [this] {
    EndPauses();
    Submit(Lock("bob", {"B1"}));
    Settle();
  });
  EXPECT_GT(Asked() - before, 2 * (2 * 20 + 2));
}

TEST_F(StoreFailureTest, ControlWithoutPausesAllShowtimesTogetherAskMoreOften) {
  constexpr int kShowtimes = 200;
  for (int i = 0; i < kShowtimes; ++i) DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}));
  log_.SetFault(Fault::kNotAppended);
  const int before = Asked();
  Pass(10, [this] {
    EndPauses();
    CallAll(kShowtimes);
  });
  EXPECT_GT(Asked() - before, 2 * (50 * 10 + 2));
}

TEST_F(StoreFailureTest, AllShowtimesTogetherAskAFailingStoreAtMostFiftyTimesASecond) {
  constexpr int kShowtimes = 200;
  for (int i = 0; i < kShowtimes; ++i) {
    DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}, "", 1000));
  }
  log_.SetFault(Fault::kNotAppended);
  DoIn("s0", Lock("alice", {"A2"}));  // from here on the failure is known
  const int before = log_.appends() + log_.loads();
  Pass(10, [this] { CallAll(kShowtimes); });
  EXPECT_LE(log_.appends() + log_.loads() - before, 50 * 10 + 2);
}

TEST_F(StoreFailureTest, AShowtimeThatWasNotInMemoryAsksNoMoreOftenThanOthers) {
  Do(Lock("alice", {"A1"}));
  Restart();
  log_.SetDown(true);
  const int before = log_.loads();
  Pass(10, [this] { EXPECT_TRUE(Read()->failure.has_value()); });
  EXPECT_LE(log_.loads() - before, 10 + 1);
  log_.SetDown(false);
  clock_.AdvanceMs(kRetryMs);
  EXPECT_EQ(Read()->held, 1u);
}

TEST_F(StoreFailureTest, AStoreThatSaysItIsBackIsNotWaitedFor) {
  for (int i = 0; i < 50; ++i) DoIn(absl::StrCat("s", i), Lock("alice", {"A1"}));
  log_.SetDown(true);
  log_.SetFault(Fault::kNotAppended);
  for (int i = 0; i < 50; ++i) DoIn(absl::StrCat("s", i), Lock("alice", {"A2"}));
  log_.SetFault(Fault::kNone);
  EXPECT_TRUE(IsFailed(DoIn("s7", Lock("alice", {"A2"})), Failure::Kind::kStoreUnavailable));
  log_.SetDown(false);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(RevisionOf(DoIn(absl::StrCat("s", i), Lock("alice", {"A2"}))), 2u);
  }
}

TEST_F(StoreFailureTest, AStoreThatIsBackBeforeItsFailureIsHeardOfIsNotWaitedFor) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Told told = Submit(Lock("alice", {"A2"}));
  log_.SetDown(true);
  log_.ReleaseOne(Fault::kNotAppended);
  log_.SetDown(false);  // and only now the engine hears of it
  Settle();
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kStoreUnavailable));
  log_.Release();
  EXPECT_EQ(RevisionOf(Do(Lock("alice", {"A2"}))), 2u);
}

TEST_F(StoreFailureTest, RepeatsWhoseAnswersAreInTheLogAskAFailingStoreNoMoreOften) {
  for (int i = 0; i < 50; ++i)
    Do(Lock("alice", {absl::StrCat("A", i)}, absl::StrCat("request", i)));
  log_.SetDown(true);
  const int before = log_.reads();
  Pass(10, [this] {
    for (int i = 0; i < 50; ++i) {
      Submit(Lock("alice", {absl::StrCat("A", i)}, absl::StrCat("request", i)));
    }
    Settle();
  });
  EXPECT_LE(log_.reads() - before, 25 * 10 + 1);
  EXPECT_GE(log_.reads() - before, 10) << "control: it is asked again";
}

TEST_F(StoreFailureTest, ABatchThatWaitsForRoomIsAnsweredWhenTheServiceStops) {
  Do(Lock("alice", {"A1"}));
  log_.SetFault(Fault::kQueueFull);
  Told told = Submit(Lock("alice", {"A2"}));
  Settle();
  engine_->Stop();
  Settle();
  ASSERT_TRUE(told->has_value());
  EXPECT_TRUE(IsFailed(**told, Failure::Kind::kStoreUnavailable));
}

TEST_F(StoreFailureTest, AnOutcomeThatIsUnsettledIsNotForgottenWithItsShowtime) {
  Do(Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("alice", {"A2"}));
  log_.SetDown(true);
  log_.ReleaseOne(Fault::kUnknownLost);
  Settle();
  log_.Release();
  clock_.AdvanceMs(2 * kIdleMs);
  const int before = log_.recoveries();
  log_.SetDown(false);
  Tick();
  EXPECT_GT(log_.recoveries(), before) << "it left memory without making sure";
}

TEST_F(StoreFailureTest, AFullQueueDropsNoStateAndItsCallersAreAnsweredOnceThereIsRoom) {
  Do(Lock("alice", {"A1"}));
  const int loads = log_.loads();
  log_.SetFault(Fault::kQueueFull);
  Told first = Submit(Lock("alice", {"A2"}));
  Settle();
  Told second = Submit(Lock("alice", {"A3"}));
  Settle();
  Pass(3);
  EXPECT_FALSE(first->has_value()) << "nothing was decided about it yet";
  log_.SetFault(Fault::kNone);
  Pass(2);
  ASSERT_TRUE(first->has_value() && second->has_value());
  EXPECT_EQ(RevisionOf(**first), 2u);
  EXPECT_EQ(RevisionOf(**second), 3u);
  EXPECT_EQ(log_.loads(), loads) << "the state was dropped";
  EXPECT_EQ(observer_.store_errors, 0) << "a full queue is no error of the store's";
}

TEST_F(StoreFailureTest, ADamagedShowtimeIsTriedOnceAMinuteWhoeverAsks) {
  Do(Lock("alice", {"A1"}, "", 1000));
  Restart();
  log_.Damage(showtime_);
  const int before = log_.loads();
  Pass(5 * 60, [this] {
    Read();
    Submit(Lock("bob", {"B1"}));
    Settle();
  });
  EXPECT_LE(log_.loads() - before, 5 + 1);
  EXPECT_GE(log_.loads() - before, 5) << "counter-check: it is tried again";
}

TEST_F(StoreFailureTest, DamagedShowtimesDoNotKeepOthersFromExpiring) {
  for (size_t i = 0; i < kDuePageMax; ++i) {
    const std::string name = absl::StrCat("damaged", i);
    DoIn(name, Lock("alice", {"A1"}, "", 1000));
    log_.Damage(domain::ShowtimeId(name));
  }
  clock_.AdvanceMs(1);
  Do(Lock("alice", {"A1"}, "", 1000));
  auto reader = Watch();
  engine_.reset();
  engine_.emplace(OptionsOver(log_));
  reader = Watch();
  clock_.AdvanceMs(1000);
  Tick();
  Tick();
  EXPECT_THAT(reader->words, ElementsAre("snapshot 1", "change 2"));
}

// Reports from within the actor's lock would never end here.
class CallingObserver final : public Observer {
 public:
  void OnStoreError(const domain::ShowtimeId& showtime, const absl::Status&) override {
    ++errors;
    if (engine == nullptr) return;
    Query query;
    query.read = [](const View&) -> base::Task { return [] {}; };
    query.fail = [](const Failure&) {};
    engine->Read(showtime, std::move(query));
  }
  Engine* engine = nullptr;
  int errors = 0;
};

TEST_F(StoreFailureTest, ErrorsAreReportedWithoutTheShowtimesLock) {
  CallingObserver observer;
  Engine::Options options{log_,      clock_,    encoder_,
                          observer,  executor_, executor_,
                          executor_, {},        [] { return std::string("e"); }};
  Engine engine(std::move(options));
  observer.engine = &engine;
  log_.SetFault(Fault::kNotAppended);
  SubmitTo(engine, Lock("alice", {"A1"}));
  Settle();
  EXPECT_EQ(observer.errors, 1);
}

TEST_F(StoreFailureTest, ALockThatEndedBeforeItsAnswerIsNotHandedOut) {
  Do(Lock("warm", {"Z1"}));
  log_.Hold();
  Told slow = Submit(Lock("alice", {"A1"}, "request", 1000));
  Told quick = Submit(Lock("alice", {"A2"}, "", 60'000));
  Settle();
  clock_.AdvanceMs(1500);
  log_.Release();
  Settle();
  EXPECT_TRUE(IsRefused(**slow, domain::Reason::kLockExpired));
  EXPECT_EQ(RevisionOf(**quick), 4u) << "EXPIRED lies between";
  EXPECT_TRUE(IsRefused(Do(Lock("alice", {"A1"}, "request", 1000)), domain::Reason::kLockExpired))
      << "a replay hands it out no more than the first answer";
  EXPECT_EQ(RevisionOf(Do(Lock("alice", {"A1"}, "other", 1000))), 5u);
}

TEST_F(StoreFailureTest, ALockThatOutlivesItsAppendIsHandedOut) {
  EXPECT_TRUE(IsRefused(SlowLock(1500), domain::Reason::kLockExpired));
  EXPECT_GT(RevisionOf(SlowLock(1501)), 0u);
}

TEST_F(StoreFailureTest, ASnapshotThatCannotBeSavedIsTriedAgainAfterAPauseAndHarmsNothing) {
  log_.SetSnapshotsFail(true);
  for (uint64_t i = 0; i < kSnapshotTailMin + 100; ++i) {
    Do(i % 2 == 0 ? Lock("alice", {"A1"}) : Unlock("alice", "A1"));
  }
  EXPECT_EQ(log_.snapshots(), 1) << "not at every commit";
  log_.SetSnapshotsFail(false);
  clock_.AdvanceMs(kSnapshotRetryMs);
  Do(Lock("alice", {"A2"}));
  Do(Lock("alice", {"A3"}));
  EXPECT_EQ(log_.snapshots(), 2);
}

}  // namespace
}  // namespace seatlock::engine
