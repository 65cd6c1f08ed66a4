// What one caller, or a crowd, may ask of a real server: rates, lanes, and how old a connection
// gets.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/integration/cluster/followers.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/metric.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"

namespace seatlock::testing {
namespace {

constexpr char kShow[] = "123";
constexpr char kWatches[] =
    "grpc_server_started_total{grpc_type=\"server_stream\",grpc_service=\"seatlock.v1."
    "SeatLockService\",grpc_method=\"WatchShowtime\"}";

std::string Seat(int number) {
  return "A" + std::to_string(number);
}

class RatesTest : public ::testing::Test {
 protected:
  void Serve(std::vector<std::string> args) {
    server_ = std::make_unique<TestServer>(std::move(args));
    ASSERT_THAT(server_->Start(), IsOk());
    client_ = std::make_unique<SeatLockClient>(server_->address());
  }
  // A0 to A99. With a lock a second that owes 99 s: no token comes back during a test.
  void LockHundred(const std::string& session) {
    std::vector<std::string> seats;
    for (int i = 0; i < 100; ++i) seats.push_back(Seat(i));
    ASSERT_TRUE(client_->LockMany(kShow, seats, session).ok());
  }
  double Metric(const std::string& series) { return MetricOf(server_->admin_address(), series); }
  double Refused(const std::string& limit) {
    return Metric("seatlock_rate_limited_total{limit=\"" + limit + "\"}");
  }
  double Appended() { return Metric("seatlock_appends_total{outcome=\"appended\"}"); }

  static void ExpectLimited(const Refusal& refusal, const std::string& limit) {
    EXPECT_EQ(refusal.code, grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(refusal.domain, "seatlock");
    EXPECT_EQ(refusal.reason, "RATE_LIMITED");
    ASSERT_TRUE(refusal.metadata.contains("limit"));
    EXPECT_EQ(refusal.metadata.at("limit"), limit);
    ASSERT_TRUE(refusal.retry_after_ms);
    EXPECT_GE(*refusal.retry_after_ms, 1'000);
    EXPECT_EQ(refusal.unknown_details, "");
  }

  std::unique_ptr<TestServer> server_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(RatesTest, ARefusedLockChangesNothingAndCostsNoStore) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-locks=1"}));
  LockHundred("greedy");
  const double appended = Appended();
  const std::string before = client_->Get(kShow).response.snapshot().ShortDebugString();
  for (int i = 0; i < 20; ++i) {
    ExpectLimited(client_->Lock(kShow, "B1", "other").refusal(), "locks");
    ExpectLimited(client_->Extend(kShow, {"A1"}, "greedy").refusal(), "locks");
  }
  EXPECT_EQ(client_->Get(kShow).response.snapshot().ShortDebugString(), before);
  EXPECT_EQ(Appended(), appended);
  EXPECT_EQ(Refused("locks"), 40);
}

TEST_F(RatesTest, WhatSellsOrGivesBackIsNotALock) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-locks=1"}));
  LockHundred("me");
  ExpectLimited(client_->Lock(kShow, "B1", "me").refusal(), "locks");
  EXPECT_TRUE(client_->Book(kShow, {"A1"}, "me", "order").ok());
  EXPECT_TRUE(client_->Cancel(kShow, {}, "order").ok());
  EXPECT_TRUE(client_->Unlock(kShow, "A2", "me").ok());
  EXPECT_TRUE(client_->Get(kShow).ok());
}

TEST_F(RatesTest, RateLimitedComesBeforeEveryOtherRefusal) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-locks=1"}));
  LockHundred("me");
  ExpectLimited(client_->Lock(kShow, "A1", "other").refusal(), "locks");  // SEAT_TAKEN
  ExpectLimited(client_->Lock(kShow, "", "other").refusal(), "locks");    // INVALID_FIELD
}

TEST_F(RatesTest, OneSessionLeavesOthersTheirs) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-locks-per-session=1"}));
  LockHundred("greedy");
  ExpectLimited(client_->Lock(kShow, "B1", "greedy").refusal(), "locks_per_session");
  EXPECT_TRUE(client_->Lock(kShow, "B1", "other").ok());
}

TEST_F(RatesTest, ABadRequestCostsOthersNothing) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-locks=1000"}));
  std::vector<std::string> many;
  for (int i = 0; i < 1'500; ++i) many.push_back(Seat(i));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client_->LockMany(kShow, many, "bad").refusal().reason, "INVALID_FIELD");
  }
  EXPECT_TRUE(client_->Lock(kShow, "A1", "good").ok());
  EXPECT_EQ(Refused("locks"), 0);
}

TEST_F(RatesTest, CallsOfAllKindsCountForThePrincipal) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--rate-calls-per-principal=1"}));
  bool limited = false;
  for (int i = 0; i < 1'000 && !limited; ++i) {
    const auto answer = client_->Get(kShow);
    if (answer.ok()) continue;
    ExpectLimited(answer.refusal(), "calls_per_principal");
    limited = true;
  }
  EXPECT_TRUE(limited);
}

TEST_F(RatesTest, WithoutFlagsNobodyIsLimited) {
  ASSERT_NO_FATAL_FAILURE(Serve({}));
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(client_->Lock(kShow, Seat(i % 50), "me").ok());
}

// A connection ends every two seconds, and nobody who follows the showtime misses a change.
class ConnectionAgeTest : public RatesTest {
 protected:
  // Changes the showtime until so many watches were begun, or for a minute.
  void ChangeUntilWatches(double watches) {
    int changes = 0;
    EXPECT_TRUE(Eventually([&] {
      const std::string seat = Seat(changes++ % 50);
      EXPECT_TRUE(client_->Lock(kShow, seat, "me").ok());
      EXPECT_TRUE(client_->Unlock(kShow, seat, "me").ok());
      return Metric(kWatches) >= watches;
    }));
  }
  // The showtime's whole history.
  std::vector<v1::Change> Log() {
    const uint64_t head = client_->Get(kShow).response.snapshot().revision();
    v1::WatchShowtimeRequest request;
    request.set_showtime_id(kShow);
    request.mutable_resume();
    client::ClientOptions options;
    options.target = server_->address();
    client::Client reader(options);
    const auto watch = reader.WatchShowtime(request);
    std::vector<v1::Change> log;
    while (log.size() < head) {
      const auto event = watch->Next(std::chrono::seconds(20));
      if (!event.ok()) break;
      if (const auto* change = std::get_if<v1::Change>(&*event)) log.push_back(*change);
    }
    EXPECT_EQ(log.size(), head);
    return log;
  }
};

TEST_F(ConnectionAgeTest, AClientsWatchGoesOnWithoutAHole) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--max-connection-age=1s"}));
  client::ClientOptions options;
  options.target = server_->address();
  client::Client client(options);
  ClientFollower follower(client, kShow);
  ChangeUntilWatches(4);  // its first, and three after a cut
  follower.Judge(Log());
}

TEST_F(ConnectionAgeTest, AnEdgesBrowsersMissNothing) {
  ASSERT_NO_FATAL_FAILURE(Serve({"--max-connection-age=1s"}));
  ASSERT_TRUE(client_->Lock(kShow, "Z1", "me").ok());
  std::unique_ptr<Program> edge;
  ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_->address(), edge));
  Pages pages;
  pages.Add(kShow, {edge->address()});
  ASSERT_TRUE(pages.AllOpened());
  ChangeUntilWatches(4);
  pages.Judge(kShow, Log());
}

// The control of both: without an age one watch is enough.
TEST_F(ConnectionAgeTest, WithoutAnAgeAConnectionStays) {
  ASSERT_NO_FATAL_FAILURE(Serve({}));
  client::ClientOptions options;
  options.target = server_->address();
  client::Client client(options);
  ClientFollower follower(client, kShow);
  int changes = 0;
  EXPECT_FALSE(Eventually(
      [&] {
        EXPECT_TRUE(client_->Lock(kShow, Seat(changes++ % 50), "me").ok());
        return Metric(kWatches) >= 2;
      },
      std::chrono::seconds(5)));
}

}  // namespace
}  // namespace seatlock::testing
