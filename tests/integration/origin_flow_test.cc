// origin.md's manual multi-user flow on the real programs, every frame compared field for field:
// the first shopper locks A06, the second sees it and is refused, the first frees it, then books
// it; after a restart of the service on the same file it is still booked.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using boost::json::object;
using ::testing::ElementsAre;

constexpr int64_t kClockSlackMs = 5000;

class OriginFlowTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_));
    client_ = std::make_unique<SeatLockClient>(server_.address());
    client_->set_wait_for_ready(true);
  }
  void TearDown() override { EXPECT_EQ(SanitizerReport(edge_->process()), ""); }

  std::unique_ptr<WsClient> Connect() {
    const size_t colon = edge_->address().rfind(':');
    const int port = std::stoi(edge_->address().substr(colon + 1));
    auto client = WsClient::Connect("127.0.0.1", static_cast<uint16_t>(port), {});
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }

  // The next frame, with the fields checked and taken out whose values nobody can foresee.
  static std::string NextFrame(WsClient& client) {
    auto frame = client.NextJson();
    if (!frame.ok()) return frame.status().ToString();
    EXPECT_NEAR(static_cast<double>((*frame)["timestamp"].to_number<int64_t>()),
                static_cast<double>(WallClockMs()), kClockSlackMs);
    frame->erase("timestamp");
    if (frame->contains("epoch")) frame->erase("epoch");
    return Sorted(*frame);
  }
  // As text with its names in order, so that frames compare whatever order they are written in.
  static std::string Sorted(const object& frame) {
    std::map<std::string, std::string> fields;
    for (const auto& field : frame) {
      fields[std::string(field.key())] = boost::json::serialize(field.value());
    }
    std::string text;
    for (const auto& [name, value] : fields) text += name + "=" + value + " ";
    return text;
  }
  static std::string Frame(const std::string& json) {
    return Sorted(boost::json::parse(json).as_object());
  }

  // Connects as `session` and takes what comes first.
  std::unique_ptr<WsClient> Subscribe(const std::string& session) {
    auto client = Connect();
    auto hello = client->NextJson();
    EXPECT_THAT(hello, IsOk());
    EXPECT_EQ(hello->at("type").as_string(), "connection_established");
    EXPECT_FALSE(hello->at("sessionId").as_string().empty());
    EXPECT_EQ(hello->size(), 3u);
    EXPECT_THAT(client->SendText(R"({"type":"subscribe","showtimeId":"123","sessionId":")" +
                                 session + R"(","userId":"user_id"})"),
                IsOk());
    return client;
  }

  TestServer server_;
  std::unique_ptr<Program> edge_;
  std::unique_ptr<SeatLockClient> client_;
};

TEST_F(OriginFlowTest, TwoShoppersAndOneSeat) {
  auto first = Subscribe("s1");
  auto second = Subscribe("s2");
  for (WsClient* each : {first.get(), second.get()}) {
    EXPECT_EQ(NextFrame(*each),
              Frame(R"({"type":"subscribed","showtimeId":"123","revision":0,"recovered":false,
                        "yourSeats":[]})"));
    EXPECT_EQ(NextFrame(*each),
              Frame(R"({"type":"current_seat_status","showtimeId":"123","bookedSeats":[],
                        "lockedSeats":[],"revision":0})"));
  }

  // Tab 1 selects A06: both see it, only the holder sees whose it is and until when.
  const auto lock = client_->Lock("123", "A06", "s1");
  ASSERT_TRUE(lock.ok());
  const std::string expires = std::to_string(ToMs(lock.response.lock().expire_time()));
  EXPECT_EQ(NextFrame(*first),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"locked","sessionId":"s1","revision":1,"cause":"lock",
                      "expiresAt":)" +
                  expires + "}"));
  EXPECT_EQ(NextFrame(*second),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"locked","revision":1,"cause":"lock"})"));

  // Tab 2 tries to select it.
  const Refusal refusal = client_->Lock("123", "A06", "s2").refusal();
  EXPECT_EQ(refusal.reason, "SEAT_TAKEN");
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Refusal::Conflict{"A06", v1::SEAT_STATUS_LOCKED, "SEAT_TAKEN"}));

  // Tab 1 deselects it.
  ASSERT_TRUE(client_->Unlock("123", "A06", "s1").ok());
  EXPECT_EQ(NextFrame(*first),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"unlocked","sessionId":"s1","revision":2,"cause":"unlock"})"));
  EXPECT_EQ(NextFrame(*second),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"unlocked","revision":2,"cause":"unlock"})"));

  // Tab 1 buys it.
  ASSERT_TRUE(client_->Book("123", {"A06"}, "s1", "order-1").ok());
  EXPECT_EQ(NextFrame(*second),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"booked","revision":3,"cause":"book"})"));
  EXPECT_EQ(NextFrame(*first),
            Frame(R"({"type":"seat_status_change","showtimeId":"123","seatId":"A06",
                      "status":"booked","sessionId":"s1","revision":3,"cause":"book"})"));
}

TEST_F(OriginFlowTest, StillBookedAfterARestart) {
  ASSERT_TRUE(client_->Book("123", {"A06"}, "s1", "order-1").ok());
  ASSERT_TRUE(client_->Lock("123", "A07", "s1").ok());
  ASSERT_EQ(server_.Stop()->code, 0);
  ASSERT_THAT(server_.Start(), IsOk());

  auto other = Subscribe("s2");
  EXPECT_EQ(NextFrame(*other),
            Frame(R"({"type":"subscribed","showtimeId":"123","revision":2,"recovered":false,
                      "yourSeats":[]})"));
  EXPECT_EQ(NextFrame(*other),
            Frame(R"({"type":"current_seat_status","showtimeId":"123","bookedSeats":["A06"],
                      "lockedSeats":["A07"],"revision":2})"));
  const Refusal refusal = client_->Lock("123", "A06", "s2").refusal();
  EXPECT_THAT(refusal.conflicts,
              ElementsAre(Refusal::Conflict{"A06", v1::SEAT_STATUS_BOOKED, "SEAT_TAKEN"}));
  EXPECT_EQ(client_->GetOrder("123", "order-1").response.state(), v1::ORDER_STATE_OPEN);
}

}  // namespace
}  // namespace seatlock::testing
