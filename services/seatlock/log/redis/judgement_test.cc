#include "services/seatlock/log/redis/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/seatlock/log/redis/keys.h"
#include "services/seatlock/log/redis/limits.h"

namespace seatlock::log {
namespace {

using ::testing::HasSubstr;
using Kind = Verdict::Kind;

constexpr JudgedFor kStrictOfOne{.profile = RedisProfile::kStrict, .replicas = 1, .promotable = 1};
constexpr JudgedFor kRelaxed{.profile = RedisProfile::kRelaxed, .replicas = 0};

class JudgementTest : public ::testing::Test {
 protected:
  PipelineEnd end_{.barrier = {},
                   .time = {},
                   .installation = "aaaaaaaaaaaaaaaa",
                   .layout = kRedisLayout,
                   .counter = 8,
                   .acknowledged = 1,
                   .role = "master",
                   .replication_id = "1111111111111111",
                   .connected_replicas = 1};
  StoreView view_{
      .replication_id = "1111111111111111", .installation = "aaaaaaaaaaaaaaaa", .counter = 7};

  void ExpectVerdict(Kind strict, Kind relaxed) {
    EXPECT_EQ(Judge(end_, view_, kStrictOfOne).kind, strict);
    EXPECT_EQ(Judge(end_, view_, kRelaxed).kind, relaxed);
  }
};

TEST_F(JudgementTest, CountsWhereNothingIsWrong) {
  ExpectVerdict(Kind::kCounts, Kind::kCounts);
}

TEST_F(JudgementTest, AServerThatIsNoPrimaryIsNotBelieved) {
  end_.role = "slave";
  ExpectVerdict(Kind::kGone, Kind::kGone);
}

TEST_F(JudgementTest, ARefusedInfoIsNotTakenForARole) {
  end_.role = "";
  end_.replication = absl::UnavailableError("redis refuses: NOPERM");
  ExpectVerdict(Kind::kNotReady, Kind::kNotReady);
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).why, end_.replication);
}

TEST_F(JudgementTest, ARestoreUnderWayIsNamedAndIsNoMissingMarker) {
  end_.installation = "";
  EXPECT_THAT(std::string(Judge(end_, view_, kRelaxed).why.message()),
              HasSubstr("no installation marker"));
  end_.restoring = true;
  ExpectVerdict(Kind::kNotReady, Kind::kNotReady);
  EXPECT_THAT(std::string(Judge(end_, view_, kRelaxed).why.message()),
              HasSubstr("a restore into the store is under way"));
}

TEST_F(JudgementTest, ARefusedLastWriteCountsForNothing) {
  end_.barrier = absl::UnavailableError("redis refuses: NOREPLICAS");
  ExpectVerdict(Kind::kNotReady, Kind::kNotReady);
}

TEST_F(JudgementTest, WithoutOurFunctionsTheSessionBeginsAnew) {
  end_.barrier = absl::UnavailableError("redis refuses: ERR Function not found");
  ExpectVerdict(Kind::kGone, Kind::kGone);
}

TEST_F(JudgementTest, WithoutAMarkerOrWithANewerLayoutNothingCounts) {
  end_.layout = kRedisLayout + 1;
  ExpectVerdict(Kind::kNotReady, Kind::kNotReady);
  end_.installation = "";
  ExpectVerdict(Kind::kNotReady, Kind::kNotReady);
}

TEST_F(JudgementTest, StrictNeedsAllThatAreWantedAndAllThatAreConnected) {
  end_.acknowledged = 0;
  ExpectVerdict(Kind::kNotReady, Kind::kCounts);
  end_.acknowledged = -1;
  ExpectVerdict(Kind::kNotReady, Kind::kCounts);
  end_.acknowledged = 1;
  end_.connected_replicas = 2;  // Sentinel may promote the other
  ExpectVerdict(Kind::kNotReady, Kind::kCounts);
}

// WAIT does not say whose acknowledgement it counts.
TEST_F(JudgementTest, AReplicaThatIsNeverPromotedStandsInForNone) {
  JudgedFor wanted = kStrictOfOne;
  wanted.promotable = 0;
  EXPECT_EQ(Judge(end_, view_, wanted).kind, Kind::kNotReady);
  wanted.profile = RedisProfile::kRelaxed;
  EXPECT_EQ(Judge(end_, view_, wanted).kind, Kind::kCounts);
}

TEST_F(JudgementTest, ACounterThatIsNotAboveAConfirmedOneIsALoss) {
  end_.counter = 7;
  ExpectVerdict(Kind::kLost, Kind::kOtherHistory);
  end_.replication_id = "2222222222222222";  // also after a failover
  ExpectVerdict(Kind::kLost, Kind::kOtherHistory);
  end_.installation = "bbbbbbbbbbbbbbbb";  // an operator accepts it
  ExpectVerdict(Kind::kOtherHistory, Kind::kOtherHistory);
}

// Servers that had not confirmed as much go on, and raise the counter.
TEST_F(JudgementTest, ALossStaysOneUntilTheHistoryIsAnother) {
  end_.counter = 5;
  const Verdict lost = Judge(end_, view_, kStrictOfOne);
  ASSERT_EQ(lost.kind, Kind::kLost);
  view_.loss = lost.loss;
  end_.counter = 100;
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).kind, Kind::kLost);
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).why, lost.why) << "one reason, told once";
  // Redis was started anew, with its data or without them.
  end_.replication_id = "2222222222222222";
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).kind, Kind::kOtherHistory);
  EXPECT_FALSE(ViewOf(end_).loss);
  end_.counter = 6;
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).kind, Kind::kLost);
  end_.installation = "bbbbbbbbbbbbbbbb";  // an operator accepts it
  EXPECT_EQ(Judge(end_, view_, kStrictOfOne).kind, Kind::kOtherHistory);
}

TEST_F(JudgementTest, AnotherReplicationIdIsAnotherHistory) {
  end_.replication_id = "1111111111111112";
  ExpectVerdict(Kind::kOtherHistory, Kind::kOtherHistory);
  EXPECT_NE(ViewOf(end_).Generation(), view_.Generation());
}

TEST_F(JudgementTest, OnlyWhatRedisRefusesBeforeItRunsAFunctionIsCertain) {
  for (const char* refused :
       {"READONLY You can't write", "NOREPLICAS Not enough", "MISCONF Redis is configured",
        "LOADING Redis is loading", "ERR Function not found", "NOPERM this user"}) {
    EXPECT_EQ(MeaningOf(refused), ErrorMeaning::kNothingDone) << refused;
  }
  EXPECT_EQ(MeaningOf("OOM command not allowed"), ErrorMeaning::kNoRoom);
  for (const char* unknown : {"HALFWAY OOM command not allowed", "HALFWAY READONLY", "ERR",
                              "WRONGTYPE Operation", "UNKILLABLE", "", "OOMPH"}) {
    EXPECT_EQ(MeaningOf(unknown), ErrorMeaning::kUnknown) << unknown;
  }
}

TEST_F(JudgementTest, InfoIsReadFieldByField) {
  PipelineEnd end;
  ReadReplication(
      "# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"
      "slave0:ip=10.0.0.2,port=6380,state=online,offset=1,lag=0\r\nmaster_replid:ab\r\n",
      end);
  EXPECT_EQ(end.role, "master");
  EXPECT_EQ(end.connected_replicas, 2);
  ASSERT_EQ(end.replicas.size(), 1u);
  EXPECT_EQ(end.replicas[0].address.port, 6380);
  EXPECT_EQ(end.replication_id, "ab");
}

TEST(RedisKeysTest, NothingOfAnIdReachesTheHashTag) {
  const domain::ShowtimeId id(std::string("a}{sl:00}\0%:é", 14));
  EXPECT_EQ(EncodedId(id), "a%7D%7Bsl%3A00%7D%00%25%3A%C3%A9");
  const std::string key = ShowtimeKey("sl", id, "head");
  EXPECT_EQ(key.find('{'), 0u);
  EXPECT_EQ(key.find('}'), std::string("{sl:00").size());
  EXPECT_EQ(key.rfind('}'), key.find('}'));
}

// In the names of the keys: another answer would lose the store.
TEST(RedisKeysTest, PartitionsNeverChange) {
  EXPECT_EQ(ShowtimeKey("sl", domain::ShowtimeId("123"), "head"), "{sl:03}:head:123");
}

TEST(RedisKeysTest, ShowtimesSpreadOverAllPartitions) {
  std::vector<int> showtimes(kRedisPartitions);
  for (int i = 0; i < 6400; ++i) ++showtimes[PartitionOf(domain::ShowtimeId(std::to_string(i)))];
  for (int count : showtimes) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 200);
  }
}

}  // namespace
}  // namespace seatlock::log
