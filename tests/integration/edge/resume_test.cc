// A browser's resume on a real edge: from the room's history, from a backfill, from a position that
// the edge has not reached. What follows is never partial and never older than what the browser
// had.
#include <fmt/format.h>

#include "tests/integration/edge/edge_test_base.h"
#include "tests/testing/http_get.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kBeyondHistory = 1500;  // More changes than a room keeps (1,024).

std::string ResumeAt(int64_t revision, const std::string& epoch = "epoch-1") {
  return fmt::format(R"(,"resume":{{"epoch":"{}","revision":{}}})", epoch, revision);
}

class ResumeTest : public EdgeTest {
 protected:
  void SayLocks(int from, int to) {
    for (int i = from; i <= to; ++i) {
      service_.Say("1", ChangeOf(v1::CHANGE_CAUSE_LOCK, {LockedSeat(fmt::format("S{}", i), "s")}));
    }
  }

  // Expects `subscribed` at `from` and then each change up to `to`, in order.
  static void ExpectMissed(WsClient& client, int64_t from, int64_t to) {
    const auto subscribed = client.NextJson();
    ASSERT_THAT(subscribed, IsOk());
    ASSERT_EQ(subscribed->at("type").as_string(), "subscribed");
    EXPECT_TRUE(subscribed->at("recovered").as_bool());
    EXPECT_EQ(subscribed->at("revision").as_int64(), from);
    for (int64_t revision = from + 1; revision <= to; ++revision) {
      const auto change = client.NextJson();
      ASSERT_THAT(change, IsOk());
      ASSERT_EQ(change->at("type").as_string(), "seat_status_change");
      ASSERT_EQ(change->at("revision").as_int64(), revision);
      ASSERT_EQ(change->at("seatId").as_string(), fmt::format("S{}", revision));
    }
  }

  // Expects `subscribed` without recovery, and the state at `revision`.
  static void ExpectSnapshot(WsClient& client, int64_t revision) {
    const auto subscribed = client.NextJson();
    ASSERT_THAT(subscribed, IsOk());
    EXPECT_FALSE(subscribed->at("recovered").as_bool());
    EXPECT_EQ(subscribed->at("revision").as_int64(), revision);
    const auto state = client.NextOfType("current_seat_status");
    ASSERT_THAT(state, IsOk());
    EXPECT_EQ(state->at("revision").as_int64(), revision);
  }

  int64_t Metric(const std::string& name) {
    const auto answer = HttpGet(edge_->admin_address(), "/metrics");
    EXPECT_THAT(answer, IsOk());
    if (!answer.ok()) return -1;
    const size_t at = answer->body.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stoll(answer->body.substr(at + name.size() + 2));
  }
  void WaitForMetric(const std::string& name, int64_t at_least) {
    const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
    while (Metric(name) < at_least && std::chrono::steady_clock::now() < deadline) {
    }
    ASSERT_GE(Metric(name), at_least) << name;
  }
};

TEST_F(ResumeTest, ReachesAnEdgeThatWasNotRunningWhenThePositionWasGiven) {
  SayLocks(1, 30);
  StartEdgeWith({});
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(10));
  ExpectMissed(*client, 10, 30);
  SayLocks(31, 32);
  EXPECT_EQ(client->NextOfType("seat_status_change")->at("revision").as_int64(), 31);
}

TEST_F(ResumeTest, ReachesBehindTheRoomsHistory) {
  const auto keeper = Follow("1");
  SayLocks(1, kBeyondHistory);
  for (int i = 0; i < kBeyondHistory; ++i) {
    ASSERT_THAT(keeper->NextOfType("seat_status_change"), IsOk());
  }
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(3));
  ExpectMissed(*client, 3, kBeyondHistory);
}

TEST_F(ResumeTest, OneBackfillServesAllWhoNeedIt) {
  SayLocks(1, 200);
  StartEdgeWith({});
  constexpr int kBrowsers = 100;
  std::vector<std::unique_ptr<WsClient>> browsers;
  for (int i = 0; i < kBrowsers; ++i) browsers.push_back(Connect());
  for (int i = 0; i < kBrowsers; ++i) Subscribe(*browsers[i], "1", ResumeAt(100 + i));
  for (int i = 0; i < kBrowsers; ++i) ExpectMissed(*browsers[i], 100 + i, 200);
  // The first to come may have had one of its own.
  EXPECT_GE(Metric("seatlock_edge_backfills_total"), 1);
  EXPECT_LE(Metric("seatlock_edge_backfills_total"), 3);
}

TEST_F(ResumeTest, WhatIsNoLongerKeptIsASnapshot) {
  SayLocks(1, 20);
  service_.Trim("1");
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(5));
  ExpectSnapshot(*client, 20);
}

TEST_F(ResumeTest, APositionOfAnotherHistoryIsASnapshot) {
  SayLocks(1, 20);
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(15, "another"));
  ExpectSnapshot(*client, 20);
}

TEST_F(ResumeTest, APositionAheadOfTheConfirmedHeadIsASnapshot) {
  SayLocks(1, 20);
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(500));
  ExpectSnapshot(*client, 20);
}

TEST_F(ResumeTest, APositionAheadOfTheEdgeWaitsUntilTheEdgeHasCaughtUp) {
  SayLocks(1, 5);
  const auto keeper = Follow("1");
  service_.HoldBackOpenStreams();
  SayLocks(6, 10);
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(8));
  // Nothing older than the position is told meanwhile.
  EXPECT_THAT(client->Next(WsClient::Millis(300)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  service_.LetGo();
  ExpectMissed(*client, 8, 10);
}

TEST_F(ResumeTest, AStreamThatStaysBehindIsGivenUpForTheConfirmedHead) {
  SayLocks(1, 5);
  const auto keeper = Follow("1");
  service_.HoldBackOpenStreams();
  SayLocks(6, 10);
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(8));
  const auto subscribed = client->NextOfType("subscribed", WsClient::Millis(20'000));
  ASSERT_THAT(subscribed, IsOk());
  EXPECT_GE(subscribed->at("revision").as_int64(), 8);
}

TEST_F(ResumeTest, ABatchClientGetsWhatItMissedInOneFrame) {
  SayLocks(1, 30);
  StartEdgeWith({});
  WsClient::Options options;
  options.subprotocol = "seatlock.v1.batch";
  const auto client = Connect(options);
  Subscribe(*client, "1", ResumeAt(10));
  const auto subscribed = client->NextJson();
  ASSERT_THAT(subscribed, IsOk());
  EXPECT_TRUE(subscribed->at("recovered").as_bool());
  const auto missed = client->NextOfType("seat_changes");
  ASSERT_THAT(missed, IsOk());
  EXPECT_EQ(missed->at("revision").as_int64(), 30);
  EXPECT_EQ(missed->at("changes").as_array().size(), 20u);
}

TEST_F(ResumeTest, WhileTheServiceIsAwayNobodyIsToldOlderThingsThanItKnows) {
  SayLocks(1, 5);
  const auto keeper = Follow("1");
  service_.Stop();
  ASSERT_THAT(keeper->NextOfType("stream_status"), IsOk());
  const auto client = Connect();
  Subscribe(*client, "1", ResumeAt(8));
  EXPECT_THAT(client->Next().value_or(""), HasSubstr("stream_status"));
  EXPECT_THAT(client->Next(WsClient::Millis(300)), StatusIs(absl::StatusCode::kDeadlineExceeded));
  SayLocks(6, 9);
  service_.Start();
  const auto subscribed = client->NextOfType("subscribed");
  ASSERT_THAT(subscribed, IsOk());
  EXPECT_GE(subscribed->at("revision").as_int64(), 8);
}

TEST_F(ResumeTest, AShowtimeThatTheServiceRefusesIsNotTheServicesLoss) {
  SayLocks(1, 3);
  service_.Refuse("2");
  const auto served = Follow("1");
  const auto client = Connect();
  Subscribe(*client, "2");
  WaitForMetric("seatlock_edge_upstream_refused_total", 1);
  SayLocks(4, 4);
  EXPECT_THAT(served->NextOfType("seat_status_change"), IsOk());
  EXPECT_EQ(Metric("seatlock_edge_upstream_lost_total"), 0);
  for (const std::string& line : edge_->process().StderrLines()) {
    EXPECT_THAT(line, ::testing::Not(::testing::HasSubstr("seat service is lost")));
  }
  EXPECT_EQ(Metric("seatlock_edge_rooms"), 1) << "what is refused is let go at once";
}

TEST_F(ResumeTest, AShowtimeThatIsRefusedForAMomentIsLiveAgainWithWhatWasMissed) {
  SayLocks(1, 3);
  const auto client = Follow("1");
  service_.Refuse("1");
  EXPECT_THAT(client->NextOfType("stream_status"), IsOk());
  SayLocks(4, 4);
  service_.ServeAgain("1");
  EXPECT_THAT(client->NextOfType("seat_status_change"), IsOk());
  const auto live = client->NextOfType("stream_status");
  ASSERT_THAT(live, IsOk());
  EXPECT_TRUE(live->at("live").as_bool());
}

}  // namespace
}  // namespace seatlock::testing
