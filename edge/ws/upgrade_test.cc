#include "edge/ws/upgrade.h"

#include <gtest/gtest.h>

#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>

#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

namespace http = boost::beast::http;

UpgradeRequest Request(const std::string& target = "/ws/seat-updates",
                       http::verb verb = http::verb::get) {
  UpgradeRequest request(verb, target, 11);
  request.set(http::field::host, "server.example.com");
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  request.set(http::field::sec_websocket_version, "13");
  return request;
}

// 101 for an upgrade.
int StatusOf(const UpgradeRequest& request, const std::string& origins = "*") {
  const auto allowed = AllowedOrigins::Parse(origins);
  EXPECT_THAT(allowed, seatlock::testing::IsOk());
  const auto check = CheckUpgrade(request, *allowed);
  const auto* refused = std::get_if<UpgradeRefused>(&check);
  return refused == nullptr ? 101 : refused->status;
}

TEST(UpgradeTest, ATargetIsAPathOrAUrl) {
  for (const char* target :
       {"/ws/seat-updates", "/ws/seat-updates?x=1", "http://a.example/ws/seat-updates",
        "http://a.example:8080/ws/seat-updates?x=1", "HTTPS://A.EXAMPLE/ws/seat-updates",
        "http://[::1]:8080/ws/seat-updates"}) {
    EXPECT_EQ(StatusOf(Request(target)), 101) << target;
  }
  for (const char* target :
       {"/", "*", "a.example:80", "ws/seat-updates", "http://a.example", "http://a.example/",
        "http:///ws/seat-updates", "http:/ws/seat-updates", "http://me@a.example/ws/seat-updates",
        "ftp://a.example/ws/seat-updates", "http://a.example:x/ws/seat-updates",
        "http://a.example/x/ws/seat-updates", "//a.example/ws/seat-updates"}) {
    EXPECT_EQ(StatusOf(Request(target)), 404) << target;
  }
}

TEST(UpgradeTest, APortIsANumberUpTo65535) {
  for (const char* port : {"0", "65536", "65616", "99999", "131072", "4294967376"}) {
    const std::string host = std::string("a.example:") + port;
    EXPECT_EQ(StatusOf(Request("http://" + host + "/ws/seat-updates")), 400) << port;
    UpgradeRequest request = Request();
    request.set(http::field::host, host);
    EXPECT_EQ(StatusOf(request), 400) << port;
  }
  for (const char* port : {"", ":", ":1", ":65535"}) {
    const std::string host = std::string("a.example") + port;
    EXPECT_EQ(StatusOf(Request("http://" + host + "/ws/seat-updates")), 101) << port;
    UpgradeRequest request = Request();
    request.set(http::field::host, host);
    EXPECT_EQ(StatusOf(request), 101) << port;
  }
}

TEST(UpgradeTest, AnotherMethodIs405WhateverElseItSays) {
  for (const http::verb verb : {http::verb::post, http::verb::head, http::verb::put,
                                http::verb::options, http::verb::connect, http::verb::delete_}) {
    EXPECT_EQ(StatusOf(Request("/ws/seat-updates", verb)), 405) << http::to_string(verb);
    EXPECT_EQ(StatusOf(Request("/", verb)), 404) << http::to_string(verb);
  }
  UpgradeRequest plain = Request("/ws/seat-updates", http::verb::post);
  plain.erase(http::field::upgrade);
  EXPECT_EQ(StatusOf(plain), 405);
}

// HTTP/1.0 knows no Upgrade (RFC 9110, 7.8), so this is a plain GET.
TEST(UpgradeTest, Http10Is426) {
  UpgradeRequest request = Request();
  request.version(10);
  EXPECT_EQ(StatusOf(request), 426);
}

TEST(UpgradeTest, OneGoodHostIsWantedWhateverTheTargetSays) {
  for (const char* target : {"/ws/seat-updates", "http://a.example/ws/seat-updates"}) {
    UpgradeRequest request = Request(target);
    for (const char* good : {"a.example", "a.example:8080", "[::1]:80", "a_b.example", ""}) {
      request.set(http::field::host, good);
      EXPECT_EQ(StatusOf(request), 101) << good;
    }
    for (const char* bad : {"a example", "me@a.example", "a.example:x", "a.example/x", "[::1"}) {
      request.set(http::field::host, bad);
      EXPECT_EQ(StatusOf(request), 400) << bad;
    }
    request.set(http::field::host, "a.example");
    request.insert(http::field::host, "a.example");
    EXPECT_EQ(StatusOf(request), 400);
    request.erase(http::field::host);
    EXPECT_EQ(StatusOf(request), 400);
  }
}

TEST(UpgradeTest, AnOriginThatIsNotAllowedIs403) {
  UpgradeRequest request = Request();
  EXPECT_EQ(StatusOf(request, "https://*.a.example"), 101);
  request.set(http::field::origin, "https://x.a.example");
  EXPECT_EQ(StatusOf(request, "https://*.a.example"), 101);
  for (const char* origin : {"https://a.example", "null", "https://evil.example"}) {
    request.set(http::field::origin, origin);
    EXPECT_EQ(StatusOf(request, "https://*.a.example"), 403) << origin;
    EXPECT_EQ(StatusOf(request), 101) << origin;
  }
}

TEST(UpgradeTest, AHeadEndsWithAnEmptyLineWhereverItsBytesAreCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nmore\r\n\r\n";
  const size_t head = text.find("more");
  for (size_t size = 0; size <= text.size(); ++size) {
    const size_t expected = size < head ? 0 : head;
    for (size_t searched = 0; searched <= std::min(size, head - 1); ++searched) {
      EXPECT_EQ(HeadBytes(text.substr(0, size), searched), expected) << size << " " << searched;
    }
  }
}

TEST(UpgradeTest, ALineEndsWithCrAndLfWhereverItsBytesAreCut) {
  const std::string good = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string bare_lf = "GET / HTTP/1.1\nHost: x\n\n";
  const std::string bare_cr = "GET / HTTP/1.1\rHost: x\r\r";
  for (size_t size = 0; size <= good.size(); ++size) {
    EXPECT_FALSE(HasBareLineEnd(good.substr(0, size))) << size;
  }
  for (const std::string& bad : {bare_lf, bare_cr}) {
    // Cut anywhere before its end: what was searched before is not searched again.
    for (size_t cut = 0; cut <= 15; ++cut) {
      EXPECT_TRUE(HasBareLineEnd(bad.substr(0, cut)) || HasBareLineEnd(bad, cut)) << cut;
    }
  }
}

TEST(UpgradeTest, WhatBeginsWithNoLetterIsNoRequest) {
  EXPECT_TRUE(MayBeginRequest(""));
  EXPECT_TRUE(MayBeginRequest("G"));
  EXPECT_FALSE(MayBeginRequest("\x16\x03\x01"));  // TLS
  EXPECT_FALSE(MayBeginRequest("\r\n"));
}

}  // namespace
}  // namespace seatlock::edge
