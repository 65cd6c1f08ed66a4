#include "edge/ws/upgrade_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/beast/http/field.hpp>

namespace seatlock::edge {
namespace {

namespace http = boost::beast::http;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The request of RFC 6455, 1.3.
UpgradeRequest Request() {
  UpgradeRequest request(http::verb::get, "/ws/seat-updates", 11);
  request.set(http::field::host, "server.example.com");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  request.set(http::field::sec_websocket_version, "13");
  return request;
}

std::string Accept(const UpgradeRequest& request, std::string_view subprotocol) {
  boost::asio::io_context io;
  return AcceptAnswer(io.get_executor(), request, subprotocol);
}

TEST(UpgradeAnswerTest, AnUpgradeIsAnsweredAsTheStandardHasIt) {
  const std::string answer = Accept(Request(), "");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 101 "), EndsWith("\r\n\r\n"),
                            HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
                            Not(HasSubstr("Sec-WebSocket-Protocol"))));
}

TEST(UpgradeAnswerTest, TheSubprotocolChosenIsNamed) {
  UpgradeRequest request = Request();
  request.set(http::field::sec_websocket_protocol, "x, seatlock.v1.batch");
  EXPECT_THAT(Accept(request, "seatlock.v1.batch"),
              HasSubstr("Sec-WebSocket-Protocol: seatlock.v1.batch\r\n"));
}

TEST(UpgradeAnswerTest, NoExtensionIsAccepted) {
  UpgradeRequest request = Request();
  request.set(http::field::sec_websocket_extensions, "permessage-deflate");
  EXPECT_THAT(Accept(request, ""), Not(HasSubstr("Sec-WebSocket-Extensions")));
}

TEST(UpgradeAnswerTest, ARefusalEndsTheConnectionAndSaysWhy) {
  EXPECT_THAT(RefusalAnswer(404, "not found"),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), HasSubstr("Connection: close\r\n"),
                    HasSubstr("Content-Length: 10\r\n"), EndsWith("\r\n\r\nnot found\n")));
  EXPECT_THAT(RefusalAnswer(426, "x"),
              AllOf(HasSubstr("Upgrade: websocket\r\n"), HasSubstr("Sec-WebSocket-Version: 13\r\n"),
                    HasSubstr("Connection: close, upgrade\r\n")));
}

TEST(UpgradeAnswerTest, WhoMayComeBackIsToldWhen) {
  for (const int status : {429, 503}) {
    EXPECT_THAT(RefusalAnswer(status, "x"), HasSubstr("Retry-After: "));
  }
  EXPECT_THAT(RefusalAnswer(400, "x"), Not(HasSubstr("Retry-After")));
}

}  // namespace
}  // namespace seatlock::edge
