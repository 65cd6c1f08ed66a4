// A real seatlock-edge in front of a FakeService, and short words for talking to it.
#pragma once

#include <gmock/gmock.h>

#include <boost/json/serialize.hpp>
#include <memory>
#include <string>

#include "common/runtime/net.h"
#include "tests/integration/edge/fake_service.h"
#include "tests/testing/programs.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {

class EdgeTest : public ::testing::Test {
 protected:
  EdgeTest() { StartEdgeWith({}); }

  void StartEdgeWith(std::vector<std::string> args) {
    edge_.reset();
    ProgramOptions options;
    options.binary = EDGE_BINARY;
    options.upstream = service_.address();
    options.args = std::move(args);
    auto edge = StartEdge(options);
    ASSERT_THAT(edge, IsOk());
    edge_ = *std::move(edge);
    port_ = runtime::ParseHostPort(edge_->address())->port;
  }

  // A connection that has been greeted.
  std::unique_ptr<WsClient> Connect(const WsClient::Options& options = {}) {
    auto client = WsClient::Connect("127.0.0.1", port_, options);
    EXPECT_THAT(client, IsOk());
    if (!client.ok()) return nullptr;
    EXPECT_THAT((*client)->NextOfType("connection_established"), IsOk());
    return *std::move(client);
  }

  // A connection that follows `showtime` and has its state.
  std::unique_ptr<WsClient> Follow(const std::string& showtime, const std::string& more = "",
                                   const WsClient::Options& options = {}) {
    std::unique_ptr<WsClient> client = Connect(options);
    if (!client) return nullptr;
    Subscribe(*client, showtime, more);
    EXPECT_THAT(client->NextOfType("current_seat_status"), IsOk());
    return client;
  }

  static void Subscribe(WsClient& client, const std::string& showtime,
                        const std::string& more = "") {
    EXPECT_THAT(
        client.SendText(R"({"type":"subscribe","showtimeId":")" + showtime + "\"" + more + "}"),
        IsOk());
  }

  // The next frame without its "timestamp" where that is the clock's.
  static std::string NextText(WsClient& client, bool drop_timestamp = true) {
    auto frame = client.NextJson();
    if (!frame.ok()) return frame.status().ToString();
    if (drop_timestamp) {
      EXPECT_TRUE(frame->contains("timestamp"));
      frame->stable_erase(frame->find("timestamp"));
    }
    return boost::json::serialize(*frame);
  }

  // Where a frame would be, an error tells.
  static std::string ErrorCode(WsClient& client) {
    auto frame = client.NextOfType("error");
    return frame.ok() ? std::string(frame->at("code").as_string()) : frame.status().ToString();
  }

  FakeService service_;
  std::unique_ptr<Program> edge_;
  uint16_t port_ = 0;
};

}  // namespace seatlock::testing
