// What the programs say of themselves while their state changes: each gauge moves, and moves back.
#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>

#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/eventually.h"
#include "tests/testing/metric.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGeneration[] = "seatlock_store_generation_info{generation=\"";

class MetricsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(server_.Start(), IsOk()); }

  static ProgramOptions With(const std::string& arg) {
    ProgramOptions options;
    options.args = {arg};
    return options;
  }
  double Service(const std::string& series) { return MetricOf(server_.admin_address(), series); }
  double Edge(const std::string& series) { return MetricOf(edge_->admin_address(), series); }
  bool ServiceBecomes(const std::string& series, double value) {
    return Eventually([&] { return Service(series) == value; });
  }
  bool EdgeBecomes(const std::string& series, double value) {
    return Eventually([&] { return Edge(series) == value; });
  }
  std::string Text() { return HttpGet(server_.admin_address(), "/metrics")->body; }
  std::string Generation() {
    const std::string text = Text();
    const size_t at = text.find(kGeneration);
    if (at == std::string::npos) return "";
    const size_t begin = at + sizeof(kGeneration) - 1;
    return text.substr(begin, text.find('"', begin) - begin);
  }

  TestServer server_{{"--drain-delay=60s"}};
  std::unique_ptr<Program> edge_;
};

TEST_F(MetricsTest, TheProgramsSayWhatTheyAreAndThatTheyAreReady) {
  ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_, With("--drain-delay=60s")));
  EXPECT_THAT(Text(), HasSubstr("seatlock_build_info{program=\"seatlockd\",version=\"" +
                                std::string(SEATLOCK_VERSION) + "\""));
  EXPECT_EQ(Service("seatlock_store_info{store=\"sqlite\",profile=\"\"}"), 1);
  EXPECT_EQ(Service("seatlock_ready"), 1);
  EXPECT_EQ(Edge("seatlock_edge_ready"), 1);
  server_.process().Signal(SIGTERM);
  edge_->process().Signal(SIGTERM);
  EXPECT_TRUE(ServiceBecomes("seatlock_ready", 0));
  EXPECT_TRUE(EdgeBecomes("seatlock_edge_ready", 0));
}

TEST_F(MetricsTest, AStoreThatAnotherProgramHoldsIsUnhealthyAndItsLocksAreOverdue) {
  SeatLockClient client(server_.address());
  ASSERT_TRUE(client.Lock("s", "A1", "session", {.ttl_ms = 1000}).ok());
  EXPECT_EQ(Service("seatlock_store_healthy"), 1);
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(server_.file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(Eventually([&] { return Service("seatlock_oldest_due_lock_seconds") > 1; }));
  EXPECT_TRUE(ServiceBecomes("seatlock_store_healthy", 0));
  EXPECT_TRUE(ServiceBecomes("seatlock_ready", 0));
  sqlite3_close(other);
  EXPECT_TRUE(ServiceBecomes("seatlock_oldest_due_lock_seconds", 0));
  EXPECT_TRUE(ServiceBecomes("seatlock_store_healthy", 1));
  EXPECT_TRUE(ServiceBecomes("seatlock_ready", 1));
}

TEST_F(MetricsTest, AnotherGenerationIsAnotherLabel) {
  SeatLockClient client(server_.address());
  ASSERT_TRUE(client.Lock("s", "A1", "session").ok());
  const std::string before = Generation();
  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_EQ(Generation(), before) << "control: a crash is no other history";
  server_.Kill();
  std::filesystem::remove(server_.file() + ".mark");
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_NE(Generation(), before);
  EXPECT_THAT(Text(), Not(HasSubstr(before)));
}

TEST_F(MetricsTest, WhatShowtimesHoldInMemoryRises) {
  SeatLockClient client(server_.address());
  const double before = Service("seatlock_state_bytes");
  ASSERT_TRUE(client.Lock("s", "A1", "session").ok());
  EXPECT_GT(Service("seatlock_state_bytes"), before);
  EXPECT_GT(Service("seatlock_store_wal_bytes"), 0);
  EXPECT_EQ(Service("seatlock_pending_calls"), 0);
  EXPECT_EQ(Service("seatlock_store_queue_bytes"), 0);
}

TEST_F(MetricsTest, AShowtimeThatNoServerServesIsAway) {
  ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_, With("--max-connections=5")));
  EXPECT_EQ(Edge("seatlock_edge_connections_max"), 5);
  EXPECT_EQ(Edge("seatlock_edge_held_max_bytes"), 256 << 20);
  const auto port =
      static_cast<uint16_t>(std::stoi(edge_->address().substr(edge_->address().rfind(':') + 1)));
  auto browser = WsClient::Connect("127.0.0.1", port, {});
  ASSERT_THAT(browser, IsOk());
  ASSERT_THAT((*browser)->SendText(R"({"type":"subscribe","showtimeId":"s"})"), IsOk());
  ASSERT_THAT((*browser)->NextOfType("current_seat_status"), IsOk());
  EXPECT_EQ(Edge("seatlock_edge_rooms_away"), 0);
  server_.Kill();
  EXPECT_TRUE(EdgeBecomes("seatlock_edge_rooms_away", 1));
  ASSERT_THAT(server_.Start(), IsOk());
  EXPECT_TRUE(EdgeBecomes("seatlock_edge_rooms_away", 0));
}

}  // namespace
}  // namespace seatlock::testing
