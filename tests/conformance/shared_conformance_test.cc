// Conformance of every shared store: what several servers on one store need of it.
#include <algorithm>
#include <future>
#include <thread>

#include "tests/conformance/conformance_fixture.h"

namespace seatlock::testing {
namespace {

using log::AppendResult;
using log::ChangedShowtimes;
using log::ChangeMark;
using log::DueShowtime;
using log::Head;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class SharedConformance : public LogConformance {
 protected:
  std::vector<DueShowtime> MustClaim(int64_t now_ms, size_t limit, int64_t lease_ms = 500) {
    absl::StatusOr<std::vector<DueShowtime>> due = ClaimDue(log(), now_ms, limit, lease_ms);
    EXPECT_THAT(due, IsOk());
    return due.ok() ? *due : std::vector<DueShowtime>();
  }

  ChangedShowtimes MustAskChanged(ChangeMark mark) {
    absl::StatusOr<ChangedShowtimes> changed = ChangedSince(log(), std::move(mark));
    EXPECT_THAT(changed, IsOk());
    return changed.ok() ? *changed : ChangedShowtimes();
  }
};

DueShowtime DueAt(const std::string& showtime, int64_t wake_ms) {
  return {.showtime = domain::ShowtimeId(showtime), .wake_ms = wake_ms};
}

TEST_P(SharedConformance, IsNotExclusive) {
  EXPECT_FALSE(log().exclusive());
}

TEST_P(SharedConformance, WhatIsDueIsHandedToOneAskerUntilTheLeaseEnds) {
  for (int i = 0; i < 20; ++i) MustAppend("s" + std::to_string(i), Head{}, {"x"}, 1000 + i);
  EXPECT_EQ(MustClaim(1001, 10), (std::vector{DueAt("s0", 1000), DueAt("s1", 1001)}));
  EXPECT_THAT(MustClaim(1001, 10), IsEmpty());
  // Their wake times are now 1501.
  EXPECT_THAT(MustClaim(1500, 100), ::testing::SizeIs(18));
  EXPECT_EQ(MustClaim(1501, 10), (std::vector{DueAt("s0", 1501), DueAt("s1", 1501)}));
}

TEST_P(SharedConformance, AClaimTakesNoMoreThanAskedForAndTheEarliestFirst) {
  for (int i = 0; i < 20; ++i) MustAppend("s" + std::to_string(i), Head{}, {"x"}, 1000 + i);
  std::vector<DueShowtime> first = MustClaim(2000, 5);
  ASSERT_EQ(first.size(), 5u);
  EXPECT_EQ(first.front(), DueAt("s0", 1000));
  EXPECT_EQ(first.back(), DueAt("s4", 1004));
  EXPECT_EQ(MustClaim(2000, 5).front(), DueAt("s5", 1005));
}

TEST_P(SharedConformance, ConcurrentClaimersShareWhatIsDue) {
  constexpr int kShowtimes = 200;
  for (int i = 0; i < kShowtimes; ++i) MustAppend(std::to_string(i), Head{}, {"x"}, 1000);
  std::vector<std::vector<DueShowtime>> claimed(4);
  std::vector<std::thread> threads;
  for (auto& mine : claimed) {
    threads.emplace_back([&] { mine = MustClaim(1000, kShowtimes); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::string> all;
  for (const auto& mine : claimed) {
    for (const DueShowtime& each : mine) all.push_back(each.showtime.value());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all.size(), static_cast<size_t>(kShowtimes));
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end()) << "handed out twice";
}

TEST_P(SharedConformance, NothingIsClaimedAheadOfTheStoresOwnClock) {
  constexpr int64_t kYear2100 = 4'102'444'800'000;
  MustAppend("later", Head{}, {"x"}, kYear2100);
  // A server whose clock is far ahead.
  EXPECT_THAT(MustClaim(kYear2100 + 1, 10), IsEmpty());
}

TEST_P(SharedConformance, TellsWhatHasChangedSinceAMark) {
  MustFill("before", 1);
  ChangedShowtimes start = MustAskChanged({});
  EXPECT_THAT(start.showtimes, IsEmpty());
  EXPECT_THAT(MustAskChanged(start.mark).showtimes, IsEmpty());

  const std::vector<Head> heads = MustFill("a", 2);
  MustFill("b", 1);
  ChangedShowtimes changed = MustAskChanged(start.mark);
  EXPECT_THAT(changed.showtimes,
              UnorderedElementsAre(domain::ShowtimeId("a"), domain::ShowtimeId("b")));
  EXPECT_THAT(MustAskChanged(changed.mark).showtimes, IsEmpty());

  // Neither a confirmation nor a conflict changes anything.
  Append(log(), AppendOf("a", heads[2], {}));
  Append(log(), AppendOf("a", heads[1], {"late"}));
  EXPECT_THAT(MustAskChanged(changed.mark).showtimes, IsEmpty());
  ASSERT_THAT(Delete(log(), "b"), IsOk());
  EXPECT_THAT(MustAskChanged(changed.mark).showtimes, Contains(domain::ShowtimeId("b")));
}

TEST_P(SharedConformance, AMarkThatIsNotTheStoresIsTakenForTheDefault) {
  MustFill("s", 1);
  EXPECT_THAT(MustAskChanged({1, 2, 3}).showtimes, IsEmpty());
}

TEST_P(SharedConformance, ManyChangesAreToldBitByBitAndNoneIsLeftOut) {
  const ChangeMark start = MustAskChanged({}).mark;
  std::vector<std::future<AppendResult>> results;
  constexpr size_t kShowtimes = 3000;
  for (size_t i = 0; i < kShowtimes; ++i) {
    auto promise = std::make_shared<std::promise<AppendResult>>();
    results.push_back(promise->get_future());
    log().Append(AppendOf(std::to_string(i), Head{}, {"x"}),
                 [promise](AppendResult result) { promise->set_value(std::move(result)); });
  }
  for (auto& result : results) ASSERT_EQ(Await(std::move(result)).outcome, Outcome::kAppended);
  std::vector<domain::ShowtimeId> told;
  ChangeMark mark = start;
  for (;;) {
    ChangedShowtimes changed = MustAskChanged(mark);
    if (changed.showtimes.empty()) break;
    told.insert(told.end(), changed.showtimes.begin(), changed.showtimes.end());
    mark = changed.mark;
  }
  std::sort(told.begin(), told.end());
  told.erase(std::unique(told.begin(), told.end()), told.end());
  EXPECT_EQ(told.size(), kShowtimes);
}

TEST_P(SharedConformance, AFollowerIsHintedOfEachChange) {
  std::promise<void> hinted;
  std::atomic<bool> told{false};
  log().Follow([&](const domain::ShowtimeId& showtime, domain::Revision) {
    if (showtime == domain::ShowtimeId("s {\n}") && !told.exchange(true)) hinted.set_value();
  });
  MustFill("s {\n}", 1);
  Await(hinted.get_future());
  log().Follow(nullptr);
  told = false;
  MustFill("other", 1);
  EXPECT_FALSE(told);
}

TEST_P(SharedConformance, TheSameAppendAgainTellsWhatBecameOfIt) {
  const std::vector<Head> heads = MustFill("s", 2);
  const log::AppendRequest request = AppendOf("s", heads[2], {"r3", "r4"});
  ASSERT_EQ(Append(log(), request).outcome, Outcome::kAppended);
  const AppendResult again = Append(log(), request);
  EXPECT_EQ(again.outcome, Outcome::kConflict);
  EXPECT_FALSE(again.rewritten);
  EXPECT_EQ(again.missed, request.records);
  EXPECT_EQ(AllBytes("s").size(), 4u);
}

TEST_P(SharedConformance, ALateAppendCannotBringBackADeletedHistory) {
  const log::AppendRequest first = AppendOf("s", Head{}, {"r1"});
  ASSERT_EQ(Append(log(), first).outcome, Outcome::kAppended);
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  const AppendResult late = Append(log(), first);
  EXPECT_EQ(late.outcome, Outcome::kConflict);
  EXPECT_TRUE(late.rewritten);
  EXPECT_TRUE(AllBytes("s").empty());
}

TEST_P(SharedConformance, AnswersSayTheStoresGeneration) {
  const std::vector<Head> heads = MustFill("s", 2);
  EXPECT_EQ(Append(log(), AppendOf("s", heads[2], {})).generation, log().Generation());
  EXPECT_EQ(Append(log(), AppendOf("s", heads[1], {})).generation, log().Generation());
}

INSTANTIATE_TEST_SUITE_P(Stores, SharedConformance, ::testing::Values(RedisKind(), TwoRedisKind()),
                         KindName);

}  // namespace
}  // namespace seatlock::testing
