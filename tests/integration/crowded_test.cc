// Browsers that invent showtimes: they may fill their own edge, and must leave the service to
// others, and the showtimes that are followed already to those who follow them.
#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <sstream>

#include "common/base/shared_limits.h"
#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/http_get.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/watch_stream.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

constexpr int kSockets = 160;
constexpr int kSubscribesASocket = 64;
constexpr int kRealShowtimes = 20;
constexpr int kRooms = base::kStreamsPerConnectionMax - base::kStreamsKeptFree;
constexpr std::chrono::seconds kPatience(60);

std::string Real(int i) {
  return "real-" + std::to_string(i);
}

class CrowdedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    ProgramOptions options;
    // The crowd stands for one of many addresses.
    options.args = {"--max-new-showtimes-per-address=0"};
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_, options));
  }
  void TearDown() override { EXPECT_EQ(SanitizerReport(edge_->process()), ""); }

  std::unique_ptr<WsClient> Connect() {
    const std::string& address = edge_->address();
    const int port = std::stoi(address.substr(address.rfind(':') + 1));
    auto client = WsClient::Connect("127.0.0.1", static_cast<uint16_t>(port), {});
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }
  static absl::Status Subscribe(WsClient& client, const std::string& showtime) {
    return client.SendText(R"({"type":"subscribe","showtimeId":")" + showtime + "\"}");
  }

  int64_t EdgeMetric(const std::string& name) {
    const auto answer = HttpGet(edge_->admin_address(), "/metrics");
    std::istringstream lines(answer.ok() ? answer->body : "");
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) return std::stoll(line.substr(name.size() + 1));
    }
    return -1;
  }
  // Until it was seen to be so once: rooms come and go while browsers are sent away.
  void WaitForEdgeMetric(const std::string& name, int64_t at_least) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    int64_t value = EdgeMetric(name);
    while (value < at_least && std::chrono::steady_clock::now() < deadline) {
      value = EdgeMetric(name);
    }
    ASSERT_GE(value, at_least) << name;
  }

  // Showtimes that the edge said not to follow now, among what it sent up to its pong.
  static int RefusalsBeforePong(WsClient& client) {
    int refused = 0;
    while (true) {
      const auto frame = client.NextJson(kPatience);
      EXPECT_THAT(frame, IsOk());
      if (!frame.ok() || frame->at("type") == "pong") return refused;
      if (frame->at("type") != "error") continue;
      EXPECT_EQ(frame->at("code").as_string(), "SHOWTIME_UNAVAILABLE");
      EXPECT_GT(frame->at("retryAfterMs").as_int64(), 0);
      ++refused;
    }
  }

  // Every real showtime gets a change, and `browser` hears of each.
  void ExpectRealShowtimesToBeFollowed(WsClient& browser, const std::string& seat) {
    SeatLockClient client(server_.address());
    std::map<std::string, int> missing;
    for (int i = 0; i < kRealShowtimes; ++i) {
      ASSERT_TRUE(client.Lock(Real(i), seat, "alice").ok());
      missing[Real(i)] = 1;
    }
    while (!missing.empty()) {
      auto frame = browser.NextOfType("seat_status_change", kPatience);
      ASSERT_THAT(frame, IsOk()) << missing.size() << " showtimes stay dark, the first is "
                                 << missing.begin()->first;
      if (frame->at("seatId").as_string() == seat.c_str()) {
        missing.erase(std::string(frame->at("showtimeId").as_string()));
      }
    }
  }

  TestServer server_;
  std::unique_ptr<Program> edge_;
};

TEST_F(CrowdedTest, InventedShowtimesFillTheirEdgeAndLeaveTheServiceToOthers) {
  const auto browser = Connect();
  for (int i = 0; i < kRealShowtimes; ++i) {
    ASSERT_THAT(Subscribe(*browser, Real(i)), IsOk());
    ASSERT_THAT(browser->NextOfType("subscribed"), IsOk());
  }
  std::vector<std::unique_ptr<WsClient>> crowd;
  for (int socket = 0; socket < kSockets; ++socket) {
    crowd.push_back(Connect());
    for (int i = 0; i < kSubscribesASocket; ++i) {
      const std::string id = "invented-" + std::to_string(socket) + "-" + std::to_string(i);
      ASSERT_THAT(Subscribe(*crowd.back(), id), IsOk());
    }
  }
  // Each was heard to the end. What is one too many is refused, and closes nobody.
  int refused = 0;
  for (const auto& client : crowd) {
    ASSERT_THAT(client->SendText(R"({"type":"ping"})"), IsOk());
    refused += RefusalsBeforePong(*client);
  }
  EXPECT_GT(refused, 0);
  WaitForEdgeMetric("seatlock_edge_rooms", kRooms);
  WaitForEdgeMetric("seatlock_edge_upstream_streams", kRooms);

  SeatLockClient other(server_.address());
  for (const std::string showtime : {"real-0", "another"}) {
    WatchStream watch(other.stub(), showtime);
    EXPECT_TRUE(watch.Next().has_value()) << "too many watches for " << showtime;
  }
  ExpectRealShowtimesToBeFollowed(*browser, "A1");

  server_.Kill();
  ASSERT_THAT(server_.Start(), IsOk());
  ExpectRealShowtimesToBeFollowed(*browser, "A2");
}

}  // namespace
}  // namespace seatlock::testing
