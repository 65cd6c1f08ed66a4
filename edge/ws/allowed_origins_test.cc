#include "edge/ws/allowed_origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace seatlock::edge {
namespace {

using seatlock::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::StartsWith;

bool Allows(const std::string& list, const std::string& origin) {
  const auto allowed = AllowedOrigins::Parse(list);
  EXPECT_THAT(allowed, IsOk()) << list;
  return allowed.ok() && allowed->Allows(origin, "edge.example");
}

TEST(AllowedOriginsTest, AnyPageOrThoseOnTheList) {
  for (const std::string any : {"", "*"}) {
    EXPECT_TRUE(Allows(any, "https://evil.example"));
    EXPECT_TRUE(Allows(any, "null"));
  }
  const std::string list = "https://a.example, http://b.example:3000";
  EXPECT_TRUE(Allows(list, "https://a.example"));
  EXPECT_TRUE(Allows(list, "http://b.example:3000"));
  for (const std::string other :
       {"http://a.example", "https://a.example:3000", "http://b.example", "https://x.a.example",
        "https://a.example.evil.example", "https://evil.example", "null", "https://", "nonsense"}) {
    EXPECT_FALSE(Allows(list, other)) << other;
  }
  // No browser leaves it out.
  EXPECT_TRUE(Allows(list, ""));
}

TEST(AllowedOriginsTest, CapitalsAndDefaultPortsAreAsBrowsersSendThem) {
  EXPECT_TRUE(Allows("HTTPS://A.Example:443", "https://a.example"));
  EXPECT_TRUE(Allows("http://a.example:80", "http://a.example"));
  EXPECT_TRUE(Allows("https://a.example", "https://A.EXAMPLE:443"));
  EXPECT_FALSE(Allows("https://a.example:80", "https://a.example"));
  EXPECT_FALSE(Allows("https://a.example:34463", "https://a.example:99999"));
  EXPECT_TRUE(Allows("https://a.example:65535", "https://a.example:65535"));
}

TEST(AllowedOriginsTest, AStarIsEverySubdomainAndNotTheDomainItself) {
  const std::string list = "https://*.a.example,http://*.b.example:3000";
  EXPECT_TRUE(Allows(list, "https://x.a.example"));
  EXPECT_TRUE(Allows(list, "https://y.x.a.example"));
  EXPECT_TRUE(Allows(list, "http://x.b.example:3000"));
  for (const std::string other :
       {"https://a.example", "https://.a.example", "https://xa.example", "http://x.a.example",
        "https://x.a.example:8443", "https://x.a.example.evil.example", "https://*.a.example",
        "http://x.b.example"}) {
    EXPECT_FALSE(Allows(list, other)) << other;
  }
}

TEST(AllowedOriginsTest, AddressesAppsAndNamesOfOneLabel) {
  EXPECT_TRUE(Allows("http://127.0.0.1:3000", "http://127.0.0.1:3000"));
  EXPECT_TRUE(Allows("http://[0:0::1]:3000", "http://[::1]:3000"));
  EXPECT_TRUE(Allows("http://localhost:3000", "http://localhost:3000"));
  EXPECT_TRUE(Allows("capacitor://localhost", "capacitor://localhost"));
  EXPECT_TRUE(Allows("chrome-extension://abcdef", "chrome-extension://abcdef"));
  EXPECT_TRUE(Allows("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"));
  EXPECT_TRUE(Allows("https://a.example.", "https://a.example."));
}

TEST(AllowedOriginsTest, WhatNoBrowserSendsIsRefusedAndSaysWhy) {
  const struct {
    const char* list;
    const char* why;
  } rows[] = {
      {"a.example", "'a.example' is none"},
      {"https://a.example,", "'' is none"},
      {"https://a.example,*", "'*' is none"},
      {"https:", "has no host"},
      {"https://", "has no host"},
      {"https://:443", "has no host"},
      {"file:///", "has no host"},
      {"null", "any sandboxed page"},
      {"https://a.example/", "ends with a slash"},
      {"https://a.example/shop", "has a path"},
      {"https://a.example?x", "more than scheme, host and port"},
      {"https://a.example#x", "more than scheme, host and port"},
      {"https://me@a.example", "has a user name"},
      {"https://a.example:", "no good port"},
      {"https://a.example:0", "no good port"},
      {"https://a.example:65536", "no good port"},
      {"https://a.example:65537", "no good port"},
      {"https://a.example:99999", "no good port"},
      {"https://a.example:131072", "no good port"},
      {"https://a.example:4294967376", "no good port"},
      {"https://a.example:x", "no good host or port"},
      {"https://a.example:*", "no good host or port"},
      {"wss://a.example", "not of the page"},
      {"https://b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"https://a b.example", "is none"},
      {"https://a%2eexample", "no browser sends"},
      {"https://a..example", "no browser sends"},
      {"https://.a.example", "no browser sends"},
      {"https://127.1", "no browser sends"},
      {"https://1.2.3.0x4", "no good host or port"},
      {"https://*", "a * elsewhere"},
      {"https://*.", "no browser sends"},
      {"https://*.*.example", "a * elsewhere"},
      {"https://x.*.example", "a * elsewhere"},
      {"https://*a.example", "a * elsewhere"},
      {"https://*.10.0.0.1", "no browser sends"},
      {"*://a.example", "is none"},
  };
  for (const auto& row : rows) {
    const auto allowed = AllowedOrigins::Parse(row.list);
    ASSERT_FALSE(allowed.ok()) << row.list;
    const std::string message(allowed.status().message());
    EXPECT_THAT(message, StartsWith("must be origins such as https://a.example")) << row.list;
    EXPECT_THAT(message, HasSubstr(row.why)) << row.list;
  }
}

}  // namespace
}  // namespace seatlock::edge
