// Conformance of every store: reading, snapshots, trimming, reopening.
#include "tests/conformance/conformance_fixture.h"

namespace seatlock::testing {
namespace {

using log::Head;
using log::LoadResult;
using log::Page;
using log::StoredSnapshot;

constexpr int64_t kEver = INT64_MAX;

class HistoryConformance : public LogConformance {};

TEST_P(HistoryConformance, AnUnknownShowtimeIsEmpty) {
  absl::StatusOr<Page> page = Read(log(), "s", 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, Head{});
  EXPECT_EQ(page->oldest, domain::Revision(1));
  EXPECT_TRUE(page->records.empty());
  absl::StatusOr<LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->head, Head{});
  EXPECT_FALSE(load->snapshot.has_value());
  EXPECT_TRUE(load->tail.records.empty());
}

TEST_P(HistoryConformance, ReadsFromARevision) {
  const std::vector<Head> heads = MustFill("s", 5);
  absl::StatusOr<Page> page = Read(log(), "s", 4);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, heads[5]);
  EXPECT_EQ(page->oldest, domain::Revision(1));
  ASSERT_EQ(page->records.size(), 2u);
  EXPECT_EQ(page->records[0].bytes, "r4");
  EXPECT_EQ(page->records[0].commit_ms, 4000);
  EXPECT_TRUE(Read(log(), "s", 6)->records.empty());
  EXPECT_TRUE(Read(log(), "s", 600)->records.empty());
}

TEST_P(HistoryConformance, PagesAreBoundedByRecords) {
  MustAppend("s", Head{}, std::vector<std::string>(2 * log::kPageRecordsMax + 1, "x"));
  EXPECT_EQ(Read(log(), "s", 1)->records.size(), log::kPageRecordsMax);
  EXPECT_EQ(AllBytes("s").size(), 2 * log::kPageRecordsMax + 1);
}

TEST_P(HistoryConformance, APageHoldsNoMoreThanAskedFor) {
  const std::vector<Head> heads = MustFill("s", 5);
  absl::StatusOr<Page> page = Read(log(), "s", 2, 1);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->head, heads[5]);
  ASSERT_EQ(page->records.size(), 1u);
  EXPECT_EQ(page->records[0].bytes, "r2");
  EXPECT_EQ(Read(log(), "s", 2, 3)->records.size(), 3u);
  EXPECT_EQ(Read(log(), "s", 2, 5)->records.size(), 4u);
  MustAppend("t", Head{}, std::vector<std::string>(log::kPageRecordsMax + 1, "x"));
  EXPECT_EQ(Read(log(), "t", 1, SIZE_MAX)->records.size(), log::kPageRecordsMax);
}

TEST_P(HistoryConformance, PagesAreBoundedByBytes) {
  MustAppend("s", Head{}, std::vector<std::string>(10, std::string(log::kPageBytesMax / 4, 'x')));
  EXPECT_EQ(Read(log(), "s", 1)->records.size(), 4u);
  EXPECT_EQ(AllBytes("s").size(), 10u);
}

TEST_P(HistoryConformance, ARecordLargerThanAPageIsAPageOfItsOwn) {
  MustAppend("s", Head{}, {std::string(2 * log::kPageBytesMax, 'x'), "y"});
  EXPECT_EQ(Read(log(), "s", 1)->records.size(), 1u);
  EXPECT_EQ(AllBytes("s").size(), 2u);
}

TEST_P(HistoryConformance, LoadsAllRecordsWhereThereIsNoSnapshot) {
  const std::vector<Head> heads = MustFill("s", 3);
  absl::StatusOr<LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->head, heads[3]);
  EXPECT_FALSE(load->snapshot.has_value());
  EXPECT_EQ(load->tail.records.size(), 3u);
  EXPECT_EQ(load->tail.head, heads[3]);
}

TEST_P(HistoryConformance, LoadsTheNewestSnapshotAndWhatCameAfterIt) {
  const std::vector<Head> heads = MustFill("s", 6);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[2], "at 2"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[4], "at 4"}), IsOk());
  absl::StatusOr<LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->snapshot, (StoredSnapshot{heads[4], "at 4"}));
  ASSERT_EQ(load->tail.records.size(), 2u);
  EXPECT_EQ(load->tail.records[0].bytes, "r5");
  EXPECT_EQ(load->head, heads[6]);
}

TEST_P(HistoryConformance, ASnapshotOfTheHeadHasNoTail) {
  const std::vector<Head> heads = MustFill("s", 2);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[2], ""}), IsOk());
  absl::StatusOr<LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  ASSERT_TRUE(load->snapshot.has_value());
  EXPECT_EQ(load->snapshot->bytes, "");
  EXPECT_TRUE(load->tail.records.empty());
}

TEST_P(HistoryConformance, AnOlderSnapshotDoesNotReplaceTheNewest) {
  const std::vector<Head> heads = MustFill("s", 6);
  for (int at : {5, 3, 1}) {
    ASSERT_THAT(SaveSnapshot(log(), "s", {heads[at], "at " + std::to_string(at)}), IsOk());
  }
  EXPECT_EQ(Load(log(), "s")->snapshot->head, heads[5]);
}

TEST_P(HistoryConformance, ASnapshotThatIsNotInTheHistoryIsRefused) {
  const std::vector<Head> heads = MustFill("s", 3);
  Head other_chain = heads[2];
  other_chain.chain[5] ^= 1;
  Head other_epoch = heads[2];
  other_epoch.epoch = domain::Epoch("epoch-2");
  Head ahead = heads[3];
  ahead.revision = domain::Revision(4);
  for (const Head& head : {other_chain, other_epoch, ahead, Head{}}) {
    EXPECT_THAT(SaveSnapshot(log(), "s", {head, "x"}),
                StatusIs(absl::StatusCode::kFailedPrecondition));
  }
  EXPECT_THAT(SaveSnapshot(log(), "unknown", {heads[1], "x"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(Load(log(), "s")->snapshot.has_value());
}

TEST_P(HistoryConformance, NothingIsTrimmedBelowTwoSnapshots) {
  const std::vector<Head> heads = MustFill("s", 6);
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[5], "at 5"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  EXPECT_EQ(AllBytes("s").size(), 6u);
  EXPECT_THAT(Trim(log(), "unknown", kEver, 0), IsOk());
}

TEST_P(HistoryConformance, TrimmingStopsAtTheOlderOfTwoSnapshots) {
  const std::vector<Head> heads = MustFill("s", 9);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[4], "at 4"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[7], "at 7"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  absl::StatusOr<Page> page = Read(log(), "s", 5);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->oldest, domain::Revision(5));
  EXPECT_EQ(page->records.size(), 5u);
  EXPECT_EQ(page->head, heads[9]);
  EXPECT_TRUE(Read(log(), "s", 4)->records.empty());
}

TEST_P(HistoryConformance, TrimmingKeepsWhatIsYoungAndTheLastRecords) {
  const std::vector<Head> heads = MustFill("s", 9);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[7], "at 7"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[8], "at 8"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", 3000, 0), IsOk());  // record 3 is of that time
  EXPECT_EQ(Read(log(), "s", 3)->oldest, domain::Revision(3));
  ASSERT_THAT(Trim(log(), "s", kEver, 5), IsOk());
  EXPECT_EQ(Read(log(), "s", 5)->oldest, domain::Revision(5));
  ASSERT_THAT(Trim(log(), "s", kEver, 100), IsOk());
  EXPECT_EQ(AllBytes("s", 5).size(), 5u);
}

TEST_P(HistoryConformance, ALongHistoryIsTrimmedWhole) {
  Head head = MustAppend("s", Head{}, std::vector<std::string>(6000, "x"));
  ASSERT_THAT(SaveSnapshot(log(), "s", {head, "older"}), IsOk());
  head = MustAppend("s", head, {"y"});
  ASSERT_THAT(SaveSnapshot(log(), "s", {head, "newer"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  absl::StatusOr<Page> page = Read(log(), "s", 6001);
  ASSERT_THAT(page, IsOk());
  EXPECT_EQ(page->oldest, domain::Revision(6001));
  EXPECT_EQ(page->records.size(), 1u);
}

TEST_P(HistoryConformance, ATrimmedShowtimeGoesOn) {
  const std::vector<Head> heads = MustFill("s", 9);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[7], "at 7"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[8], "at 8"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());

  const Head tenth = MustAppend("s", heads[9], {"r10"});
  absl::StatusOr<LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->snapshot->head, heads[8]);
  EXPECT_EQ(load->tail.records.size(), 2u);
  EXPECT_EQ(load->tail.oldest, domain::Revision(8));

  // Conflicts tell what was missed as far as it is kept.
  EXPECT_EQ(Append(log(), AppendOf("s", heads[7], {"x"})).missed.size(), 3u);
  const log::AppendResult trimmed = Append(log(), AppendOf("s", heads[3], {"x"}));
  EXPECT_TRUE(trimmed.missed.empty());
  EXPECT_FALSE(trimmed.rewritten);
  EXPECT_TRUE(Append(log(), AppendOf("s", Head{}, {"x"})).missed.empty());
  EXPECT_EQ(Append(log(), AppendOf("s", tenth, {"r11"})).outcome, Outcome::kAppended);
}

TEST_P(HistoryConformance, ReopeningKeepsEverything) {
  if (!under_test().WhyNoReopen().empty()) GTEST_SKIP() << under_test().WhyNoReopen();
  const std::vector<Head> heads = MustFill("s", 9);
  const Head other = MustAppend("other", Head{}, {"a", "b"}, 5000);
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[4], "at 4"}), IsOk());
  ASSERT_THAT(SaveSnapshot(log(), "s", {heads[6], "at 6"}), IsOk());
  ASSERT_THAT(Trim(log(), "s", kEver, 0), IsOk());
  const absl::StatusOr<Page> before = Read(log(), "s", 5);

  under_test().Reopen();

  absl::StatusOr<Page> after = Read(log(), "s", 5);
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(after->head, heads[9]);
  EXPECT_EQ(after->oldest, domain::Revision(5));
  EXPECT_EQ(after->records, before->records);
  EXPECT_EQ(Load(log(), "s")->snapshot, (StoredSnapshot{heads[6], "at 6"}));
  const std::vector<log::DueShowtime> due = {
      {.showtime = domain::ShowtimeId("other"), .wake_ms = 5000}};
  EXPECT_EQ(*Due(log(), 5000, 10), due);
  EXPECT_EQ(Append(log(), AppendOf("other", Head{}, {"late"})).head, other);
  EXPECT_EQ(MustAppend("other", other, {"c"}).revision, domain::Revision(3));
}

INSTANTIATE_TEST_SUITE_P(Stores, HistoryConformance,
                         ::testing::Values(MemoryKind(), SqliteKind(), RedisKind(), TwoRedisKind()),
                         KindName);

}  // namespace
}  // namespace seatlock::testing
