// Pages of showtimes: what is in them, and what they must not hold, keep or wait for.
#include "services/seatlock/engine/lister.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/engine/engine_fixture.h"
#include "services/seatlock/engine/limits.h"

namespace seatlock::engine {
namespace {

using domain::SeatCounts;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ListerTest : public EngineTest {
 protected:
  struct Listed {
    std::optional<SummaryPage> page;
    std::optional<Failure> failure;

    bool told() const { return page || failure; }
    std::vector<std::string> ids() const {
      std::vector<std::string> ids;
      for (const Summary& each : page.value_or(SummaryPage{}).showtimes) {
        ids.push_back(each.showtime.value());
      }
      return ids;
    }
  };

  // Asks, and does not settle.
  std::shared_ptr<Listed> Ask(const std::string& after, size_t limit, const bool* gone = nullptr) {
    auto listed = std::make_shared<Listed>();
    ListQuery query;
    query.after = domain::ShowtimeId(after);
    query.limit = limit;
    query.done = [listed](SummaryPage page) { listed->page = std::move(page); };
    query.fail = [listed](Failure failure) { listed->failure = std::move(failure); };
    if (gone != nullptr) query.cancelled = [gone] { return *gone; };
    engine_->List(std::move(query));
    return listed;
  }
  std::shared_ptr<Listed> List(const std::string& after = "", size_t limit = 1000) {
    auto listed = Ask(after, limit);
    Settle();
    EXPECT_TRUE(listed->told()) << "no answer came";
    return listed;
  }
  // Showtimes `first` to `last`, in the order of their ids, each with a seat that alice has locked.
  void LockIn(int first, int last) {
    for (int i = first; i <= last; ++i) DoIn(Id(i), Lock("alice", {"A1"}, "", 7'200'000));
  }
  static std::string Id(int number) { return absl::StrCat("s", 10'000 + number); }

  domain::Command Book(const std::string& seat) {
    domain::BookSeats body;
    body.session = domain::SessionId("alice");
    body.order = domain::OrderId("order-" + seat);
    body.seats.emplace_back(seat);
    return {{}, std::move(body)};
  }

  void Bound(MemoryBounds memory) {
    Engine::Options options = OptionsOver(log_);
    options.memory = memory;
    engine_.reset();
    engine_.emplace(std::move(options));
  }
};

TEST_F(ListerTest, ListsNothingWhereNothingCameIntoBeing) {
  Read("never");
  EXPECT_THAT(List()->ids(), IsEmpty());
  EXPECT_FALSE(List()->page->more);
}

TEST_F(ListerTest, SaysOfEachShowtimeWhatItsStateSays) {
  DoIn("b", Lock("alice", {"A1", "A2", "A3"}));
  DoIn("b", Book("A3"));
  DoIn("b", Unlock("alice", "A2"));
  const int64_t b_ms = clock_.NowMs();
  clock_.AdvanceMs(5000);
  DoIn("a", Lock("bob", {"A1"}));

  const auto listed = List();
  ASSERT_THAT(listed->ids(), ElementsAre("a", "b"));
  const Summary& a = listed->page->showtimes[0];
  const Summary& b = listed->page->showtimes[1];
  EXPECT_EQ(a.seats, (SeatCounts{.locked = 1, .booked = 0, .blocked = 0}));
  EXPECT_EQ(a.position.revision.value(), 1u);
  EXPECT_EQ(a.last_commit_ms, b_ms + 5000);
  EXPECT_EQ(b.seats, (SeatCounts{.locked = 1, .booked = 1, .blocked = 0}));
  EXPECT_EQ(b.position.revision.value(), 3u);
  EXPECT_EQ(b.last_commit_ms, b_ms);
  // The epoch is the one that watchers are told.
  Watch(std::nullopt, "b");
  EXPECT_EQ(b.position.epoch, encoder_.last_epoch);
}

TEST_F(ListerTest, PagesFollowEachOtherToTheLastOne) {
  LockIn(0, 4);
  auto first = List("", 2);
  EXPECT_THAT(first->ids(), ElementsAre(Id(0), Id(1)));
  EXPECT_TRUE(first->page->more);
  auto second = List(first->page->last.value(), 3);
  EXPECT_THAT(second->ids(), ElementsAre(Id(2), Id(3), Id(4)));
  EXPECT_FALSE(second->page->more) << "a page that is full is the last one if nothing follows";
}

TEST_F(ListerTest, PagesAreWholeWhateverTheLogGivesAtOnce) {
  const int count = 2 * static_cast<int>(kListIdsMax);
  LockIn(1, count);
  for (const size_t limit : {kListIdsMax - 1, kListIdsMax, kListIdsMax + 1, 2 * kListIdsMax - 1}) {
    auto listed = List("", limit);
    EXPECT_THAT(listed->ids(), SizeIs(limit));
    EXPECT_TRUE(listed->page->more);
  }
  auto all = List("", 2 * kListIdsMax);
  EXPECT_THAT(all->ids(), SizeIs(2 * kListIdsMax));
  EXPECT_FALSE(all->page->more);
}

TEST_F(ListerTest, ALockThatHasLapsedIsNotCounted) {
  DoIn("123", Lock("alice", {"A1"}, "", 1000));
  DoIn("123", Lock("bob", {"B1"}, "", 600'000));
  clock_.AdvanceMs(1000);
  const auto listed = List();
  EXPECT_EQ(listed->page->showtimes[0].seats, (SeatCounts{.locked = 1, .booked = 0, .blocked = 0}));
  EXPECT_EQ(listed->page->showtimes[0].position.revision.value(), 3u) << "it was freed first";
}

TEST_F(ListerTest, WaitsForWhatIsNotDurableYet) {
  DoIn("123", Lock("alice", {"A1"}));
  log_.Hold();
  Submit(Lock("bob", {"B1"}));
  auto listed = Ask("", 10);
  Settle();
  EXPECT_FALSE(listed->told());
  log_.Release();
  Settle();
  EXPECT_EQ(listed->page->showtimes[0].position.revision.value(), 2u);
}

TEST_F(ListerTest, ADamagedShowtimeIsListedWithoutNumbersAndHidesNoOther) {
  LockIn(0, 2);
  Restart();
  log_.Damage(domain::ShowtimeId(Id(1)));
  for (int i = 0; i < 2; ++i) {  // the second time in its pause
    const auto listed = List();
    ASSERT_THAT(listed->ids(), ElementsAre(Id(0), Id(1), Id(2)));
    const Summary& damaged = listed->page->showtimes[1];
    EXPECT_EQ(damaged.seats, std::nullopt);
    EXPECT_EQ(damaged.position.revision.value(), 1u);
    EXPECT_EQ(damaged.position.epoch.value(), "epoch2-" + log_.Generation());
    EXPECT_GT(damaged.last_commit_ms, 0);
    EXPECT_TRUE(listed->page->showtimes[2].seats.has_value());
  }
}

TEST_F(ListerTest, AShowtimeThatIsDeletedMeanwhileIsNotListed) {
  LockIn(0, 2);
  Restart();
  auto listed = Ask("", 10);
  executor_.RunOne();  // the first step, which asks for the ids
  memory_.Delete(domain::ShowtimeId(Id(1)), [](const absl::Status&) {});
  Settle();
  EXPECT_THAT(listed->ids(), ElementsAre(Id(0), Id(2)));
}

// Memory -----------------------------------------------------------------------------------------

TEST_F(ListerTest, AListOfManyShowtimesLeavesNoneInMemoryAndPushesNoneOut) {
  LockIn(0, 299);
  Restart();
  Bound({.showtimes = 20});
  DoIn("in use", Lock("alice", {"A1"}));
  auto watcher = Watch(std::nullopt, Id(7));
  const size_t live = engine_->live_showtimes();
  const int loads = log_.loads();
  EXPECT_THAT(List()->ids(), SizeIs(301));
  EXPECT_EQ(engine_->live_showtimes(), live);
  Tick();
  EXPECT_EQ(log_.loads() - loads, 299) << "those in use were pushed out and loaded again";
  EXPECT_FALSE(watcher->end);
}

TEST_F(ListerTest, ListsDoNotKeepAShowtimeInMemory) {
  LockIn(0, 0);
  ASSERT_EQ(engine_->live_showtimes(), 1u);
  for (int64_t passed_ms = 0; passed_ms <= kIdleMs; passed_ms += 10'000) {
    List();
    clock_.AdvanceMs(10'000);
    Tick();
  }
  EXPECT_EQ(engine_->live_showtimes(), 0u);
}

TEST_F(ListerTest, AShowtimeThatSomebodyElseAsksForMeanwhileStays) {
  LockIn(0, 0);
  Restart();
  auto listed = Ask("", 10);
  Told told = SubmitTo(*engine_, Lock("bob", {"B1"}), nullptr, Id(0));
  Settle();
  EXPECT_THAT(listed->ids(), ElementsAre(Id(0)));
  EXPECT_EQ(engine_->live_showtimes(), 1u);
}

TEST_F(ListerTest, OnlySoManyPagesAreMadeAtOnce) {
  LockIn(0, 9);
  Restart();
  std::vector<std::shared_ptr<Listed>> listed;
  for (int i = 0; i < 10 * kListsAtOnce; ++i)
    listed.push_back(Ask(i % 10 == 0 ? "" : Id(i % 10 - 1), 1));
  size_t most = 0;
  while (executor_.RunOne()) most = std::max(most, engine_->live_showtimes());
  EXPECT_LE(most, static_cast<size_t>(kListsAtOnce));
  for (const auto& each : listed) EXPECT_THAT(each->ids(), SizeIs(1));
}

// Failing ----------------------------------------------------------------------------------------

TEST_F(ListerTest, SaysThatTheStoreIsAway) {
  LockIn(0, 0);
  log_.SetDown(true);
  EXPECT_EQ(List()->failure->kind, Failure::Kind::kStoreUnavailable);
  log_.SetDown(false);
  EXPECT_THAT(List()->ids(), ElementsAre(Id(0)));
}

TEST_F(ListerTest, AStoreThatIsAwayIsNotAskedByEveryList) {
  log_.SetDown(true);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(List()->failure.has_value());
  EXPECT_LE(log_.lists(), 2);
}

TEST_F(ListerTest, AStoreThatGoesAwayInTheMidstFailsThePage) {
  LockIn(0, 2);
  Restart();
  auto listed = Ask("", 10);
  executor_.RunOne();
  log_.SetDown(true);
  Settle();
  EXPECT_EQ(listed->failure->kind, Failure::Kind::kStoreUnavailable);
}

TEST_F(ListerTest, ACallerThatHasGoneIsServedNoFurther) {
  LockIn(0, 2);
  Restart();
  bool gone = false;
  auto listed = Ask("", 10, &gone);
  while (log_.loads() < 3 + 1) ASSERT_TRUE(executor_.RunOne());  // LockIn's, and the first's
  gone = true;
  Settle();
  EXPECT_EQ(listed->failure->kind, Failure::Kind::kCancelled);
  EXPECT_EQ(log_.loads(), 4);
}

TEST_F(ListerTest, APageThatTakesLongEndsWithWhatItHas) {
  LockIn(0, 2);
  Restart();
  auto listed = Ask("", 10);
  while (log_.loads() < 3 + 1) ASSERT_TRUE(executor_.RunOne());
  clock_.AdvanceMs(kListPageMs);
  Settle();
  EXPECT_THAT(listed->ids(), ElementsAre(Id(0)));
  EXPECT_TRUE(listed->page->more);
  EXPECT_THAT(List(listed->page->last.value())->ids(), ElementsAre(Id(1), Id(2)));
}

TEST_F(ListerTest, ADrainRefusesNewListsAndEndsThoseThatRun) {
  LockIn(0, 2);
  Restart();
  auto running = Ask("", 10);
  while (log_.loads() < 3 + 1) ASSERT_TRUE(executor_.RunOne());
  engine_->Drain();
  EXPECT_EQ(List()->failure->kind, Failure::Kind::kDraining);
  EXPECT_THAT(running->ids(), ElementsAre(Id(0)));
  EXPECT_TRUE(running->page->more);
}

TEST_F(ListerTest, AnEngineThatStopsAnswersEveryList) {
  LockIn(0, 2);
  Restart();
  std::vector<std::shared_ptr<Listed>> listed;
  for (int i = 0; i < 3 * kListsAtOnce; ++i) listed.push_back(Ask("", 10));
  engine_.reset();
  Settle();
  for (const auto& each : listed) EXPECT_TRUE(each->told());
}

TEST_F(ListerTest, ListsThatWaitAreCountedAsCallsThatWait) {
  LockIn(0, 0);
  std::vector<std::shared_ptr<Listed>> listed;
  for (size_t i = 0; i < kPendingMax; ++i) listed.push_back(Ask("", 10));
  EXPECT_EQ(Ask("", 10)->failure->kind, Failure::Kind::kOverloaded);
  EXPECT_TRUE(IsFailed(**Submit(Lock("bob", {"B1"})), Failure::Kind::kOverloaded));
  engine_->Drain();
  Settle();
  for (const auto& each : listed) ASSERT_TRUE(each->told());
}

}  // namespace
}  // namespace seatlock::engine
