#include "clients/cli/bench/ws_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::cli::bench {
namespace {

using ::testing::HasSubstr;

TEST(WsUrlTest, HostPortAndPathAreTakenApart) {
  const struct {
    const char* url;
    const char* host;
    int port;
    const char* path;
    const char* authority;
  } cases[] = {
      {"ws://127.0.0.1:8080/ws/seat-updates", "127.0.0.1", 8080, "/ws/seat-updates",
       "127.0.0.1:8080"},
      {"ws://edge.example", "edge.example", 80, "/ws/seat-updates", "edge.example:80"},
      {"ws://edge.example/", "edge.example", 80, "/ws/seat-updates", "edge.example:80"},
      {"ws://[::1]:81/a?b=c", "::1", 81, "/a?b=c", "[::1]:81"},
      {"ws://[::1]", "::1", 80, "/ws/seat-updates", "[::1]:80"},
      {"ws://h:1?showtimeId=5", "h", 1, "/ws/seat-updates?showtimeId=5", "h:1"},
  };
  for (const auto& one : cases) {
    const auto url = ParseWsUrl(one.url);
    ASSERT_THAT(url, testing::IsOk()) << one.url;
    EXPECT_EQ(url->host, one.host) << one.url;
    EXPECT_EQ(url->port, one.port) << one.url;
    EXPECT_EQ(url->path, one.path) << one.url;
    EXPECT_EQ(url->Authority(), one.authority) << one.url;
  }
}

TEST(WsUrlTest, AnythingElseIsOneLine) {
  for (const char* url :
       {"", "127.0.0.1:8080", "http://127.0.0.1/", "ws://", "ws://:80", "ws://h:0", "ws://h:99999",
        "ws://::1", "ws://h/a b", "ws://u@h/", "ws://h/#x"}) {
    const auto parsed = ParseWsUrl(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("URL must be like ws://")) << url;
  }
}

TEST(WsUrlTest, TlsIsSaidNotToBeSpokenYet) {
  EXPECT_THAT(std::string(ParseWsUrl("wss://edge.example/").status().message()),
              HasSubstr("wss:// is not spoken yet"));
}

}  // namespace
}  // namespace seatlock::cli::bench
