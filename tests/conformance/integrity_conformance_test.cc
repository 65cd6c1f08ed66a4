// Conformance of every store: what was altered behind its back is noticed when it is read. The
// first test is the control: the same showtimes, read untouched, are fine.
#include "tests/conformance/conformance_fixture.h"

namespace seatlock::testing {
namespace {

using log::Head;
using ::testing::AllOf;
using ::testing::HasSubstr;

class IntegrityConformance : public LogConformance {
 protected:
  // Showtimes "s" (key 1) and "t" (key 2), of 8 records each.
  void SetUp() override {
    if (!under_test().WhyNoTampering().empty()) GTEST_SKIP() << under_test().WhyNoTampering();
    heads_ = MustFill("s", 8);
    MustFill("t", 8);
  }

  void MustSnapshot(int older, int newer) {
    for (int at : {older, newer}) {
      ASSERT_THAT(SaveSnapshot(log(), "s", {heads_[at], "at " + std::to_string(at)}), IsOk());
    }
  }

  // Reading "s" from 1 fails and names the showtime and `revision`.
  void ExpectLossAt(int revision) {
    const absl::StatusOr<log::Page> page = Read(log(), "s", 1);
    EXPECT_THAT(page, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(std::string(page.status().message()), Names(revision));
    EXPECT_THAT(Load(log(), "s"), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(AllBytes("t").size(), 8u) << "another showtime has suffered";
  }

  // Loading "s" fails and names the showtime and `revision`.
  void ExpectLoadLossAt(int revision) {
    const absl::StatusOr<log::LoadResult> load = Load(log(), "s");
    EXPECT_THAT(load, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(std::string(load.status().message()), Names(revision));
  }

  static ::testing::Matcher<std::string> Names(int revision) {
    return HasSubstr("showtime s, revision " + std::to_string(revision) + ":");
  }

  std::vector<Head> heads_;
};

TEST_P(IntegrityConformance, UntouchedHistoryVerifies) {
  MustSnapshot(3, 5);
  under_test().Tamper({.sql = "UPDATE records SET bytes = bytes",
                       .lua = R"lua(store('s', entries('s')))lua",
                       .changes = false});
  EXPECT_EQ(AllBytes("s").size(), 8u);
  EXPECT_THAT(Load(log(), "s"), IsOk());
}

TEST_P(IntegrityConformance, AlteredBytesAreNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE records SET bytes = x'00' WHERE showtime = 1 AND revision = 4",
       .lua = R"lua(local e = entries('s'); e[4].b = '\0'; store('s', e))lua"});
  ExpectLossAt(4);
}

TEST_P(IntegrityConformance, AnAlteredChainIsNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE records SET chain = zeroblob(32) WHERE showtime = 1 AND revision = 4",
       .lua =
           R"lua(local e = entries('s')
                  e[4].c = string.rep('\0', 32) .. string.sub(e[4].c, 33)
                  store('s', e))lua"});
  ExpectLossAt(4);
}

TEST_P(IntegrityConformance, AChainOfAWrongSizeIsNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE records SET chain = x'01' WHERE showtime = 1 AND revision = 8",
       .lua = R"lua(local e = entries('s'); e[8].c = '\1'; store('s', e))lua"});
  ExpectLossAt(8);
}

TEST_P(IntegrityConformance, AnAlteredCommitTimeIsNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE records SET commit_ms = commit_ms + 1 WHERE showtime = 1 AND revision = 6",
       .lua = R"lua(local e = entries('s'); e[6].t = e[6].t + 1; store('s', e))lua"});
  ExpectLossAt(6);
}

TEST_P(IntegrityConformance, AMissingRecordIsNoticed) {
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1 AND revision = 3",
                       .lua = R"lua(redis.call('XDEL', key.s.log, '3-0'))lua"});
  ExpectLossAt(3);
}

TEST_P(IntegrityConformance, AMissingFirstRecordIsNoticed) {
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1 AND revision = 1",
                       .lua = R"lua(redis.call('XDEL', key.s.log, '1-0'))lua"});
  ExpectLossAt(1);
}

TEST_P(IntegrityConformance, MissingRecordsAtTheEdgeOfAPageAreNoticed) {
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1 AND revision = 3",
                       .lua = R"lua(redis.call('XDEL', key.s.log, '3-0'))lua"});
  EXPECT_THAT(Read(log(), "s", 4), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Read(log(), "s", 3), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(IntegrityConformance, SwappedRecordsAreNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE records SET revision = 100 WHERE showtime = 1 AND revision = 2;"
              "UPDATE records SET revision = 2 WHERE showtime = 1 AND revision = 3;"
              "UPDATE records SET revision = 3 WHERE showtime = 1 AND revision = 100;",
       .lua = R"lua(local e = entries('s'); e[2], e[3] = e[3], e[2]; store('s', e))lua"});
  ExpectLossAt(2);
}

TEST_P(IntegrityConformance, ARecordOfAnotherShowtimeIsNoticed) {
  // Whole, its own chain and seal with it: records of both read "r5".
  under_test().Tamper(
      {.sql = "INSERT OR REPLACE INTO records SELECT 1, revision, commit_ms, chain, seal, bytes "
              "FROM records WHERE showtime = 2 AND revision = 5",
       .lua = R"lua(local e = entries('s'); e[5] = entries('t')[5]; store('s', e))lua"});
  ExpectLossAt(5);
}

TEST_P(IntegrityConformance, AnotherShowtimesWholeHistoryIsNoticed) {
  under_test().Tamper(
      {.sql = "INSERT OR REPLACE INTO records SELECT 1, revision, commit_ms, chain, seal, bytes "
              "FROM records WHERE showtime = 2",
       .lua = R"lua(store('s', entries('t')))lua"});
  ExpectLossAt(1);
}

TEST_P(IntegrityConformance, AnotherEpochIsNoticed) {
  under_test().Tamper(
      {.sql = "UPDATE showtimes SET epoch = 'epoch-2', base_chain = zeroblob(32) WHERE key = 1",
       .lua = R"lua(redis.call('HSET', key.s.head, 'epoch', 'epoch-2', 'base', ''))lua"});
  ExpectLossAt(1);
}

TEST_P(IntegrityConformance, AnAlteredSnapshotIsNoticed) {
  MustSnapshot(3, 5);
  under_test().Tamper(
      {.sql = "UPDATE snapshots SET bytes = x'00' WHERE showtime = 1 AND revision = 5",
       .lua = R"lua(redis.call('HSET', key.s.snap, 'b:bytes', '\0'))lua"});
  ExpectLoadLossAt(5);
}

TEST_P(IntegrityConformance, ASnapshotOfAnotherHistoryIsPassedOver) {
  MustSnapshot(3, 5);
  under_test().Tamper(
      {.sql = "UPDATE snapshots SET epoch = 'old' WHERE showtime = 1 AND revision = 5",
       .lua = R"lua(redis.call('HSET', key.s.snap, 'b:epoch', 'old'))lua"});
  absl::StatusOr<log::LoadResult> load = Load(log(), "s");
  ASSERT_THAT(load, IsOk());
  EXPECT_EQ(load->snapshot->head, heads_[3]);
  EXPECT_EQ(load->tail.records.size(), 5u);
}

TEST_P(IntegrityConformance, ATailCutOffBelowTheSnapshotIsNoticed) {
  MustSnapshot(3, 5);
  under_test().Tamper(
      {.sql = "DELETE FROM records WHERE showtime = 1 AND revision > 4",
       .lua = R"lua(local e = entries('s'); for i = 5, 8 do e[i] = nil end; store('s', e))lua"});
  ExpectLoadLossAt(5);
}

TEST_P(IntegrityConformance, ATailCutOffBelowTheLastWakeTimeIsNoticed) {
  const Head ninth = MustAppend("s", heads_[8], {"r9"}, 7000);
  MustAppend("s", ninth, {"r10"}, 7000);
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1 AND revision > 8",
                       .lua = R"lua(redis.call('XDEL', key.s.log, '9-0', '10-0'))lua"});
  ExpectLossAt(9);
  const log::AppendResult result = Append(log(), AppendOf("s", heads_[8], {"x"}));
  EXPECT_EQ(result.outcome, Outcome::kNotAppended);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(IntegrityConformance, AWholeHistoryThatIsGoneIsNoticed) {
  under_test().Tamper({.sql = "DELETE FROM records WHERE showtime = 1",
                       .lua = R"lua(redis.call('DEL', key.s.log))lua"});
  ExpectLossAt(1);
}

TEST_P(IntegrityConformance, TheTrimmedRecordsChainIsNeeded) {
  MustSnapshot(3, 5);
  ASSERT_THAT(Trim(log(), "s", INT64_MAX, 0), IsOk());
  ASSERT_EQ(AllBytes("s", 4).size(), 5u);
  under_test().Tamper(
      {.sql = "UPDATE showtimes SET base_chain = zeroblob(32) WHERE key = 1",
       .lua = R"lua(redis.call('HSET', key.s.head, 'base', string.rep('\0', 40)))lua"});
  const absl::StatusOr<log::Page> page = Read(log(), "s", 4);
  EXPECT_THAT(page, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(page.status().message()), Names(4));
}

TEST_P(IntegrityConformance, TrimmedRecordsWithoutASnapshotAreNoticed) {
  MustSnapshot(3, 5);
  ASSERT_THAT(Trim(log(), "s", INT64_MAX, 0), IsOk());
  under_test().Tamper(
      {.sql = "DELETE FROM snapshots", .lua = R"lua(redis.call('DEL', key.s.snap))lua"});
  ExpectLoadLossAt(3);
}

INSTANTIATE_TEST_SUITE_P(Stores, IntegrityConformance,
                         ::testing::Values(MemoryKind(), SqliteKind(), RedisKind(), TwoRedisKind()),
                         KindName);

}  // namespace
}  // namespace seatlock::testing
