// Conformance of every store: listing showtimes page by page, and deleting them.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "tests/conformance/conformance_fixture.h"

namespace seatlock::testing {
namespace {

using log::Head;
using log::ListedShowtime;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kEver = INT64_MAX;

class ListConformance : public LogConformance {
 protected:
  std::vector<ListedShowtime> MustList(const std::string& after, size_t limit) {
    absl::StatusOr<std::vector<ListedShowtime>> listed = List(log(), after, limit);
    EXPECT_THAT(listed, IsOk());
    return listed.ok() ? *std::move(listed) : std::vector<ListedShowtime>();
  }

  // The ids of a page.
  std::vector<std::string> Ids(const std::string& after, size_t limit) {
    std::vector<std::string> ids;
    for (const ListedShowtime& each : MustList(after, limit)) ids.push_back(each.showtime.value());
    return ids;
  }
};

TEST_P(ListConformance, AnEmptyStoreListsNothing) {
  EXPECT_THAT(Ids("", 10), IsEmpty());
}

TEST_P(ListConformance, ListsHeadsAndCommitTimesInByteOrder) {
  const Head b = MustAppend("b", Head{}, {"x"});
  const Head upper = MustAppend("B", Head{}, {"x", "y", "z"});
  const Head accent = MustAppend("\xC3\xA9", Head{}, {"x"});
  const Head longer = MustAppend("b0", Head{}, {"x", "y"});
  EXPECT_THAT(MustList("", 10),
              ElementsAre(ListedShowtime{domain::ShowtimeId("B"), upper, 3000},
                          ListedShowtime{domain::ShowtimeId("b"), b, 1000},
                          ListedShowtime{domain::ShowtimeId("b0"), longer, 2000},
                          ListedShowtime{domain::ShowtimeId("\xC3\xA9"), accent, 1000}));
}

TEST_P(ListConformance, PagesFollowEachOther) {
  for (const char* id : {"e", "c", "a", "d", "b"}) MustAppend(id, Head{}, {"x"});
  EXPECT_THAT(Ids("", 2), ElementsAre("a", "b"));
  EXPECT_THAT(Ids("b", 2), ElementsAre("c", "d"));
  EXPECT_THAT(Ids("d", 2), ElementsAre("e"));
  EXPECT_THAT(Ids("e", 2), IsEmpty());
  EXPECT_THAT(Ids("bb", 1), ElementsAre("c")) << "a page may begin after an id that is not there";
}

TEST_P(ListConformance, APageIsBoundedWhateverIsAskedFor) {
  std::atomic<size_t> appended{0};
  std::promise<void> all;
  for (size_t i = 0; i <= log::kListedMax; ++i) {
    log().Append(AppendOf("s" + std::to_string(10'000 + i), Head{}, {"x"}),
                 [&](log::AppendResult result) {
                   EXPECT_EQ(result.outcome, Outcome::kAppended) << result.status;
                   if (++appended == log::kListedMax + 1) all.set_value();
                 });
  }
  Await(all.get_future());
  const std::vector<std::string> first = Ids("", SIZE_MAX);
  EXPECT_EQ(first.size(), log::kListedMax);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  EXPECT_THAT(Ids(first.back(), SIZE_MAX), ElementsAre("s11000"));
}

TEST_P(ListConformance, ATrimmedShowtimeIsListedAsItStands) {
  const std::vector<Head> heads = MustFill("s", 6);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[5], "at 5"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[6], "at 6"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  EXPECT_THAT(MustList("", 10),
              ElementsAre(ListedShowtime{domain::ShowtimeId("s"), heads[6], 6000}));
}

TEST_P(ListConformance, ListsTheSameAfterReopening) {
  if (!under_test().WhyNoReopen().empty()) GTEST_SKIP() << under_test().WhyNoReopen();
  MustFill("s", 3);
  MustFill("t", 2);
  const std::vector<ListedShowtime> before = MustList("", 10);
  under_test().Reopen();
  EXPECT_EQ(MustList("", 10), before);
}

TEST_P(ListConformance, ADamagedShowtimeIsListedAndHidesNoOther) {
  if (!under_test().WhyNoTampering().empty()) GTEST_SKIP() << under_test().WhyNoTampering();
  for (const char* id : {"a", "b", "c"}) MustFill(id, 3);
  const std::vector<ListedShowtime> whole = MustList("", 10);
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 2",
                       .lua = "redis.call('HDEL', key.b.head, 'rev')"});
  EXPECT_THAT(MustList("", 10),
              ElementsAre(whole[0], ListedShowtime{domain::ShowtimeId("b"), Head{}, 0}, whole[2]));
}

class DeleteConformance : public ListConformance {
 protected:
  // "s", of many records, two snapshots and a wake time: all that a store keeps. Its head.
  Head MustFillWhole() {
    Head head = MustAppend("s", Head{}, std::vector<std::string>(5000, "x"), 7000);
    older_ = head;
    EXPECT_THAT(SaveSnapshot(log(), "s", {head, "older"}), IsOk());
    head = MustAppend("s", head, {"y"}, 7000);
    EXPECT_THAT(SaveSnapshot(log(), "s", {head, "newer"}), IsOk());
    return head;
  }

  // "s" is as if it had never been, by all that the port tells.
  void ExpectNeverWas() {
    EXPECT_EQ(Read(log(), "s", 1)->head, Head{});
    EXPECT_EQ(Read(log(), "s", 1)->oldest, domain::Revision(1));
    EXPECT_THAT(Read(log(), "s", 1)->records, IsEmpty());
    const absl::StatusOr<log::LoadResult> load = Load(log(), "s");
    ASSERT_THAT(load, IsOk());
    EXPECT_EQ(load->head, Head{});
    EXPECT_FALSE(load->snapshot.has_value());
    EXPECT_THAT(load->tail.records, IsEmpty());
    EXPECT_THAT(*Due(log(), kEver, 10), IsEmpty());
    EXPECT_THAT(Ids("", 10), IsEmpty());
    EXPECT_THAT(SaveSnapshot(log(), "s", {older_, "late"}),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  }

  Head MustBeginAnew(const std::string& showtime, const std::vector<std::string>& bytes) {
    const log::AppendResult result =
        Append(log(), AppendOf(showtime, Head{}, bytes, std::nullopt, "epoch-2"));
    EXPECT_EQ(result.outcome, Outcome::kAppended) << result.status;
    return result.head;
  }

  Head older_;
};

TEST_P(DeleteConformance, ADeletedShowtimeIsOneThatNeverWas) {
  MustFillWhole();
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  ExpectNeverWas();
}

TEST_P(DeleteConformance, WhatNeverWasMayBeDeletedAndMoreThanOnce) {
  EXPECT_THAT(Delete(log(), "s"), IsOk());
  MustFill("s", 2);
  EXPECT_THAT(Delete(log(), "s"), IsOk());
  EXPECT_THAT(Delete(log(), "s"), IsOk());
  ExpectNeverWas();
}

TEST_P(DeleteConformance, WhoeverExpectsAFormerHeadGetsAConflictWithAnEmptyHistory) {
  const std::vector<Head> heads = MustFill("s", 3);
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  for (const Head& former : {heads[3], heads[1]}) {
    const log::AppendResult result = Append(log(), AppendOf("s", former, {"late"}));
    EXPECT_EQ(result.outcome, Outcome::kConflict);
    EXPECT_EQ(result.head, Head{});
    EXPECT_THAT(result.missed, IsEmpty());
  }
  EXPECT_THAT(Ids("", 10), IsEmpty());
}

TEST_P(DeleteConformance, ANewHistoryHasNothingOfTheFormerOne) {
  const Head former = MustFillWhole();
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  const Head head = MustBeginAnew("s", {"new 1", "new 2"});

  EXPECT_EQ(head.revision, domain::Revision(2));
  EXPECT_THAT(AllBytes("s"), ElementsAre("new 1", "new 2"));
  EXPECT_FALSE(Load(log(), "s")->snapshot.has_value());
  EXPECT_THAT(*Due(log(), kEver, 10), IsEmpty());
  EXPECT_THAT(MustList("", 10), ElementsAre(ListedShowtime{domain::ShowtimeId("s"), head, 2000}));
  const log::AppendResult late = Append(log(), AppendOf("s", former, {"late"}));
  EXPECT_EQ(late.outcome, Outcome::kConflict);
  EXPECT_EQ(late.head, head);
  EXPECT_THAT(late.missed, IsEmpty());
  EXPECT_THAT(SaveSnapshot(log(), "s", {former, "late"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(DeleteConformance, OthersKeepWhatTheyHave) {
  const std::vector<Head> before = MustFill("r", 3);
  ASSERT_THAT(SaveSnapshot(log(), "r", {before[2], "at 2"}), IsOk());
  MustFillWhole();
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  // Showtimes that come into being while the former one's records are still cleared away.
  std::vector<Head> heads;
  for (int i = 0; i < 20; ++i) heads.push_back(MustBeginAnew("t" + std::to_string(i), {"1", "2"}));

  EXPECT_THAT(AllBytes("r"), ElementsAre("r1", "r2", "r3"));
  EXPECT_EQ(Load(log(), "r")->snapshot->bytes, "at 2");
  for (int i = 0; i < 20; ++i) {
    const std::string id = "t" + std::to_string(i);
    EXPECT_THAT(AllBytes(id), ElementsAre("1", "2"));
    EXPECT_FALSE(Load(log(), id)->snapshot.has_value());
    EXPECT_EQ(Append(log(), AppendOf(id, heads[i], {"3"})).outcome, Outcome::kAppended);
  }
}

TEST_P(DeleteConformance, ADeletedShowtimeStaysSoAfterReopening) {
  if (!under_test().WhyNoReopen().empty()) GTEST_SKIP() << under_test().WhyNoReopen();
  const Head former = MustFillWhole();
  const Head other = MustAppend("t", Head{}, {"a"});
  const std::string generation = log().Generation();
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  under_test().Reopen();
  EXPECT_EQ(log().Generation(), generation);
  EXPECT_EQ(Append(log(), AppendOf("s", former, {"late"})).outcome, Outcome::kConflict);
  EXPECT_EQ(MustAppend("t", other, {"b"}).revision, domain::Revision(2));
  ASSERT_THAT(Delete(log(), "t"), IsOk());
  ExpectNeverWas();
  MustBeginAnew("s", {"new"});
  under_test().Reopen();
  EXPECT_THAT(AllBytes("s"), ElementsAre("new"));
}

TEST_P(DeleteConformance, ADamagedShowtimeCanBeDeleted) {
  if (!under_test().WhyNoTampering().empty()) GTEST_SKIP() << under_test().WhyNoTampering();
  MustFill("s", 3);
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1;"
                              "UPDATE showtimes SET base_chain = x'00' WHERE key = 1",
                       .lua = "redis.call('DEL', key.s.log); redis.call('SET', key.s.log, 'x')"});
  ASSERT_THAT(Load(log(), "s"), StatusIs(absl::StatusCode::kDataLoss));
  ASSERT_THAT(Delete(log(), "s"), IsOk());
  ExpectNeverWas();
  MustBeginAnew("s", {"new"});
  EXPECT_THAT(AllBytes("s"), ElementsAre("new"));
}

INSTANTIATE_TEST_SUITE_P(Stores, ListConformance,
                         ::testing::Values(MemoryKind(), SqliteKind(), RedisKind(), TwoRedisKind()),
                         KindName);
INSTANTIATE_TEST_SUITE_P(Stores, DeleteConformance,
                         ::testing::Values(MemoryKind(), SqliteKind(), RedisKind(), TwoRedisKind()),
                         KindName);

}  // namespace
}  // namespace seatlock::testing
