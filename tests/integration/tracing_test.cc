// From a frame that a browser got to the click that caused it, by the log lines of both programs.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/start_edge.h"
#include "tests/integration/test_server.h"
#include "tests/testing/seatlock_client.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/ws_client.h"

namespace seatlock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kClick = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kClickSpan = "00f067aa0ba902b7";
const std::string kPage = "0af7651916cd43dd8448eb211c80319c";
const std::string kOther = "11111111111111111111111111111111";
constexpr char kSession[] = "session-of-nobody-else";
constexpr std::chrono::milliseconds kSoon{20'000};

std::string Traceparent(const std::string& trace, bool sampled = true) {
  return "00-" + trace + "-" + kClickSpan + (sampled ? "-01" : "-00");
}

class TracingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(server_.Start(), IsOk());
    ASSERT_NO_FATAL_FAILURE(StartEdgeOn(server_.address(), edge_));
    client_.emplace(server_.address());
  }

  grpc::Status Lock(const std::string& traceparent, const std::string& seat,
                    const std::string& session = kSession) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", traceparent);
    v1::LockSeatResponse response;
    return client_->stub().LockSeat(&context, LockSeatRequestOf("123", seat, session), &response);
  }
  // A browser whose upgrade belongs to a trace.
  std::unique_ptr<WsClient> Open(const std::string& traceparent) {
    WsClient::Options options;
    options.headers = {{"traceparent", traceparent}};
    const size_t colon = edge_->address().rfind(':');
    auto browser = WsClient::Connect(
        "127.0.0.1", static_cast<uint16_t>(std::stoi(edge_->address().substr(colon + 1))), options);
    EXPECT_THAT(browser, IsOk());
    return browser.ok() ? *std::move(browser) : nullptr;
  }
  // The line of a call that made `revision` of `showtime`, as an operator would search for it.
  std::string LineOfRevision(const std::string& showtime, int64_t revision) {
    const auto line = server_.process().WaitForLine(
        [&](const std::string& each) {
          return LogField(each, "msg") == "call" && LogField(each, "showtime") == showtime &&
                 each.find("\"revision\":" + std::to_string(revision) + ",") != std::string::npos;
        },
        kSoon);
    EXPECT_THAT(line, IsOk());
    return line.value_or("");
  }
  static int Lines(Process& process, const std::string& text) {
    int count = 0;
    for (const std::string& line : process.StderrLines()) {
      if (line.find(text) != std::string::npos) ++count;
    }
    return count;
  }

  TestServer server_;
  std::unique_ptr<Program> edge_;
  std::optional<SeatLockClient> client_;
};

TEST_F(TracingTest, AFrameLeadsToTheClick) {
  auto browser = Open(Traceparent(kPage));
  ASSERT_NE(browser, nullptr);
  const auto established = browser->NextOfType("connection_established");
  ASSERT_THAT(established, IsOk());
  const std::string connection(established->at("sessionId").as_string());
  ASSERT_THAT(browser->SendText(R"({"type":"subscribe","showtimeId":"123"})"), IsOk());
  ASSERT_THAT(browser->NextOfType("current_seat_status"), IsOk());
  ASSERT_TRUE(Lock(Traceparent(kClick), "A06").ok());

  const auto frame = browser->NextOfType("seat_status_change");
  ASSERT_THAT(frame, IsOk());
  const std::string call = LineOfRevision(std::string(frame->at("showtimeId").as_string()),
                                          frame->at("revision").as_int64());
  EXPECT_EQ(LogField(call, "trace"), kClick);
  EXPECT_EQ(LogField(call, "span"), kClickSpan);
  EXPECT_EQ(LogField(call, "method"), "LockSeat");
  EXPECT_EQ(LogField(call, "outcome"), "OK");
  EXPECT_THAT(call, AllOf(HasSubstr("\"ms\":"), Not(HasSubstr(kSession))));

  // And the edge says whose browser it was that saw it, and from where on.
  const auto subscribed = edge_->process().WaitForText("a browser subscribed", kSoon);
  ASSERT_THAT(subscribed, IsOk());
  EXPECT_EQ(LogField(*subscribed, "trace"), kPage);
  EXPECT_EQ(LogField(*subscribed, "connection"), connection);
  EXPECT_EQ(LogField(*subscribed, "showtime"), "123");
  EXPECT_THAT(*subscribed, HasSubstr("\"revision\":0,"));
  EXPECT_EQ(Lines(edge_->process(), "a browser connected"), 1);
}

TEST_F(TracingTest, ARefusedClickIsFoundByItsTrace) {
  ASSERT_TRUE(client_->Lock("123", "A06", "somebody").ok());
  EXPECT_FALSE(Lock(Traceparent(kClick), "A06").ok());
  const auto line = server_.process().WaitForText(kClick, kSoon);
  ASSERT_THAT(line, IsOk());
  EXPECT_EQ(LogField(*line, "outcome"), "SEAT_TAKEN");
  EXPECT_EQ(LogField(*line, "showtime"), "123");
}

TEST_F(TracingTest, WhatIsNotSampledOrNoTraceHasNoLine) {
  ASSERT_TRUE(Lock(Traceparent(kOther, /*sampled=*/false), "A01").ok());
  ASSERT_TRUE(Lock("ff-" + kOther + "-" + kClickSpan + "-01", "A02").ok());
  ASSERT_TRUE(Lock("nonsense", "A03").ok());
  auto quiet = Open(Traceparent(kOther, /*sampled=*/false));
  auto loud = Open(Traceparent(kPage));
  ASSERT_TRUE(Lock(Traceparent(kClick), "A04").ok());
  // Later lines are there, so those of the others would be.
  EXPECT_THAT(server_.process().WaitForText(kClick, kSoon), IsOk());
  EXPECT_THAT(edge_->process().WaitForText(kPage, kSoon), IsOk());
  EXPECT_EQ(Lines(server_.process(), "\"msg\":\"call\""), 1);
  EXPECT_EQ(Lines(edge_->process(), "a browser connected"), 1);
}

}  // namespace
}  // namespace seatlock::testing
