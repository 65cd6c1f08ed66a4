// Conformance of every store: conditional appends, their order, and what is due.
#include <atomic>
#include <set>
#include <thread>

#include "tests/conformance/conformance_fixture.h"

namespace seatlock::testing {
namespace {

using log::AppendResult;
using log::Head;

class AppendConformance : public LogConformance {};

TEST_P(AppendConformance, AppendsToAnEmptyShowtimeAndThenToItsHead) {
  const Head first = MustAppend("s", Head{}, {"a"});
  EXPECT_EQ(first.epoch, domain::Epoch("epoch-1"));
  EXPECT_EQ(first.revision, domain::Revision(1));
  const Head third = MustAppend("s", first, {"b", "c"});
  EXPECT_EQ(third.epoch, first.epoch);
  EXPECT_EQ(third.revision, domain::Revision(3));
  EXPECT_EQ(AllBytes("s"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_P(AppendConformance, StoresWhatWasAppendedFieldForField) {
  const log::AppendRequest request = AppendOf("s", Head{}, {std::string("\0\xff x", 4), ""});
  ASSERT_EQ(Append(log(), request).outcome, Outcome::kAppended);
  absl::StatusOr<log::Page> page = Read(log(), "s", 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->records, request.records);
  EXPECT_EQ(page->head.chain, request.records.back().chain);
}

TEST_P(AppendConformance, ConflictTellsTheHeadAndWhatWasMissed) {
  const std::vector<Head> heads = MustFill("s", 4);
  const AppendResult result = Append(log(), AppendOf("s", heads[1], {"late"}));
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.head, heads[4]);
  ASSERT_EQ(result.missed.size(), 3u);
  EXPECT_EQ(result.missed[0].bytes, "r2");
  EXPECT_EQ(result.missed[2].bytes, "r4");
  EXPECT_EQ(result.missed[2].chain, heads[4].chain);
  EXPECT_EQ(AllBytes("s").size(), 4u);
}

TEST_P(AppendConformance, ConflictOfOneWhoKnewNothingTellsAll) {
  const std::vector<Head> heads = MustFill("s", 2);
  const AppendResult result = Append(log(), AppendOf("s", Head{}, {"late"}));
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.head, heads[2]);
  EXPECT_EQ(result.missed.size(), 2u);
}

TEST_P(AppendConformance, ConflictOfAnotherHistoryTellsTheHeadAlone) {
  const std::vector<Head> heads = MustFill("s", 2);
  Head foreign = heads[1];
  foreign.chain[0] ^= 1;
  const AppendResult other_chain = Append(log(), AppendOf("s", foreign, {"x"}));
  EXPECT_EQ(other_chain.outcome, Outcome::kConflict);
  EXPECT_EQ(other_chain.head, heads[2]);
  EXPECT_TRUE(other_chain.missed.empty());
  EXPECT_TRUE(other_chain.rewritten);

  Head ahead = heads[2];
  ahead.revision = domain::Revision(9);
  const AppendResult too_far = Append(log(), AppendOf("s", ahead, {"x"}));
  EXPECT_TRUE(too_far.missed.empty());
  EXPECT_TRUE(too_far.rewritten);
}

TEST_P(AppendConformance, AnAppendWithoutRecordsConfirmsTheHeadAndChangesNothing) {
  EXPECT_EQ(Append(log(), AppendOf("s", Head{}, {})).outcome, Outcome::kAppended);
  const std::vector<Head> heads = MustFill("s", 2);
  const AppendResult confirmed = Append(log(), AppendOf("s", heads[2], {}, 5));
  EXPECT_EQ(confirmed.outcome, Outcome::kAppended) << confirmed.status;
  EXPECT_EQ(confirmed.head, heads[2]);
  EXPECT_EQ(AllBytes("s").size(), 2u);
  absl::StatusOr<std::vector<log::DueShowtime>> due = Due(log(), 1'000'000, 10);
  ASSERT_THAT(due, IsOk());
  EXPECT_TRUE(due->empty());

  const AppendResult behind = Append(log(), AppendOf("s", heads[1], {}));
  EXPECT_EQ(behind.outcome, Outcome::kConflict);
  EXPECT_EQ(behind.head, heads[2]);
  ASSERT_EQ(behind.missed.size(), 1u);
  EXPECT_EQ(behind.missed[0].bytes, "r2");
  EXPECT_FALSE(behind.rewritten);
  EXPECT_EQ(Append(log(), AppendOf("s", Head{}, {})).missed.size(), 2u);
}

TEST_P(AppendConformance, TheHeadIsEpochRevisionAndChainTogether) {
  const std::vector<Head> heads = MustFill("s", 2);
  Head other_epoch = heads[2];
  other_epoch.epoch = domain::Epoch("epoch-2");
  EXPECT_EQ(Append(log(), AppendOf("s", other_epoch, {"x"})).outcome, Outcome::kConflict);
  Head other_chain = heads[2];
  other_chain.chain[31] ^= 1;
  EXPECT_EQ(Append(log(), AppendOf("s", other_chain, {"x"})).outcome, Outcome::kConflict);
  EXPECT_EQ(Append(log(), AppendOf("s", heads[2], {"r3"})).outcome, Outcome::kAppended);
}

TEST_P(AppendConformance, ConflictOnAnUnknownShowtimeTellsThatItIsEmpty) {
  const std::vector<Head> heads = MustFill("s", 1);
  const AppendResult result = Append(log(), AppendOf("other", heads[1], {"x"}));
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.head, Head{});
  EXPECT_TRUE(result.missed.empty());
  EXPECT_TRUE(result.rewritten);
  absl::StatusOr<log::Page> page = Read(log(), "other", 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, Head{});
}

TEST_P(AppendConformance, MissedIsOnePageAtMost) {
  const Head first = MustAppend("s", Head{}, {"first"});
  MustAppend("s", first, std::vector<std::string>(log::kPageRecordsMax + 5, "x"));
  const AppendResult result = Append(log(), AppendOf("s", first, {"late"}));
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.missed.size(), log::kPageRecordsMax);
  EXPECT_EQ(result.head.revision.value(), log::kPageRecordsMax + 6);
}

TEST_P(AppendConformance, WhatWouldNotVerifyIsNotAppended) {
  const std::vector<Head> heads = MustFill("s", 1);
  log::AppendRequest wrong_chain = AppendOf("s", heads[1], {"a", "b"});
  wrong_chain.records[1].bytes = "c";
  log::AppendRequest hole = AppendOf("s", heads[1], {"a", "b"});
  hole.records.erase(hole.records.begin());
  log::AppendRequest new_epoch = AppendOf("s", heads[1], {"a"});
  new_epoch.epoch = domain::Epoch("epoch-2");
  for (const log::AppendRequest& request : {wrong_chain, hole, new_epoch}) {
    const AppendResult result = Append(log(), request);
    EXPECT_EQ(result.outcome, Outcome::kNotAppended);
    EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(AllBytes("s"), std::vector<std::string>{"r1"});
}

TEST_P(AppendConformance, InABatchOverManyShowtimesOneConflictTouchesNoOther) {
  constexpr int kShowtimes = 50;
  constexpr int kConflicting = 17;
  MustFill(std::to_string(kConflicting), 1);
  std::vector<std::future<AppendResult>> results;
  for (int i = 0; i < kShowtimes; ++i) {
    auto promise = std::make_shared<std::promise<AppendResult>>();
    results.push_back(promise->get_future());
    log().Append(AppendOf(std::to_string(i), Head{}, {"x", "y"}),
                 [promise](AppendResult result) { promise->set_value(std::move(result)); });
  }
  for (int i = 0; i < kShowtimes; ++i) {
    const AppendResult result = Await(std::move(results[i]));
    const bool conflicts = i == kConflicting;
    EXPECT_EQ(result.outcome, conflicts ? Outcome::kConflict : Outcome::kAppended) << i;
    EXPECT_EQ(AllBytes(std::to_string(i)).size(), conflicts ? 1u : 2u) << i;
  }
}

TEST_P(AppendConformance, AppendsSubmittedInOrderLandInOrder) {
  if (!under_test().WhyNoOrder().empty()) GTEST_SKIP() << under_test().WhyNoOrder();
  std::vector<std::future<AppendResult>> results;
  Head expected;
  for (int i = 0; i < 200; ++i) {
    log::AppendRequest request = AppendOf("s", expected, {"x" + std::to_string(i)});
    const log::StoredRecord& last = request.records.back();
    expected = Head{request.epoch, last.revision, last.chain};
    auto promise = std::make_shared<std::promise<AppendResult>>();
    results.push_back(promise->get_future());
    log().Append(std::move(request),
                 [promise](AppendResult result) { promise->set_value(std::move(result)); });
  }
  for (auto& result : results) EXPECT_EQ(Await(std::move(result)).outcome, Outcome::kAppended);
  const std::vector<std::string> bytes = AllBytes("s");
  ASSERT_EQ(bytes.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(bytes[i], "x" + std::to_string(i));
}

TEST_P(AppendConformance, OfConcurrentAppendersOneWinsEachRevision) {
  constexpr int kThreads = 4;
  constexpr int kWinsEach = 50;
  std::vector<std::vector<uint64_t>> won(kThreads);
  auto appender = [&](int self) {
    Head head;
    while (won[self].size() < kWinsEach) {
      const AppendResult result =
          Append(log(), AppendOf("s", head, {"by-" + std::to_string(self)}));
      if (result.outcome == Outcome::kAppended) won[self].push_back(result.head.revision.value());
      head = result.head;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(appender, i);
  for (std::thread& thread : threads) thread.join();

  const std::vector<std::string> bytes = AllBytes("s");
  ASSERT_EQ(bytes.size(), static_cast<size_t>(kThreads * kWinsEach));
  std::set<uint64_t> revisions;
  for (int i = 0; i < kThreads; ++i) {
    for (uint64_t revision : won[i]) {
      EXPECT_TRUE(revisions.insert(revision).second) << revision << " was won twice";
      EXPECT_EQ(bytes[revision - 1], "by-" + std::to_string(i));
    }
  }
}

TEST_P(AppendConformance, ALateAppendFailsAfterRecovery) {
  const std::vector<Head> heads = MustFill("s", 3);
  const log::AppendRequest late = AppendOf("s", heads[3], {"late"});
  ASSERT_THAT(Recover(log()), IsOk());
  const Head after = MustAppend("s", heads[3], {"other"});
  const AppendResult result = Append(log(), late);
  EXPECT_EQ(result.outcome, Outcome::kConflict);
  EXPECT_EQ(result.head, after);
  ASSERT_EQ(result.missed.size(), 1u);
  EXPECT_EQ(result.missed[0].bytes, "other");
}

TEST_P(AppendConformance, RecoveryComesAfterAllThatWasSubmittedBefore) {
  if (!log().exclusive()) GTEST_SKIP() << "a shared store settles by the same append";
  std::atomic<int> settled{0};
  for (int i = 0; i < 500; ++i) {
    log().Append(AppendOf(std::to_string(i), Head{}, {"x"}), [&](AppendResult) { ++settled; });
  }
  ASSERT_THAT(Recover(log()), IsOk());
  EXPECT_EQ(settled.load(), 500);
}

std::vector<std::string> Names(const absl::StatusOr<std::vector<log::DueShowtime>>& due) {
  std::vector<std::string> names;
  for (const log::DueShowtime& each : *due) names.push_back(each.showtime.value());
  return names;
}

TEST_P(AppendConformance, WakeTimesAreListedEarliestFirst) {
  const Head a = MustAppend("a", Head{}, {"x"}, 3000);
  const Head b = MustAppend("b", Head{}, {"x"}, 1000);
  MustAppend("c", Head{}, {"x"}, 2000);
  MustAppend("never", Head{}, {"x"});
  using Listed = std::vector<std::string>;
  EXPECT_EQ(Names(Due(log(), 999, 10)), Listed{});
  EXPECT_EQ(Names(Due(log(), 2000, 10)), (Listed{"b", "c"}));
  EXPECT_EQ(Names(Due(log(), 9000, 10)), (Listed{"b", "c", "a"}));
  EXPECT_EQ(Names(Due(log(), 9000, 2)), (Listed{"b", "c"}));
  EXPECT_EQ(Due(log(), 9000, 1)->front().wake_ms, 1000);

  MustAppend("a", a, {"y"}, 500);
  MustAppend("b", b, {"y"});
  EXPECT_EQ(Names(Due(log(), 9000, 10)), (Listed{"a", "c"}));
}

TEST_P(AppendConformance, WakeTimesAreListedPageByPageAndEachOnce) {
  // Many at one time, so that the ids decide; bytes above 0x7f come last.
  std::vector<std::string> expected;
  MustAppend("early", Head{}, {"x"}, -5);
  expected.push_back("early");
  for (const char* id : {"a", "b", "b1", "c", "\xc3\xa9"}) {
    MustAppend(id, Head{}, {"x"}, 1000);
    expected.push_back(id);
  }
  MustAppend("aa", Head{}, {"x"}, 1001);
  expected.push_back("aa");
  MustAppend("later", Head{}, {"x"}, 3000);

  std::vector<std::string> listed;
  log::DueCursor cursor;
  for (;;) {
    const absl::StatusOr<std::vector<log::DueShowtime>> page = Due(log(), 2000, 2, cursor);
    ASSERT_THAT(page, IsOk());
    if (page->empty()) break;
    EXPECT_LE(page->size(), 2u);
    for (const std::string& name : Names(page)) listed.push_back(name);
    cursor = {.wake_ms = page->back().wake_ms, .showtime = page->back().showtime};
  }
  EXPECT_EQ(listed, expected);
}

TEST_P(AppendConformance, AShowtimeThatMovedBehindTheCursorIsNotListedAgain) {
  const Head a = MustAppend("a", Head{}, {"x"}, 1000);
  MustAppend("b", Head{}, {"x"}, 1000);
  const log::DueCursor after_a{.wake_ms = 1000, .showtime = domain::ShowtimeId("a")};
  EXPECT_EQ(Names(Due(log(), 2000, 10, after_a)), std::vector<std::string>{"b"});
  MustAppend("a", a, {"y"}, 1500);
  EXPECT_EQ(Names(Due(log(), 2000, 10, after_a)), (std::vector<std::string>{"b", "a"}));
}

TEST_P(AppendConformance, AnAppendThatConflictsLeavesTheWakeTime) {
  MustAppend("a", Head{}, {"x"}, 3000);
  EXPECT_EQ(Append(log(), AppendOf("a", Head{}, {"y"}, 10)).outcome, Outcome::kConflict);
  EXPECT_TRUE(Due(log(), 2999, 10)->empty());
  EXPECT_EQ(Due(log(), 3000, 10)->size(), 1u);
}

TEST_P(AppendConformance, HasAGeneration) {
  const std::string generation = log().Generation();
  EXPECT_FALSE(generation.empty());
  MustFill("s", 1);
  EXPECT_EQ(log().Generation(), generation);
  if (!under_test().WhyNoReopen().empty()) return;
  under_test().Reopen();
  EXPECT_EQ(log().Generation(), generation);
}

TEST_P(AppendConformance, AnotherStoreHasAnotherGeneration) {
  EXPECT_NE(log().Generation(), GetParam().make()->log().Generation());
}

TEST_P(AppendConformance, IsHealthyAtFirstAndAfterAnAppend) {
  EXPECT_TRUE(log().Healthy());
  MustFill("s", 1);
  EXPECT_TRUE(log().Healthy());
}

INSTANTIATE_TEST_SUITE_P(Stores, AppendConformance,
                         ::testing::Values(MemoryKind(), SqliteKind(), RedisKind(), TwoRedisKind()),
                         KindName);

}  // namespace
}  // namespace seatlock::testing
